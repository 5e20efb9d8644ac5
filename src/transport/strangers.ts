import type { Socket as NetSocket } from 'node:net';

import { afterAwake } from '../base/time/awake.ts';
import { systemClock } from '../base/time/clock.ts';
import { HANDSHAKE_TIME } from '../wire/handshake/handshake.ts';
import { sourceOf } from './source.ts';

/**
 * At most this many connections may be in the middle of a handshake, and as many again may not even have asked for a WebSocket.
 * If there are more, the oldest connection of the source that has most is closed.
 */
export const MOST_STRANGERS = 64;

interface Stranger {
  readonly remote: string;
  readonly stopTimer: () => void;
}

/**
 * The connections that have not proved themselves. Each gets the time of one handshake in total, whatever it does in that time.
 * Connections that are merely open and connections in a handshake are counted apart, so that one kind cannot displace the other.
 */
export class Strangers {
  /** Those that have not asked for a WebSocket, in the order of their arrival. */
  readonly #silent = new Map<NetSocket, Stranger>();
  /** Those that have, in the order in which they asked. */
  readonly #talking = new Map<NetSocket, Stranger>();
  #checking = false;

  enter(tcp: NetSocket): void {
    const stopTimer = afterAwake(systemClock, HANDSHAKE_TIME, () => tcp.destroy());
    this.#silent.set(tcp, { remote: tcp.remoteAddress ?? '', stopTimer });
    tcp.once('close', () => this.leave(tcp));
    this.#checkSoon();
  }

  /** Call when the connection has asked for a WebSocket and was admitted. */
  talks(tcp: NetSocket): void {
    const stranger = this.#silent.get(tcp);
    if (!stranger) return;
    this.#silent.delete(tcp);
    this.#talking.set(tcp, stranger);
    this.#checkSoon();
  }

  /** Call when the connection has proved itself, or is closed. */
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
   * Checks after two turns of the event loop. Many connections are accepted in one turn, before any of them is read. An honest
   * peer among them may have sent something already, and that must be read first.
   */
  #checkSoon(): void {
    if (this.#checking) return;
    this.#checking = true;
    // Reading begins in the first turn, and is done in the second.
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

/** The connections beyond the limit: each time the oldest one of the source that has most. */
function tooMany(strangers: ReadonlyMap<NetSocket, Stranger>): NetSocket[] {
  const over = strangers.size - MOST_STRANGERS;
  if (over <= 0) return [];
  const bySource = new Map<string, NetSocket[]>();
  for (const [tcp, { remote }] of strangers) {
    const source = sourceOf(remote);
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
