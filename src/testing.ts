/// <reference types="node" preserve="true" />

/**
 * Helpers for tests of code that uses app-net: peers of one process on a network in memory, with faults on demand, and
 * with a clock of your choice. Import from `app-net/testing`.
 *
 * @module app-net/testing
 */

import { runningPeers } from './peer/running-peers.ts';
import { MemoryBoard } from './providers/memory.ts';
import type { Attachment, Network, NetworkUser } from './providers/network.ts';
import { MemoryWires } from './transport/memory.ts';
import { makeSecret } from './wire/handshake/secret.ts';

export { simulate } from './simulation/simulate.ts';
export type { SimulationReport } from './simulation/tally.ts';
export type { SimulationOptions } from './simulation/options.ts';
export type { Faults } from './simulation/faults.ts';
export type { Fault } from './simulation/fault-player.ts';
export type { SimulatedPeerOptions } from './simulation/life.ts';
export { SimulationError } from './simulation/report.ts';
export { story } from './simulation/threads/story-module.ts';
export type { MakePeer, SimulatedNode, Simulation, Story } from './simulation/story.ts';
export type { Network } from './providers/network.ts';
export type { Clock } from './base/time/clock.ts';
export { SimulatedClock } from './base/time/simulated-clock.ts';

/**
 * One end of a fault: a peer on the network, or its id.
 *
 * @example
 * function flicker(network: MemoryNetwork, a: Node, b: Node) {
 *   network.cut(a, b);
 *   network.heal(a, b);
 * }
 */
export type Node = string | { readonly id: string };

/**
 * Options of `MemoryNetwork`.
 *
 * @example
 * const network = new MemoryNetwork({ latency: 20 });
 */
export interface MemoryNetworkOptions {
  /** How long a message takes, in ms of the sender's clock. Default: 0, it arrives in the next turn of the event loop. */
  latency?: number;
}

/**
 * A network without sockets and files. Peers on it run the same handshake, protocol and actors as on a real network.
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

  /** @param options the latency; a new network has no faults */
  constructor({ latency = 0 }: MemoryNetworkOptions = {}) {
    this.#wires = new MemoryWires(latency);
  }

  /** How long a message takes, in ms of the sender's clock. You can change it at any time. */
  get latency(): number {
    return this.#wires.latency;
  }

  /** Changes it. */
  set latency(milliseconds: number) {
    this.#wires.latency = milliseconds;
  }

  /** Breaks every connection between two peers, and prevents new ones until `heal`. */
  cut(a: Node, b: Node): void {
    this.#wires.cut(idOf(a), idOf(b));
  }

  /** Holds back every message between two peers until `heal`. Their connections stay open. */
  stall(a: Node, b: Node): void {
    this.#wires.stall(idOf(a), idOf(b));
  }

  /** Ends a cut or a stall. Messages that were held back arrive. Peers that were cut find each other again. */
  heal(a: Node, b: Node): void {
    this.#wires.heal(idOf(a), idOf(b));
  }

  /** Makes a peer look to the others as if its process had been killed. You still have to stop the peer itself. */
  kill(node: Node): void {
    this.#board.kill(idOf(node));
    this.#wires.kill(idOf(node));
  }

  /**
   * For peers; tests do not need it.
   * @hidden
   */
  attach({ id, clock }: NetworkUser): Attachment {
    return {
      transport: this.#wires.transport(id, clock),
      providers: [this.#board.provider()],
      secret: () => Promise.resolve(this.#secret),
    };
  }
}

/**
 * Stops every peer of this process at once, the default one included: those that a failed test left running would keep the
 * process alive. Calls that still run fail with `STOPPED` here, and with `CONNECTION_LOST` elsewhere. Call it in the hook
 * that runs after all tests, since the default peer cannot be started again. In node:test, that is an `after` inside a `describe`.
 *
 * @example
 * after(stopAll);
 */
export async function stopAll(): Promise<void> {
  // One that is made meanwhile is stopped, too.
  while (runningPeers.size > 0) {
    await Promise.all([...runningPeers].map((peer) => peer.stop({ drainTime: 0 })));
  }
}

function idOf(node: Node): string {
  return typeof node === 'string' ? node : node.id;
}
