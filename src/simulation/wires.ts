import { DialFailed } from '../transport/transport.ts';
import type { Address } from '../transport/address.ts';
import type { DialOptions, Listener, Socket, Transport } from '../transport/transport.ts';
import type { Direction } from './lane.ts';
import type { Life } from './life.ts';
import { Pair } from './sockets.ts';
import type { Owner, Timeline } from './timeline.ts';
import type { Trace } from './trace.ts';

/** The host of all addresses. They look like those of real sockets, so that no other code has to know the difference. */
const HERE = '127.0.0.1';

/** What is wrong between two processes, in one direction. Faults overlap, so each is counted. */
class Way implements Direction {
  cuts = 0;
  holds = 0;
  /** Added to the latency, in ms. */
  delay = 0;
  readonly #latency: () => number;

  constructor(latency: () => number) {
    this.#latency = latency;
  }

  get isHeld(): boolean {
    return this.holds > 0;
  }

  latency(): number {
    return this.#latency() + this.delay;
  }
}

/** A dial that has not been answered. */
interface Knock {
  try(): void;
}

export interface WiresInput {
  readonly timeline: Timeline;
  readonly trace: Trace;
  /** Owner of what no process does. */
  readonly network: Owner;
  /** How long a message takes, in ms; asked for each. */
  readonly latency: () => number;
}

/** The connections of all processes of a world, and the network between them. */
export class Wires {
  readonly timeline: Timeline;
  readonly trace: Trace;
  readonly #input: WiresInput;
  readonly #ways = new Map<string, Way>();
  readonly #listeners = new Map<number, { life: Life; accept: (socket: Socket) => void }>();
  /** Who listened at which port, also in the past. */
  readonly #owners = new Map<number, Life>();
  readonly #pairs = new Set<Pair>();
  readonly #knocks = new Set<Knock>();
  #connections = 0;

  constructor(input: WiresInput) {
    this.#input = input;
    this.timeline = input.timeline;
    this.trace = input.trace;
  }

  transport(life: Life): Transport {
    return {
      listen: (_, accept) => Promise.resolve(this.#listen(life, accept)),
      dial: (address, options) => this.#dial(life, address, options),
    };
  }

  direction(from: string, to: string): Way {
    const key = `${from} ${to}`;
    const known = this.#ways.get(key) ?? new Way(this.#input.latency);
    this.#ways.set(key, known);
    return known;
  }

  /** Breaks the connections between the two, and refuses new ones. Returns the function that ends this. */
  cut(a: string, b: string): () => void {
    const ways = [this.direction(a, b), this.direction(b, a)];
    for (const way of ways) way.cuts += 1;
    for (const pair of this.#pairs) if (pair.joins(a, b)) pair.break();
    this.#tidy();
    this.#retry();
    return once(() => {
      for (const way of ways) way.cuts -= 1;
    });
  }

  /** Holds back what goes from the one to the other. Returns the function that ends this. */
  hold(from: string, to: string): () => void {
    const way = this.direction(from, to);
    way.holds += 1;
    return once(() => {
      way.holds -= 1;
      if (way.isHeld) return;
      for (const pair of this.#pairs) if (pair.joins(from, to)) pair.resume();
      this.#retry();
    });
  }

  /** Slows both directions down. Returns the function that ends this. */
  delay(a: string, b: string, milliseconds: number): () => void {
    const ways = [this.direction(a, b), this.direction(b, a)];
    for (const way of ways) way.delay += milliseconds;
    return once(() => {
      for (const way of ways) way.delay -= milliseconds;
    });
  }

  /** The system of a process that was killed closes everything of it. */
  kill(life: Life): void {
    for (const [port, listener] of this.#listeners) if (listener.life === life) this.#listeners.delete(port);
    for (const pair of this.#pairs) pair.bury(life);
    this.#tidy();
    this.#retry();
  }

  #listen(life: Life, accept: (socket: Socket) => void): Listener {
    const port = this.#owners.size + 1;
    this.#owners.set(port, life);
    this.#listeners.set(port, { life, accept });
    return {
      addresses: [{ host: HERE, port }],
      close: () => {
        this.#listeners.delete(port);
        return Promise.resolve();
      },
    };
  }

  #dial(from: Life, { port }: Address, { signal }: DialOptions): Promise<Socket> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason as Error);
        return;
      }
      const { timeline } = this;
      const to = this.#owners.get(port);
      const names = [from.name, to?.name ?? from.name] as const;
      const [there, back] = [this.direction(...names), this.direction(names[1], names[0])];
      let pair: Pair | undefined;
      let isOver = false;
      const end = (): boolean => {
        const wasOver = isOver;
        isOver = true;
        this.#knocks.delete(knock);
        signal?.removeEventListener('abort', abort);
        return !wasOver;
      };
      const abort = (): void => {
        if (!end()) return;
        pair?.dialler.terminate();
        reject(signal!.reason as Error);
      };
      const fail = (why: string, isRefused: boolean): void => {
        this.#knocks.delete(knock);
        this.trace.add(timeline.now, 'wire', names[1], `dial: ${why}`, from.name);
        const answer = (): void => {
          if (end()) reject(new DialFailed(`127.0.0.1:${port} ${why}`, isRefused));
        };
        timeline.after(back.latency(), from, answer, true);
      };
      const open = (): void => {
        const listener = this.#listeners.get(port);
        if (isOver || pair) return;
        if (!listener) {
          fail('refuses connections', true);
          return;
        }
        this.#knocks.delete(knock);
        this.#tidy();
        this.#connections += 1;
        pair = new Pair(this, this.#connections, from, listener.life);
        this.#pairs.add(pair);
        this.trace.add(timeline.now, 'wire', listener.life.name, 'connection', from.name);
        listener.accept(pair.acceptor);
        const answer = (): void => {
          if (end()) resolve(pair!.dialler);
        };
        timeline.after(back.latency(), from, answer, true);
      };
      const attempt = (): void => {
        if (isOver || pair) return;
        if (there.cuts > 0) fail('cannot be reached', false);
        else if (there.isHeld || back.isHeld) return;
        else if (!this.#listeners.has(port)) fail('refuses connections', true);
        else timeline.after(0, to!, open, true);
      };
      const knock: Knock = { try: attempt };
      this.#knocks.add(knock);
      signal?.addEventListener('abort', abort, { once: true });
      timeline.after(there.latency(), this.#input.network, attempt, true);
    });
  }

  /** Something changed: dials that hang may go on. */
  #retry(): void {
    for (const knock of this.#knocks) this.timeline.after(0, this.#input.network, () => knock.try(), true);
  }

  #tidy(): void {
    for (const pair of this.#pairs) if (pair.isOver) this.#pairs.delete(pair);
  }
}

function once(run: () => void): () => void {
  let isDone = false;
  return () => {
    if (!isDone) run();
    isDone = true;
  };
}
