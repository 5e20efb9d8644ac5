import type { ActorLogic, ActorRefFrom } from 'xstate';

import type { Clock } from '../base/clock.ts';
import { contained } from '../base/contained.ts';
import type { Link } from './link.ts';
import { LiveSnapshot } from '../base/live-snapshot.ts';
import type { LivenessMessage } from './messages.ts';

/**
 * Watches every open link of this peer for signs of life, with one timer for all of them. Any byte proves life: each
 * look compares how much has arrived with the look before, so that a call costs nothing and an idle link two
 * numbers. Who is silent is asked; who stays silent is reported to its connection, which dials to find out.
 *
 * Silence is counted in looks, not in time. When this process itself was stopped, suspended or busy, its next look is
 * late, and a late look counts nothing: what it missed is still in the sockets, and is read before the next one.
 */

/** How many looks there are in the time after which a silent peer is asked. */
const LOOKS_PER_PING = 4;

/** A lag of this many looks is a stall: others may have given this process up meanwhile. */
const STALL = 2;

/** Looks of which the lag is remembered. */
const REMEMBERED = 32;

export interface LivenessContext {
  /** Links that are watched. */
  watched: number;
  /** Links that were silent for too long. */
  suspect: number;
  /** The longest that a look of the last seconds was late, in ms: how far this process' judgement goes. */
  readonly lag: number;
  /** Whether this process was stopped, suspended or busy for long, a moment ago. */
  readonly stalled: boolean;
  /** What is known about a link that is watched. */
  findings(link: Link): { silent: number; ownLag: number };
}

export interface LivenessInput {
  clock: Clock;
  /** Silence after which a peer is asked for a sign of life, in ms. */
  ping: number;
  /** Silence after which it is suspect, in ms. */
  suspect: number;
}

export type LivenessLogic = ActorLogic<LiveSnapshot<LivenessContext>, LivenessMessage, undefined>;
export type LivenessRef = ActorRefFrom<LivenessLogic>;

export function createLivenessLogic(input: LivenessInput): LivenessLogic {
  const liveness = new Liveness(input);
  const logic: LivenessLogic = {
    getInitialSnapshot: () => liveness.snapshot,
    getPersistedSnapshot: (snapshot) => snapshot,
    transition: (snapshot, message) => {
      liveness.receive(message);
      return snapshot;
    },
  };
  return contained(logic, (error, { link }) => link.fail(error));
}

class Liveness {
  readonly snapshot: LiveSnapshot<LivenessContext>;
  readonly #clock: Clock;
  /** Between two looks, in ms. */
  readonly #interval: number;
  /** Looks without a byte after which a link is suspect. */
  readonly #mostSilent: number;
  readonly #links = new Set<Link>();
  /** How late the last looks were, in ms; a ring. */
  readonly #lags = new Float64Array(REMEMBERED);
  #looks = 0;
  #wasLate = false;
  /** When the next look is due, on the clock. */
  #due = Infinity;
  #timer: unknown;

  constructor({ clock, ping, suspect }: LivenessInput) {
    this.#clock = clock;
    this.#interval = ping / LOOKS_PER_PING;
    this.#mostSilent = Math.ceil(suspect / this.#interval);
    const links = this.#links;
    const worstLag = (looks: number): number => this.#worstLag(looks);
    const stall = STALL * this.#interval;
    this.snapshot = new LiveSnapshot<LivenessContext>({
      get watched() {
        return links.size;
      },
      suspect: 0,
      get lag() {
        return worstLag(LOOKS_PER_PING);
      },
      get stalled() {
        return worstLag(LOOKS_PER_PING) > stall;
      },
      findings: (link) => this.#findings(link),
    });
  }

  receive(message: LivenessMessage | { type: 'xstate.stop' }): void {
    switch (message.type) {
      case 'link.opened':
        message.link.heard = message.link.socket.received;
        this.#links.add(message.link);
        if (this.#timer === undefined) this.#wait();
        break;
      case 'link.closed':
        if (message.link.suspect) this.snapshot.context.suspect -= 1;
        this.#links.delete(message.link);
        if (this.#links.size === 0) this.#rest();
        break;
      case 'xstate.stop':
        this.#links.clear();
        this.#rest();
        this.snapshot.status = 'stopped';
        break;
    }
  }

  #wait(): void {
    this.#due = this.#clock.now() + this.#interval;
    this.#timer = this.#clock.setTimeout(() => this.#look(), this.#interval);
  }

  /** Nobody is there to be watched. */
  #rest(): void {
    this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#due = Infinity;
  }

  #look(): void {
    const late = this.#overdue();
    this.#lags[this.#looks % REMEMBERED] = late;
    this.#looks += 1;
    const isLate = late > this.#interval;
    // Between two looks the sockets are read; so of two late looks in a row the second one is to be believed.
    const counts = !isLate || this.#wasLate;
    this.#wasLate = isLate;
    this.#wait();
    for (const link of [...this.#links]) {
      try {
        this.#lookAt(link, counts);
      } catch (error) {
        link.fail(error);
      }
    }
  }

  #lookAt(link: Link, counts: boolean): void {
    const { received } = link.socket;
    if (received !== link.heard) {
      link.heard = received;
      link.silentLooks = 0;
      this.#trust(link);
      return;
    }
    if (counts) link.silentLooks += 1;
    if (!counts || isTimeToAsk(link.silentLooks)) link.socket.ping();
    if (link.silentLooks >= this.#mostSilent) this.#doubt(link);
  }

  #trust(link: Link): void {
    if (!link.suspect) return;
    link.suspect = false;
    this.snapshot.context.suspect -= 1;
    link.owner?.heard();
  }

  #doubt(link: Link): void {
    if (!link.suspect) {
      link.suspect = true;
      this.snapshot.context.suspect += 1;
      link.owner?.silent();
    } else if (link.silentLooks >= 2 * this.#mostSilent && link !== link.record.link) {
      // One that no dial decides about: it only had to finish what ran on it.
      link.socket.terminate();
    }
  }

  #findings(link: Link): { silent: number; ownLag: number } {
    const since = Math.min(this.#interval, this.#clock.now() - (this.#due - this.#interval));
    const silent = link.socket.received === link.heard ? link.silentLooks * this.#interval + since : 0;
    return { silent, ownLag: this.#worstLag(link.silentLooks + 1) };
  }

  #worstLag(looks: number): number {
    let worst = this.#overdue();
    for (let back = 1; back <= Math.min(looks, this.#looks, REMEMBERED); back += 1) {
      worst = Math.max(worst, this.#lags[(this.#looks - back) % REMEMBERED]!);
    }
    return worst;
  }

  #overdue(): number {
    return Math.max(0, this.#clock.now() - this.#due);
  }
}

/**
 * At 1, 2, 4, 8 … times the silence after which a peer is asked. One question lies in the socket of a peer that is busy as well
 * as sixty do; and there are WebSocket libraries that end a connection when they find more than that at once.
 */
function isTimeToAsk(silentLooks: number): boolean {
  const times = silentLooks / LOOKS_PER_PING;
  return Number.isInteger(times) && (times & (times - 1)) === 0;
}
