import type { Timeline, Owner } from './timeline.ts';

/** Bytes that a system keeps on their way before the sender has to wait. */
const SYSTEM_BUFFER = 64 * 1024;

/** What goes over a lane. */
export type Item =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'binary'; readonly data: Uint8Array }
  | { readonly type: 'ping' | 'pong' }
  /** The end of the connection, said by the side that closed it. */
  | { readonly type: 'close'; readonly code: number }
  /** The answer to `close`. */
  | { readonly type: 'closed'; readonly code: number }
  /** The other side is gone without a word. */
  | { readonly type: 'reset' };

/** How the network is between two processes, in one direction. */
export interface Direction {
  /** Nothing arrives; it is sent again once the direction is open. */
  readonly isHeld: boolean;
  /** How long a message takes now, in ms. */
  latency(): number;
}

/** One direction of one connection: items arrive in order. */
export class Lane {
  readonly #timeline: Timeline;
  readonly #direction: Direction;
  readonly #receiver: Owner;
  readonly #deliver: (item: Item) => void;
  readonly #items: Item[] = [];
  /** Arrivals that did not happen because the direction was held. Each delivers the first item that is on its way. */
  #missed = 0;
  #drained: (() => void)[] = [];
  /** No item arrives before the one before it. */
  #earliest = 0;
  #bytes = 0;
  #isOver = false;

  constructor(timeline: Timeline, direction: Direction, receiver: Owner, deliver: (item: Item) => void) {
    this.#timeline = timeline;
    this.#direction = direction;
    this.#receiver = receiver;
    this.#deliver = deliver;
  }

  /** Bytes that the sender could not hand to its system. */
  get bufferedAmount(): number {
    return Math.max(0, this.#bytes - SYSTEM_BUFFER);
  }

  send(item: Item): void {
    if (this.#isOver) return;
    this.#bytes += sizeOf(item);
    this.#items.push(item);
    this.#plan();
  }

  /** Calls back once nothing waits any more to be handed to the system. */
  whenDrained(callback: () => void): void {
    if (this.bufferedAmount === 0) callback();
    else this.#drained.push(callback);
  }

  /** The direction is open again. */
  resume(): void {
    for (; this.#missed > 0; this.#missed -= 1) this.#plan();
  }

  /** What is on its way is lost. */
  end(): void {
    this.#isOver = true;
    this.#items.length = 0;
    this.#drained = [];
  }

  #plan(): void {
    this.#earliest = Math.max(this.#earliest, this.#timeline.now + this.#direction.latency());
    this.#timeline.at(this.#earliest, this.#receiver, () => this.#arrive(), true);
  }

  #arrive(): void {
    if (this.#isOver) return;
    if (this.#direction.isHeld) {
      this.#missed += 1;
      return;
    }
    const item = this.#items.shift()!;
    this.#bytes -= sizeOf(item);
    if (this.#drained.length > 0 && this.bufferedAmount === 0) {
      for (const each of this.#drained.splice(0)) each();
    }
    this.#deliver(item);
  }
}

function sizeOf(item: Item): number {
  if (item.type === 'text') return item.text.length;
  return item.type === 'binary' ? item.data.length : 0;
}
