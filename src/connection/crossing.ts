import type { Clock } from '../base/time/clock.ts';
import type { EventsFrame } from '../wire/frames.ts';
import type { Link, PeerRecord } from './link/link.ts';

/**
 * How long frames wait for the end of the other link, in ms. Its goaway normally comes a moment later. If that link is dead and
 * nobody has noticed, waiting is no use.
 */
const LONGEST_WAIT = 1_000;

/** How many frames may wait. If there are more, they are all passed on. */
const MOST_WAITING = 1_024;

interface Waiting {
  frames: EventsFrame[];
  timer: unknown;
}

/**
 * Keeps the order of events while a pair has two links. Each side moves to the link that stays at its own moment, and sends
 * goaway on the other link first. So frames on the link that stays are passed on only after the goaway or the end of the other
 * link. Frames on the other link were sent earlier, and are passed on at once.
 */
export class CrossingLinks {
  readonly #clock: Clock;
  readonly #take: (link: Link, frames: readonly EventsFrame[]) => void;
  /** Called after `LONGEST_WAIT`. */
  readonly #overdue: (link: Link) => void;
  /** The open links of each peer, mostly one. */
  readonly #open = new Map<PeerRecord, readonly Link[]>();
  readonly #waiting = new Map<Link, Waiting>();

  constructor(
    clock: Clock,
    take: (link: Link, frames: readonly EventsFrame[]) => void,
    overdue: (link: Link) => void,
  ) {
    this.#clock = clock;
    this.#take = take;
    this.#overdue = overdue;
  }

  opened(link: Link): void {
    this.#open.set(link.record, this.#others(link).concat(link));
  }

  frames(link: Link, frames: readonly EventsFrame[]): void {
    const waiting = this.#waiting.get(link);
    if (waiting) {
      const room = MOST_WAITING - waiting.frames.length;
      if (frames.length > room) {
        this.release(link);
        this.#take(link, frames);
      } else {
        // Push one by one: the number of arguments of a call is limited.
        for (const frame of frames) waiting.frames.push(frame);
      }
    } else if (frames.length <= MOST_WAITING && this.#crossed(link)) {
      const timer = this.#clock.setTimeout(() => this.#overdue(link), LONGEST_WAIT);
      this.#waiting.set(link, { frames: [...frames], timer });
    } else {
      this.#take(link, frames);
    }
  }

  /** Call when the other side has sent goaway on this link. */
  left(link: Link): void {
    for (const each of this.#waiting.keys()) {
      if (each.record === link.record && !this.#crossed(each)) this.release(each);
    }
  }

  closed(link: Link): void {
    this.release(link);
    const others = this.#others(link);
    if (others.length > 0) this.#open.set(link.record, others);
    else this.#open.delete(link.record);
    this.left(link);
  }

  /** Passes on the frames that wait. */
  release(link: Link): void {
    const waiting = this.#waiting.get(link);
    if (!waiting) return;
    this.#waiting.delete(link);
    this.#clock.clearTimeout(waiting.timer);
    this.#take(link, waiting.frames);
  }

  stop(): void {
    for (const { timer } of this.#waiting.values()) this.#clock.clearTimeout(timer);
    this.#waiting.clear();
  }

  /**
   * Whether the other side may still send on a link that will not stay. It cannot if one side opened both links, or if one link
   * has a higher generation: the other link was given up for it, and is of no use any more.
   */
  #crossed(link: Link): boolean {
    for (const other of this.#open.get(link.record) ?? []) {
      const crosses = other.dialled !== link.dialled && other.generation === link.generation;
      if (crosses && other.leaving === 'duplicate' && !other.otherLeaving) return true;
    }
    return false;
  }

  /** The other links to the same peer. */
  #others(link: Link): Link[] {
    return (this.#open.get(link.record) ?? []).filter((each) => each !== link);
  }
}
