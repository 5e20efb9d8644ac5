import type { FleetLink, FleetPeer } from '../messages.ts';
import { number, plain } from './format.ts';
import type { Layout, Node } from './layout.ts';
import { speedColor } from './palette.ts';
import type { Palette } from './palette.ts';
import { GHOST } from './store.ts';
import type { Ghost } from './store.ts';

/** Draws peers and their connections. */

export interface Scene {
  readonly layout: Layout;
  readonly peers: ReadonlyMap<string, FleetPeer>;
  readonly links: readonly FleetLink[];
  readonly ghosts: ReadonlyMap<string, Ghost>;
  /** Where those that have left were drawn. */
  readonly graves: ReadonlyMap<string, { x: number; y: number }>;
  readonly colors: Palette;
  /** The colour of each group. */
  readonly kinds: ReadonlyMap<string, string>;
  readonly chosen: string | undefined;
  readonly pointed: string | undefined;
  /** Whether a filter lets it through. */
  shows(peer: FleetPeer): boolean;
  /** When each peer appeared, on the clock of `performance.now`. */
  readonly born: ReadonlyMap<string, number>;
  readonly calm: boolean;
}

export interface View {
  readonly width: number;
  readonly height: number;
  /** From the layout to the canvas. */
  scale: number;
  x: number;
  y: number;
}

/** Names are drawn beside all peers up to this many. */
const NAMED = 30;

/** Dots run along connections up to this many. */
const MOVING = 160;

const BIRTH = 1_200;

export function radiusOf(count: number): number {
  if (count <= 4) return 22;
  if (count <= NAMED) return 15;
  return count <= 80 ? 10 : 7;
}

export function draw(context: CanvasRenderingContext2D, view: View, scene: Scene, now: number): void {
  context.clearRect(0, 0, view.width, view.height);
  context.lineCap = 'round';
  drawLinks(context, view, scene, now);
  drawGhosts(context, view, scene, now);
  drawClusters(context, view, scene);
  const nodes = [...scene.layout.nodes.values()];
  for (const node of nodes) drawNode(context, view, scene, node, now);
  for (const node of nodes) drawName(context, view, scene, node);
}

export function placeOf(view: View, { x, y }: { x: number; y: number }): [number, number] {
  return [view.width / 2 + (x - view.x) * view.scale, view.height / 2 + (y - view.y) * view.scale];
}

function drawLinks(context: CanvasRenderingContext2D, view: View, scene: Scene, now: number): void {
  const { links, layout, colors, chosen, pointed } = scene;
  const focus = pointed ?? chosen;
  const crowd = Math.max(0.16, Math.min(0.75, 60 / Math.max(1, links.length)));
  for (const link of links) {
    const [from, to] = [layout.nodes.get(link.from), layout.nodes.get(link.to)];
    if (!from || !to) continue;
    const isNear = focus !== undefined && (link.from === focus || link.to === focus);
    const isDim =
      (focus !== undefined && !isNear) || isFiltered(scene, link.from) || isFiltered(scene, link.to);
    let alpha = isNear ? 1 : crowd;
    if (isDim) alpha = crowd * 0.25;
    const busy = Math.min(1, Math.log10(1 + link.traffic) / 7);
    context.strokeStyle = speedColor(
      colors,
      link.roundTrip ?? 0.3,
      link.roundTrip === undefined ? alpha * 0.5 : alpha,
    );
    context.lineWidth = (isNear ? 1.6 : 1) + 2.4 * busy * (links.length > MOVING ? 0.6 : 1);
    const isWell = link.state === 'open';
    if (!isWell) context.strokeStyle = withAlpha(link.state === 'suspect' ? colors.bad : colors.warn, 0.9);
    context.setLineDash(isWell ? [] : [5, 5]);
    line(context, placeOf(view, from), placeOf(view, to));
    if (isWell && !isDim && !scene.calm && links.length <= MOVING && link.traffic > 100)
      drawTraffic(context, view, [from, to], busy, now);
  }
  context.setLineDash([]);
}

