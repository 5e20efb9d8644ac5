import type { Clock } from '../base/time/clock.ts';
import { Inbox } from './inbox.ts';
import { DialFailed } from './transport.ts';
import type { Address } from './address.ts';
import type { Listener, Receiver, Socket, Transport } from './transport.ts';

/** The host of all addresses. They look like those of real sockets, so that no other code has to know the difference. */
const HERE = '127.0.0.1';

/** A peer from its start on. Another life of it may follow under the same id. */
interface Life {
  readonly owner: string;
  isDead: boolean;
}

/**
 * Connections within one process, with the faults of real ones on demand. Messages arrive in order, and never within the call
 * that sent them.
 */
export class MemoryWires {
  /** How long a message takes, in ms. 0: until the next turn of the event loop. */
  latency: number;
  readonly #listeners = new Map<number, { owner: string; accept: (socket: Socket) => void }>();
  readonly #pairs = new Set<Pair>();
  readonly #cuts = new Set<string>();
  readonly #stalls = new Set<string>();
  /** The newest life of each owner. Whatever is left of one that was killed reaches nobody. */
  readonly #lives = new Map<string, Life>();
  #nextPort = 1;

  constructor(latency: number) {
    this.latency = latency;
  }

  /** The transport of one peer. */
  transport(owner: string, clock: Clock): Transport {
    const life: Life = { owner, isDead: false };
    this.#lives.set(owner, life);
    return {
      listen: (_, accept) => Promise.resolve(this.#listen(owner, accept)),
      dial: async (address, { signal }) => {
        signal?.throwIfAborted();
        await this.#pause(clock);
        signal?.throwIfAborted();
        return this.#dial(life, address, clock);
      },
    };
  }

  /** Breaks the connections between the two, and refuses new ones until `heal`. */
  cut(a: string, b: string): void {
    this.#cuts.add(pairName(a, b));
    for (const pair of this.#pairs) if (pair.joins(a, b)) pair.break();
  }

  /** Holds back every message between the two until `heal`. Their connections stay open. */
  stall(a: string, b: string): void {
    this.#stalls.add(pairName(a, b));
  }

  /** Ends `cut` and `stall`. Messages that were held back arrive. */
  heal(a: string, b: string): void {
    this.#cuts.delete(pairName(a, b));
    this.#stalls.delete(pairName(a, b));
    for (const pair of this.#pairs) if (pair.joins(a, b)) pair.deliver();
  }

  /** Removes everything of this peer, as a SIGKILL does. */
  kill(id: string): void {
    const life = this.#lives.get(id);
    if (life) life.isDead = true;
    for (const [port, { owner }] of this.#listeners) if (owner === id) this.#listeners.delete(port);
    for (const pair of this.#pairs) if (pair.of(id)) pair.break();
  }

  isStalled(a: string, b: string): boolean {
    return this.#stalls.has(pairName(a, b));
  }

  #listen(owner: string, accept: (socket: Socket) => void): Listener {
    const port = this.#nextPort;
    this.#nextPort += 1;
    this.#listeners.set(port, { owner, accept });
    return {
      addresses: [{ host: HERE, port }],
      close: () => {
        this.#listeners.delete(port);
        return Promise.resolve();
      },
    };
  }

  #dial({ owner, isDead }: Life, { port }: Address, clock: Clock): Socket {
    const listener = this.#listeners.get(port);
    if (!listener) throw new DialFailed(`nobody listens at memory:${port}`, true);
    if (isDead || this.#cuts.has(pairName(owner, listener.owner))) {
      throw new DialFailed(`memory:${port} cannot be reached`, false);
    }
    const pair = new Pair(this, owner, listener.owner, port, clock, () => this.#pairs.delete(pair));
    this.#pairs.add(pair);
    listener.accept(pair.acceptor);
    return pair.dialler;
  }

  #pause(clock: Clock): Promise<void> {
    return new Promise((resolve) => {
      if (this.latency > 0) clock.setTimeout(resolve, this.latency);
      else setImmediate(resolve);
    });
  }
}

function pairName(a: string, b: string): string {
  return a < b ? `${a} ${b}` : `${b} ${a}`;
}

/** The two ends of one connection. */
class Pair {
  readonly dialler: MemorySocket;
  readonly acceptor: MemorySocket;
  readonly wires: MemoryWires;
  readonly clock: Clock;
  readonly #a: string;
  readonly #b: string;
  readonly #gone: () => void;

  constructor(wires: MemoryWires, a: string, b: string, port: number, clock: Clock, gone: () => void) {
    this.wires = wires;
    this.clock = clock;
    this.#a = a;
    this.#b = b;
    this.#gone = gone;
    this.dialler = new MemorySocket(this, port);
    this.acceptor = new MemorySocket(this, port);
    this.dialler.other = this.acceptor;
    this.acceptor.other = this.dialler;
  }

  get stalled(): boolean {
    return this.wires.isStalled(this.#a, this.#b);
  }

  of(id: string): boolean {
    return this.#a === id || this.#b === id;
  }

  joins(a: string, b: string): boolean {
    return this.of(a) && this.of(b);
  }

  deliver(): void {
    this.dialler.deliver();
    this.acceptor.deliver();
  }

  break(): void {
    this.#gone();
    this.dialler.end(1006);
    this.acceptor.end(1006);
  }
}

type Item = { due: number } & (
  | { message: string | Uint8Array }
  | { code: number }
  | { sign: 'ping' | 'pong' }
);

class MemorySocket implements Socket {
  readonly binding;
  readonly scope = 'host';
  /** Counts items. */
  received = 0;
  other!: MemorySocket;
  readonly #pair: Pair;
  readonly #inbox = new Inbox();
  /** Items on their way to this end, in order. */
  readonly #arriving: Item[] = [];
  #closing = false;
  #ended = false;

  constructor(pair: Pair, port: number) {
    this.#pair = pair;
    this.binding = { kind: 'memory', data: Buffer.from(String(port)) };
  }

  get bufferedAmount(): number {
    return 0;
  }

  send(message: string, before: readonly Uint8Array[] = []): void {
    if (this.#closing) return;
    for (const binary of before) {
      // Copy, as a real wire does: the other side must not see later changes to the sender's memory.
      this.other.#expect({ due: this.#due(), message: Uint8Array.prototype.slice.call(binary) });
    }
    this.other.#expect({ due: this.#due(), message });
  }

  ping(): void {
    this.#signal('ping');
  }

  whenDrained(callback: () => void): void {
    setImmediate(callback);
  }

  receive(receiver: Receiver | undefined): void {
    this.#inbox.receive(receiver);
  }

  trust(): void {}

  close(code: number, _reason: string): void {
    if (this.#closing) return;
    this.#closing = true;
    this.other.#expect({ due: this.#due(), code });
  }

  terminate(): void {
    this.#pair.break();
  }

  /** The connection is gone, and nothing more arrives here. */
  end(code: number): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#closing = true;
    this.#arriving.length = 0;
    setImmediate(() => this.#inbox.closed(code));
  }

  /** Delivers the items that are due, unless they are held back. */
  deliver(): void {
    while (!this.#ended && !this.#pair.stalled && this.#arriving[0]) {
      const wait = this.#arriving[0].due - this.#pair.clock.now();
      if (wait > 0) {
        // A timer may fire a little early, measured with another clock.
        this.#schedule(wait);
        return;
      }
      const item = this.#arriving.shift()!;
      this.received += 1;
      if ('message' in item) {
        if (typeof item.message === 'string') this.#inbox.message(item.message);
        else this.#inbox.binary(item.message);
      } else if ('sign' in item) {
        if (item.sign === 'ping') this.#signal('pong');
      } else {
        this.end(item.code);
        this.other.end(item.code);
        this.#pair.break();
      }
    }
  }

  #signal(sign: 'ping' | 'pong'): void {
    if (!this.#closing) this.other.#expect({ due: this.#due(), sign });
  }

  #due(): number {
    return this.#pair.clock.now() + this.#pair.wires.latency;
  }

  #expect(item: Item): void {
    if (this.#ended) return;
    this.#arriving.push(item);
    this.#schedule(this.#pair.wires.latency);
  }

  #schedule(wait: number): void {
    if (wait > 0) this.#pair.clock.setTimeout(() => this.deliver(), wait);
    else setImmediate(() => this.deliver());
  }
}
