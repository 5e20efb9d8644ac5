import type { Socket as NetSocket } from 'node:net';

import { afterAwake } from '../base/awake.ts';
import { systemClock } from '../base/clock.ts';
import { HANDSHAKE_TIME } from '../wire/handshake.ts';
import { sourceOf } from './source.ts';

/**
 * Connections that have not proved anything yet, at most, and as many again that have not even asked for a WebSocket.
 * More than that close the oldest of whoever has most.
 */
export const MOST_STRANGERS = 64;

interface Stranger {
  readonly source: string;
  readonly stopTimer: () => void;
}

/**
 * Who is at the door. All in all each has the time of a handshake, whatever it does in it. Those that only hold a
 * connection open and those in the midst of a handshake do not push each other out.
 */
export class Strangers {
  /** In the order they came. */
  readonly #silent = new Map<NetSocket, Stranger>();
  /** In the order they asked for a WebSocket. */
  readonly #talking = new Map<NetSocket, Stranger>();
  #checking = false;

  enter(tcp: NetSocket): void {
    const stopTimer = afterAwake(systemClock, HANDSHAKE_TIME, () => tcp.destroy());
    this.#silent.set(tcp, { source: sourceOf(tcp.remoteAddress ?? ''), stopTimer });
    tcp.once('close', () => this.leave(tcp));
    this.#checkSoon();
  }

  /** It asked for a WebSocket, and is let in so far. */
  talks(tcp: NetSocket): void {
    const stranger = this.#silent.get(tcp);
    if (!stranger) return;
    this.#silent.delete(tcp);
    this.#talking.set(tcp, stranger);
    this.#checkSoon();
  }

  /** It has proved itself, or is gone. */
  leave(tcp: NetSocket): void {
    const stranger = this.#silent.get(tcp) ?? this.#talking.get(tcp);
    stranger?.stopTimer();
    this.#silent.delete(tcp);
    this.#talking.delete(tcp);
  }

  clear(): void {
    for (const tcp of [...this.#silent.keys(), ...this.#talking.keys()]) tcp.destroy();
  }

  /**
   * Many connections are accepted in one turn of the event loop, before any of them is read. What an honest peer among
   * them has said by then is read first.
   */
  #checkSoon(): void {
    if (this.#checking) return;
    this.#checking = true;
    // One turn to begin to read, and the next one to have read.
    setImmediate(() =>
      setImmediate(() => {
        this.#checking = false;
        for (const tcp of [...tooMany(this.#silent), ...tooMany(this.#talking)]) {
          this.leave(tcp);
          tcp.destroy();
        }
      }),
    );
  }
}

/** Those that are too many: of whichever source has most, the oldest. */
function tooMany(strangers: ReadonlyMap<NetSocket, Stranger>): NetSocket[] {
  const over = strangers.size - MOST_STRANGERS;
  if (over <= 0) return [];
  const bySource = new Map<string, NetSocket[]>();
  for (const [tcp, { source }] of strangers) {
    const all = bySource.get(source) ?? [];
    bySource.set(source, all);
    all.push(tcp);
  }
  const queues = [...bySource.values()];
  return Array.from({ length: over }, () => {
    const longest = queues.reduce((most, each) => (each.length > most.length ? each : most));
    return longest.shift()!;
  });
}
