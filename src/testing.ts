/// <reference types="node" preserve="true" />

/**
 * For tests of code that uses app-net: peers of one process on a network in memory, with faults on demand, and
 * with whatever clock the test likes.
 */

import { MemoryBoard } from './providers/memory.ts';
import type { Attachment, Network, NetworkUser } from './providers/network.ts';
import { MemoryWires } from './transport/memory.ts';
import { makeSecret } from './wire/secret.ts';

export type { Network } from './providers/network.ts';
export type { Clock } from './base/clock.ts';

/** One end of a fault: a peer of this network, or its id. */
export type Node = string | { readonly id: string };

export interface MemoryNetworkOptions {
  /** How long a message is on its way, in ms of the sender's clock. Default: 0, the next turn of the event loop. */
  latency?: number;
}

/**
 * A network without sockets and files. Peers on it run the same handshake, wire and actors as on a real one.
 *
 * @example
 * const network = new MemoryNetwork();
 * const a = createPeer({ name: 'a', network });
 * const b = createPeer({ name: 'b', network });
 * await Promise.all([a.start(), b.start()]);
 * network.cut(a, b); // each sees the other leave with 'lost'
 * network.heal(a, b); // and join again
 */
export class MemoryNetwork implements Network {
  readonly #wires: MemoryWires;
  readonly #board = new MemoryBoard();
  readonly #secret = makeSecret();

  constructor({ latency = 0 }: MemoryNetworkOptions = {}) {
    this.#wires = new MemoryWires(latency);
  }

  /** How long a message is on its way, in ms. */
  get latency(): number {
    return this.#wires.latency;
  }

  set latency(milliseconds: number) {
    this.#wires.latency = milliseconds;
  }

  /** Breaks every connection between the two, and lets none come about until `heal`. */
  cut(a: Node, b: Node): void {
    this.#wires.cut(idOf(a), idOf(b));
  }

  /** Holds back every message between the two until `heal`. Their connections stay open. */
  stall(a: Node, b: Node): void {
    this.#wires.stall(idOf(a), idOf(b));
  }

  /** Ends a cut or a stall. What was stalled arrives; cut peers find each other again by themselves. */
  heal(a: Node, b: Node): void {
    this.#wires.heal(idOf(a), idOf(b));
  }

  /** What the others see of it is as if its process had been killed. The peer itself still has to be stopped. */
  kill(node: Node): void {
    this.#board.kill(idOf(node));
    this.#wires.kill(idOf(node));
  }

  /** For the peers; tests have no need of it. */
  attach({ id, clock }: NetworkUser): Attachment {
    return {
      transport: this.#wires.transport(id, clock),
      providers: [this.#board.provider()],
      secret: () => Promise.resolve(this.#secret),
    };
  }
}

function idOf(node: Node): string {
  return typeof node === 'string' ? node : node.id;
}
