import { useEffect, useRef } from 'preact/hooks';
import type { JSX } from 'preact';

import type { FleetPeer } from '../messages.ts';
import { draw, placeOf, radiusOf } from './draw.ts';
import type { Scene, View } from './draw.ts';
import { count } from './format.ts';
import { Layout } from './layout.ts';
import { onPalette, palette } from './palette.ts';
import { GHOST } from './store.ts';
import type { Store } from './store.ts';

/** The picture of the peers and their connections. The table of peers says the same in words. */

interface Properties {
  store: Store;
  chosen: string | undefined;
  shows: (peer: FleetPeer) => boolean;
  choose: (id: string | undefined) => void;
}

/** Time in which the view follows the picture, as a share of the way for each frame. */
const FOLLOW = 0.12;

/** While nothing moves the picture is drawn this often, in ms: the figures in it change. */
const REST = 250;

export function Topology({ store, chosen, shows, choose }: Properties): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const given = useRef({ chosen, shows, choose });
  given.current = { chosen, shows, choose };
  useEffect(() => {
    const picture = new Picture(canvas.current!, store, () => given.current);
    return () => picture.stop();
  }, [store]);
  const open = store.links.filter(({ state }) => state === 'open').length;
  const what = `${count(store.peers.size, 'peer')} and ${count(open, 'open connection')}`;
  return (
    <canvas
      ref={canvas}
      class="topology"
      role="img"
      aria-label={`${what}. The table of peers has the same in words.`}
    />
  );
}

class Picture {
  readonly #canvas: HTMLCanvasElement;
  readonly #store: Store;
  readonly #given: () => Omit<Properties, 'store'>;
  readonly #layout = new Layout();
  readonly #born = new Map<string, number>();
  readonly #graves = new Map<string, { x: number; y: number }>();
  #kinds = new Map<string, string>();
  readonly #ends: (() => void)[];
  readonly #calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
  #view: View = { width: 0, height: 0, scale: 1, x: 0, y: 0 };
  #isPlaced = false;
  #pointed: string | undefined;
  #drawn = 0;
  #frame = 0;
  #isStale = true;

  constructor(canvas: HTMLCanvasElement, store: Store, given: () => Omit<Properties, 'store'>) {
    this.#canvas = canvas;
    this.#store = store;
    this.#given = given;
    const resized = new ResizeObserver(() => this.#resize());
    resized.observe(canvas);
    const events = new AbortController();
    const { signal } = events;
    canvas.addEventListener('pointermove', (event) => this.#point(event), { signal });
    canvas.addEventListener('pointerleave', () => this.#point(undefined), { signal });
    canvas.addEventListener('click', (event) => given().choose(this.#find(event)), { signal });
    this.#ends = [
      () => resized.disconnect(),
      () => events.abort(),
      store.listen(() => (this.#isStale = true)),
      onPalette(() => (this.#isStale = true)),
    ];
    this.#resize();
    this.#loop(performance.now());
  }

  stop(): void {
    cancelAnimationFrame(this.#frame);
    for (const end of this.#ends) end();
  }

  #resize(): void {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    const pixels = devicePixelRatio || 1;
    this.#canvas.width = Math.round(width * pixels);
    this.#canvas.height = Math.round(height * pixels);
    this.#canvas.getContext('2d')!.setTransform(pixels, 0, 0, pixels, 0, 0);
    this.#view = { ...this.#view, width, height };
    this.#isPlaced = false;
    this.#isStale = true;
  }

  readonly #loop = (now: number): void => {
    this.#frame = requestAnimationFrame(this.#loop);
    if (this.#isStale) this.#update(now);
    const isMoving = this.#layout.moves || (!this.#calm && this.#hasTraffic()) || this.#store.ghosts.size > 0;
    if (!isMoving && !this.#isStale && now - this.#drawn < REST) return;
    this.#isStale = false;
    this.#drawn = now;
    if (this.#layout.moves) this.#layout.step();
    this.#follow();
    draw(this.#canvas.getContext('2d')!, this.#view, this.#scene(), now);
  };

  #hasTraffic(): boolean {
    return this.#store.links.length <= 160 && this.#store.links.some(({ traffic }) => traffic > 100);
  }

  #update(now: number): void {
    const { peers, links, ghosts } = this.#store;
    for (const [id, node] of this.#layout.nodes)
      if (!peers.has(id)) this.#graves.set(id, { x: node.x, y: node.y });
    for (const id of this.#graves.keys()) if (!ghosts.has(id)) this.#graves.delete(id);
    for (const [id, { at }] of ghosts) if (now - at > GHOST) ghosts.delete(id);
    const isFirst = this.#layout.nodes.size === 0;
    for (const id of peers.keys()) if (!this.#born.has(id)) this.#born.set(id, isFirst ? 0 : now);
    for (const id of this.#born.keys()) if (!peers.has(id)) this.#born.delete(id);
    this.#layout.update([...peers.values()], links);
    const { kinds } = palette();
    const groups = [...new Set([...peers.values()].map(({ group }) => group))].toSorted();
    this.#kinds = new Map(groups.map((group, index) => [group, kinds[index % kinds.length]!]));
  }

  #scene(): Scene {
    const { peers, links, ghosts } = this.#store;
    const { chosen, shows } = this.#given();
    return {
      ...{ layout: this.#layout, peers, links, ghosts, graves: this.#graves, colors: palette() },
      ...{ kinds: this.#kinds, chosen, pointed: this.#pointed, shows, born: this.#born, calm: this.#calm },
    };
  }

  /** Moves and scales the view so that everything is in it. */
  #follow(): void {
    const nodes = [...this.#layout.nodes.values()];
    if (nodes.length === 0) return;
    const xs = nodes.map(({ x }) => x);
    const ys = nodes.map(({ y }) => y);
    const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
    const margin = nodes.length > 30 ? 34 : 64;
    const { width, height } = this.#view;
    const scale = Math.min(
      1.6,
      (width - 2 * margin) / Math.max(1, right - left),
      (height - 2 * margin) / Math.max(1, bottom - top),
    );
    const part = this.#isPlaced && !this.#calm ? FOLLOW : 1;
    this.#isPlaced = true;
    const view = this.#view;
    view.scale += (Math.max(0.05, scale) - view.scale) * part;
    view.x += ((left + right) / 2 - view.x) * part;
    // Names are below the peers.
    view.y += ((top + bottom) / 2 + (nodes.length > 30 ? 0 : 12 / view.scale) - view.y) * part;
  }

  #point(event: PointerEvent | undefined): void {
    const pointed = event && this.#find(event);
    if (pointed === this.#pointed) return;
    this.#pointed = pointed;
    this.#canvas.classList.toggle('pointing', pointed !== undefined);
    this.#isStale = true;
  }

  #find({ offsetX, offsetY }: { offsetX: number; offsetY: number }): string | undefined {
    const reach = radiusOf(this.#layout.nodes.size) + 6;
    let nearest: { id: string; distance: number } | undefined;
    for (const node of this.#layout.nodes.values()) {
      const [x, y] = placeOf(this.#view, node);
      const distance = Math.hypot(x - offsetX, y - offsetY);
      if (distance <= reach && distance < (nearest?.distance ?? Infinity))
        nearest = { id: node.id, distance };
    }
    return nearest?.id;
  }
}
