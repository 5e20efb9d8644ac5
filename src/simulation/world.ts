import type { Network } from '../providers/network.ts';
import type { Peer } from '../peer/peer.ts';
import { makeSecret } from '../wire/handshake/secret.ts';
import { Board } from './board.ts';
import { EPOCH, Life } from './life.ts';
import type { SimulatedPeerOptions } from './life.ts';
import type { Actor, Loop } from './loop.ts';
import { between, seededFor } from './random.ts';
import { Timeline } from './timeline.ts';
import type { Entry } from './timeline.ts';
import type { Trace } from './trace.ts';
import { Wires } from './wires.ts';
import { places } from './virtual/place.ts';

/** What runs in the process of a peer, at each of its starts. */
export type Program = (peer: Peer) => unknown;

/** A name under which one process after the other may live. */
interface Slot {
  readonly name: string;
  readonly options: SimulatedPeerOptions;
  readonly program: Program | undefined;
  life: Life | undefined;
  lives: number;
  id: string;
  state: 'starting' | 'up' | 'down' | 'gone';
  readonly waiting: { readonly resolve: (peer: Peer) => void; readonly reject: (error: Error) => void }[];
}

export interface WorldInput {
  readonly seed: number;
  readonly latency: readonly [number, number];
  readonly trace: Trace;
  /** The loop needs the world, too, so it is made later. */
  readonly loop: () => Loop;
}

/** Everything that there is in one run of a story: time, processes, and the network between them. */
export class World {
  readonly seed: number;
  readonly run = { isOver: false };
  readonly timeline = new Timeline();
  readonly trace: Trace;
  readonly wires: Wires;
  /** The story itself, and the network: nothing freezes or kills them. */
  readonly story: Actor;
  readonly loop: () => Loop;
  readonly #slots = new Map<string, Slot>();
  readonly #board = new Board(this.timeline);
  readonly #secret: string;
  #processes = 0;

  constructor({ seed, latency, trace, loop }: WorldInput) {
    this.seed = seed;
    this.trace = trace;
    this.loop = loop;
    const { timeline } = this;
    const waitFor = <T>(work: () => Promise<T>): Promise<T> => this.#waitFor(this.story, work);
    this.story = {
      ...{ name: '', run: this.run, isDead: false, isFrozen: false, backlog: [] as Entry[], waitFor },
      random: seededFor(seed, 'story'),
      now: () => timeline.now,
      wall: () => EPOCH + Math.floor(timeline.now),
      after: (delay, run) => timeline.after(Math.max(0, delay), this.story, run),
      cancel: (entry) => timeline.cancel(entry),
    };
    const network = seededFor(seed, 'network');
    const latencyOf = (): number => between(network, latency);
    this.wires = new Wires({ timeline, trace, network: this.story, latency: latencyOf });
    this.#secret = places.run(this.story, makeSecret);
  }

