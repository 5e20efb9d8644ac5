import type { ActorLogic, ActorRefFrom } from 'xstate';

import type { Clock } from '../base/time/clock.ts';
import { contained } from '../base/contained.ts';
import type { Link } from './link/link.ts';
import { LiveSnapshot } from '../base/process/live-snapshot.ts';
import { processorWait } from '../base/process/processor-wait.ts';
import type { LivenessMessage } from './messages.ts';

/**
 * Watches every open link of this peer for signs of life, with one timer for all of them. Any byte proves life: each check
 * ("look") compares how much has arrived with the look before. So a call costs nothing, and an idle link costs two numbers. A
 * silent peer gets a ping. If it stays silent, it is reported to its connection, which dials it again to find out.
 *
 * Silence is counted in looks, not in time. If this process was stopped, suspended or busy, its next look is late, and a late
 * look does not count: the bytes that it missed are still in the sockets, and are read before the next look. After a longer lag these
 * bytes prove nothing: until more has come, the link counts as unproved, and this peer vouches for nobody by it.
 *
 * On an overloaded host all are late. So a peer is given as much more time as this process was late lately, and as the peer's own
 * process has waited for a processor.
 */

/** Number of looks in the time after which a silent peer gets a ping. */
const LOOKS_PER_PING = 4;

/** A lag of this many looks is a stall: other peers may have given this process up meanwhile. */
const STALL = 2;

/** After a lag of this many looks, which is as long as a living peer is silent, a link has to prove itself again. */
const UNPROVED = LOOKS_PER_PING;

/** Looks that find something: the first may find what has waited, the second the answer to a ping. */
const PROOF = 2;

/** A process that waits for a processor all the time is given so much more, in ms, and not for ever: it may hang, too. */
const LONGEST_WAIT = 30_000;

/** The lag of this many last looks is remembered. */
const REMEMBERED = 32;

export interface LivenessContext {
  /** Links that are watched. */
  watched: number;
  /** Links that were silent for too long. */
  suspect: number;
  /** The longest lag of a look in the last seconds, in ms. It tells how far this process can judge others. */
  readonly lag: number;
  /** Whether this process was stopped, suspended or busy for long, just now. */
  readonly stalled: boolean;
  /** The findings about a watched link. */
  findings(link: Link): { silent: number; ownLag: number };
}

export interface LivenessInput {
  clock: Clock;
  /** Silence after which a peer gets a ping, in ms. */
  ping: number;
  /** Silence after which a peer is suspect, in ms. */
  suspect: number;
  /** How long a process of this host has waited for a processor. Default: as the system says. */
  waited?: typeof processorWait;
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
  /** Time between two looks, in ms. */
  readonly #interval: number;
  /** Looks without a byte after which a link is suspect. */
  readonly #mostSilent: number;
  readonly #waited: typeof processorWait;
  readonly #links = new Set<Link>();
  /** By link that is silent: how long its process had waited for a processor when it was asked first. */
  readonly #waits = new WeakMap<Link, number>();
  /** The lags of the last looks, in ms; a ring buffer. */
  readonly #lags = new Float64Array(REMEMBERED);
  #looks = 0;
  #wasLate = false;
  /** When the next look is due, on the clock. */
  #due = Infinity;
  #timer: unknown;

  constructor({ clock, ping, suspect, waited = processorWait }: LivenessInput) {
    this.#clock = clock;
    this.#waited = waited;
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

  /** Stops the timer, because no link is left to watch. */
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
    // The sockets are read between two looks. So if two looks in a row are late, the second one counts.
    const counts = !isLate || this.#wasLate;
    const proof = late > UNPROVED * this.#interval ? PROOF : 0;
    this.#wasLate = isLate;
    this.#wait();
    for (const link of [...this.#links]) {
      try {
        if (proof > 0) link.unproved = proof;
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
      if (link.unproved > 0) this.#prove(link, counts);
      this.#trust(link);
      return;
    }
    if (counts) link.silentLooks += 1;
    if (!counts || isTimeToAsk(link.silentLooks)) link.socket.ping();
    if (link.silentLooks === LOOKS_PER_PING) this.#noteWait(link);
    if (link.suspect || this.#isSilent(link)) this.#doubt(link);
  }

  /** Whether it has been silent for too long, for all that is known of this process and of its own. */
  #isSilent(link: Link): boolean {
    let excess = link.silentLooks - this.#mostSilent;
    if (excess >= 0) excess -= Math.floor(this.#worstLag(REMEMBERED) / this.#interval);
    if (excess >= 0) excess -= Math.floor(this.#waitOf(link) / this.#interval);
    return excess >= 0;
  }

  #noteWait(link: Link): void {
    const { scope, pid, host } = link.record;
    const waited = scope === 'host' ? this.#waited(pid, host) : undefined;
    if (waited === undefined) this.#waits.delete(link);
    else this.#waits.set(link, waited);
  }

  /** How long its process has waited for a processor since it was asked for a sign of life, in ms. */
  #waitOf(link: Link): number {
    const before = this.#waits.get(link);
    if (before === undefined) return 0;
    const { pid, host } = link.record;
    return Math.min(Math.max(0, (this.#waited(pid, host) ?? before) - before), LONGEST_WAIT);
  }

  /** Something has arrived on a link that was unproved. */
  #prove(link: Link, counts: boolean): void {
    if (counts) link.unproved -= 1;
    if (link.unproved > 0) link.socket.ping();
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
      // No dial decides about this link, because it is not in use: it only had to finish its calls.
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
 * Whether to send a ping: at 1, 2, 4, 8 … times the silence of the first one. A busy peer finds one ping in its socket as well as
 * it finds sixty, and some WebSocket libraries close a connection on which they find more than sixty at once.
 */
function isTimeToAsk(silentLooks: number): boolean {
  const times = silentLooks / LOOKS_PER_PING;
  return Number.isInteger(times) && (times & (times - 1)) === 0;
}