/** Dots that run along a connection with traffic. */
function drawTraffic(
  context: CanvasRenderingContext2D,
  view: View,
  [from, to]: [Node, Node],
  busy: number,
  now: number,
): void {
  const [[x1, y1], [x2, y2]] = [placeOf(view, from), placeOf(view, to)];
  const length = Math.hypot(x2 - x1, y2 - y1);
  const dots = Math.max(1, Math.round(busy * 4));
  context.fillStyle = context.strokeStyle;
  for (let dot = 0; dot < dots; dot += 1) {
    const way = ((now * (0.03 + 0.05 * busy)) / length + dot / dots) % 1;
    circle(context, x1 + (x2 - x1) * way, y1 + (y2 - y1) * way, 2.2);
    context.fill();
  }
}

function drawNode(
  context: CanvasRenderingContext2D,
  view: View,
  scene: Scene,
  node: Node,
  now: number,
): void {
  const peer = scene.peers.get(node.id);
  if (!peer) return;
  const { colors, chosen, pointed } = scene;
  const [x, y] = placeOf(view, node);
  const radius = radiusOf(scene.layout.nodes.size);
  const color = scene.kinds.get(peer.group) ?? colors.muted;
  const isShown = scene.shows(peer);
  context.globalAlpha = isShown ? 1 : 0.18;
  const age = now - (scene.born.get(node.id) ?? 0);
  if (age < BIRTH && !scene.calm) {
    context.strokeStyle = withAlpha(color, 1 - age / BIRTH);
    context.lineWidth = 2;
    circle(context, x, y, radius + (age / BIRTH) * 26);
    context.stroke();
  }
  const isWell = peer.state === 'live' || peer.state === 'new';
  context.fillStyle = colors.surface;
  circle(context, x, y, radius + 3);
  context.fill();
  context.fillStyle = isWell ? withAlpha(color, colors.dark ? 0.85 : 0.9) : withAlpha(colors.muted, 0.35);
  circle(context, x, y, radius - 1.5);
  context.fill();
  drawRing(context, peer, colors, [x, y], radius);
  if (node.id === chosen || node.id === pointed) {
    context.strokeStyle = colors.text;
    context.lineWidth = 2;
    circle(context, x, y, radius + 5);
    context.stroke();
  }
  if (peer.hub) {
    context.fillStyle = colors.surface;
    circle(context, x, y, radius * 0.34);
    context.fill();
  }
  context.globalAlpha = 1;
}

/** The ring around a peer is how busy its event loop is; a dashed one says that nothing comes from it. */
function drawRing(
  context: CanvasRenderingContext2D,
  { state, load }: FleetPeer,
  colors: Palette,
  [x, y]: [number, number],
  radius: number,
): void {
  if (state === 'silent' || state === 'unseen') {
    context.strokeStyle = state === 'silent' ? colors.bad : colors.muted;
    context.setLineDash([4, 4]);
    context.lineWidth = 2.5;
    circle(context, x, y, radius + 2);
    context.stroke();
    context.setLineDash([]);
    return;
  }
  const busy = Math.max(0, Math.min(1, load?.busy ?? 0));
  if (busy < 0.02) return;
  context.strokeStyle = busy > 0.85 ? colors.bad : colors.text;
  context.lineWidth = radius > 8 ? 2.5 : 1.5;
  context.beginPath();
  context.arc(x, y, radius + 1.5, -Math.PI / 2, -Math.PI / 2 + busy * 2 * Math.PI);
  context.stroke();
}