  /** The processes that run, in the order in which they were first made. */
  living(): Life[] {
    return [...this.#slots.values()].flatMap(({ life, state }) => (life && state === 'up' ? [life] : []));
  }

  /** All that were made, for messages. */
  names(): string[] {
    return [...this.#slots.keys()];
  }

  /** Those that are gone for good, or down. */
  dead(): string[] {
    return [...this.#slots.values()].filter(({ life }) => !life || life.isDead).map(({ name }) => name);
  }

  /** Makes a process and its peer, or finds the one that has the name. Resolves once it runs. */
  peer(name: string, options: SimulatedPeerOptions | undefined, program: Program | undefined): Promise<Peer> {
    const known = this.#slots.get(name);
    if (known) {
      if (options !== undefined || program !== undefined)
        throw new Error(
          `there is a peer ${JSON.stringify(name)} already; give it its options once, where it is made`,
        );
      return this.#whenUp(known);
    }
    const slot: Slot = {
      ...{ name, options: options ?? {}, program, life: undefined, lives: 0, id: name },
      ...{ state: 'down', waiting: [] },
    };
    this.#slots.set(name, slot);
    const up = this.#whenUp(slot);
    this.#start(slot);
    return up;
  }

  /** @throws Error if there is no such process */
  life(name: string): Life {
    const life = this.#slots.get(name)?.life;
    if (!life) throw new Error(`there is no peer ${JSON.stringify(name)}; make it with peer()`);
    return life;
  }

  /** For good. */
  kill(name: string): void {
    const slot = this.#down(name);
    slot.state = 'gone';
    for (const { reject } of slot.waiting.splice(0)) reject(killed(slot));
  }

  /** Kills it, and starts it again after a pause, in ms. */
  restart(name: string, pause: number, isNew: boolean): Promise<Peer> {
    const slot = this.#down(name);
    if (isNew) slot.id = `${name}-${slot.lives + 1}`;
    this.timeline.after(pause, this.story, () => {
      if (slot.state === 'down') this.#start(slot);
    });
    return this.#whenUp(slot);
  }

  /** The real process forgets them all. */
  end(): void {
    this.run.isOver = true;
    for (const { life } of this.#slots.values()) life?.forget();
  }

  #down(name: string): Slot {
    const life = this.life(name);
    const slot = this.#slots.get(name)!;
    if (!life.isDead) {
      life.kill();
      this.wires.kill(life);
      this.#board.kill(life);
      this.trace.add(this.timeline.now, 'peer', name, 'is killed');
    }
    slot.state = 'down';
    return slot;
  }

  #whenUp(slot: Slot): Promise<Peer> {
    if (slot.state === 'up') return Promise.resolve(slot.life!.peer);
    if (slot.state === 'gone') return Promise.reject(killed(slot));
    return new Promise((resolve, reject) => slot.waiting.push({ resolve, reject }));
  }

  #start(slot: Slot): void {
    const { name, id, options, program } = slot;
    const { seed, timeline } = this;
    slot.lives += 1;
    slot.state = 'starting';
    this.#processes += 1;
    const life: Life = new Life({
      run: this.run,
      ...{ seed, name, id, number: slot.lives, options, timeline, pid: 1_000 + this.#processes },
      isRunning: (pid) => this.#isRunning(pid),
      network: (of) => this.#networkOf(of),
      unforeseen: (text) => this.loop().fail(new Error(text)),
      waitFor: (work) => this.#waitFor(life, work),
    });
    slot.life = life;
    this.trace.add(timeline.now, 'peer', name, `starts, id ${id}`);
    const crash = (error: unknown): void => {
      if (!life.isDead) this.loop().fail(error);
    };
    const up = (): void => {
      if (life.isDead) return;
      this.#follow(life);
      slot.state = 'up';
      for (const { resolve } of slot.waiting.splice(0)) resolve(life.peer);
    };
    places.run(life, () => {
      try {
        Promise.resolve(program?.(life.peer)).catch(crash);
        life.peer.start().then(up, crash);
      } catch (error) {
        crash(error);
      }
    });
  }

  #networkOf(life: Life): Network {
    return {
      attach: () => ({
        transport: this.wires.transport(life),
        providers: [this.#board.provider(life)],
        secret: () => Promise.resolve(this.#secret),
      }),
    };
  }

  #isRunning(pid: number): boolean {
    return [...this.#slots.values()].some(({ life }) => life && !life.isDead && life.pid === pid);
  }

  /** Joins and leaves are what people look for in a trace. */
  #follow({ name, peer }: Life): void {
    const { trace, timeline } = this;
    const all = peer.peers.of({ group: '*' });
    all.on('join', (other) => trace.add(timeline.now, 'peer', name, `sees ${other.id} join`));
    all.on('leave', (other, why) => trace.add(timeline.now, 'peer', name, `sees ${other.id} leave: ${why}`));
  }

  #waitFor<T>(actor: Actor, work: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.timeline.after(0, actor, () => {
        this.loop().pause(work, resolve, reject);
      });
    });
  }
}

function killed({ name }: Slot): Error {
  return new Error(`the process of ${name} was killed, and does not start again`);
}