function drawName(context: CanvasRenderingContext2D, view: View, scene: Scene, node: Node): void {
  const peer = scene.peers.get(node.id);
  if (!peer) return;
  const { chosen, pointed, colors, layout } = scene;
  const isFocus = node.id === chosen || node.id === pointed;
  if ((layout.nodes.size > NAMED && !isFocus) || (!isFocus && !scene.shows(peer))) return;
  const [x, y] = placeOf(view, node);
  const below = y + radiusOf(layout.nodes.size) + 17;
  context.textAlign = 'center';
  context.lineJoin = 'round';
  context.lineWidth = 4;
  context.strokeStyle = colors.surface;
  write(context, shortened(plain(peer.name)), x, below, `600 12px ${FONT}`, colors.text);
  const calls = peer.ran + peer.made;
  const told = peer.state === 'silent' ? 'silent' : `${number(calls)} ${calls === 1 ? 'call' : 'calls'}/s`;
  if (calls > 0 || peer.state === 'silent') {
    const color = peer.state === 'silent' ? colors.bad : colors.muted;
    write(context, told, x, below + 14, `11px ${FONT}`, color);
  }
}

const FONT = 'system-ui, "Segoe UI", Roboto, "Liberation Sans", sans-serif';

function shortened(name: string): string {
  return name.length > 24 ? `${name.slice(0, 22)}…` : name;
}

function drawClusters(context: CanvasRenderingContext2D, view: View, { layout, colors }: Scene): void {
  context.textAlign = 'center';
  context.lineWidth = 4;
  context.strokeStyle = colors.surface;
  for (const { text, x, y } of layout.labels) {
    const [left, top] = placeOf(view, { x, y });
    const below = top + radiusOf(layout.nodes.size) + (layout.nodes.size > NAMED ? 22 : 52);
    write(
      context,
      shortened(plain(text)),
      left,
      Math.min(below, view.height - 6),
      `12px ${FONT}`,
      colors.muted,
    );
  }
}

/** Peers that have just left: a cross that fades. */
function drawGhosts(context: CanvasRenderingContext2D, view: View, scene: Scene, now: number): void {
  const { ghosts, graves, colors, layout } = scene;
  const radius = radiusOf(layout.nodes.size);
  for (const [id, { at, peer }] of ghosts) {
    const place = graves.get(id);
    const left = 1 - (now - at) / GHOST;
    if (!place || left <= 0) continue;
    const [x, y] = placeOf(view, place);
    context.strokeStyle = withAlpha(colors.bad, Math.min(1, left * 1.5));
    context.lineWidth = 2.5;
    context.setLineDash([]);
    circle(context, x, y, radius + 2);
    context.stroke();
    const arm = radius * 0.5;
    line(context, [x - arm, y - arm], [x + arm, y + arm]);
    line(context, [x - arm, y + arm], [x + arm, y - arm]);
    context.textAlign = 'center';
    context.globalAlpha = Math.min(1, left * 1.5);
    context.strokeStyle = colors.surface;
    context.lineWidth = 4;
    write(context, `${shortened(plain(peer.name))} left`, x, y + radius + 17, `600 12px ${FONT}`, colors.bad);
    context.globalAlpha = 1;
  }
}

function write(
  context: CanvasRenderingContext2D,
  text: string,
  x: number,
  y: number,
  font: string,
  color: string,
): void {
  context.font = font;
  context.strokeText(text, x, y);
  context.fillStyle = color;
  context.fillText(text, x, y);
}

function isFiltered(scene: Scene, id: string): boolean {
  const peer = scene.peers.get(id);
  return peer === undefined || !scene.shows(peer);
}

function circle(context: CanvasRenderingContext2D, x: number, y: number, radius: number): void {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
}

function line(
  context: CanvasRenderingContext2D,
  [x1, y1]: [number, number],
  [x2, y2]: [number, number],
): void {
  context.beginPath();
  context.moveTo(x1, y1);
  context.lineTo(x2, y2);
  context.stroke();
}

/** @param color as `#rrggbb` */
function withAlpha(color: string, alpha: number): string {
  return `${color}${Math.round(Math.max(0, Math.min(1, alpha)) * 255)
    .toString(16)
    .padStart(2, '0')}`;
}
