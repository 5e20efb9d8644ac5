import type { Clock } from '../../base/time/clock.ts';
import { isAmong } from '../../transport/address.ts';
import { addressesOf } from './candidate.ts';
import type { Candidate } from './candidate.ts';

/**
 * Decides which candidate is dialled next. Hints that anybody on the network may have sent can be lies, thousands of them, and
 * each would cost somebody a connection. So only a few of them are dialled per second. A dial that led to a peer does not count,
 * so there is no wait on a network without lies. A dial to a peer that was there before does not count either.
 */

/**
 * Dials for trusted hints that may have just begun at the same time. More would not be faster, and a hundred peers that start at
 * once would flood each other with strangers.
 */
const MOST_DIALS = 16;

/** A live peer answers within this time, in ms. A dial that hangs for longer goes on, but no longer counts as just begun. */
const HANGS = 150;

/** Dials for trusted hints at the same time, including those that hang. Each is a socket. */
const MOST_HANGING = 256;

/** Dials for untrusted hints at the same time. Each may take seconds to fail, and counts until then. */
const MOST_DOUBTFUL = 8;

/**
 * Addresses of untrusted hints that may be dialled in vain: at once, and per second. In one second, never more than both
 * together.
 */
const BURST = 6;
const RATE = 4;

/** The order of the last dials is remembered for this many hosts. */
const MOST_HOSTS = 1_024;

interface Dial {
  isDoubtful: boolean;
  addresses: number;
  /** When the dial began, on the clock. */
  since: number;
}

export class DialTurns {
  readonly #clock: Clock;
  /** In the order in which they began to wait. */
  readonly #waiting = new Set<Candidate>();
  readonly #underWay = new Map<string, Dial>();
  /** By host: the number of its last dial, in ascending order. */
  readonly #dialled = new Map<string, number>();
  #count = 0;
  #budget = BURST;
  #since: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#since = clock.now();
  }

  /** Whether a timer is set for the next look at the waiting candidates. */
  isComingBack = false;

  get isAnybodyWaiting(): boolean {
    return this.#waiting.size > 0;
  }

  /** Takes the turn of the candidate if it may be dialled now. Otherwise the candidate waits for `next`. */
  take(candidate: Candidate): boolean {
    const dial = {
      isDoubtful: isDoubtful(candidate),
      addresses: addressesOf(candidate).length,
      since: this.#clock.now(),
    };
    if (!this.#affords(dial)) {
      this.#waiting.add(candidate);
      return false;
    }
    this.#waiting.delete(candidate);
    this.#underWay.set(candidate.id, dial);
    if (dial.isDoubtful) this.#budget -= dial.addresses;
    const host = hostOf(candidate);
    this.#dialled.delete(host);
    this.#dialled.set(host, (this.#count += 1));
    const [oldest] = this.#dialled.keys();
    if (this.#dialled.size > MOST_HOSTS) this.#dialled.delete(oldest!);
    return true;
  }

  /** Takes the turn of the next waiting candidate; undefined if none may be dialled now. */
  next(): Candidate | undefined {
    let best: Candidate | undefined;
    for (const candidate of this.#waiting) {
      if (!best || this.#rank(candidate) < this.#rank(best)) best = candidate;
    }
    return best && this.take(best) ? best : undefined;
  }

  /** Call when a dial is over. @param proved whether it led to a peer, or the peer dialled us */
  end(id: string, proved: boolean): void {
    const dial = this.#underWay.get(id);
    this.#underWay.delete(id);
    if (dial?.isDoubtful && proved) this.#budget = Math.min(BURST, this.#budget + dial.addresses);
  }

  /**
   * Whether the running dial should end now that there is a trusted hint: it was started by an untrusted hint, or it hangs.
   */
  givesWay({ id }: Candidate): boolean {
    const dial = this.#underWay.get(id);
    return dial !== undefined && (dial.isDoubtful || this.#hangs(dial));
  }

  /** Call when the candidate must no longer be dialled. */
  forget(candidate: Candidate): void {
    this.#waiting.delete(candidate);
  }

  /**
   * The order of the candidates: first those with a trusted hint, then those that were peers before, then those at the host that
   * was not dialled for the longest time. So a flood of lies about some hosts does not delay the others.
   */
  #rank(candidate: Candidate): number {
    if (!isDoubtful(candidate)) return -2;
    if (candidate.generation > 0) return -1;
    return this.#dialled.get(hostOf(candidate)) ?? 0;
  }

  #affords(dial: Dial): boolean {
    let doubtful = 0;
    let trusted = 0;
    let hanging = 0;
    for (const each of this.#underWay.values()) {
      if (each.isDoubtful) doubtful += 1;
      else if (this.#hangs(each)) hanging += 1;
      else trusted += 1;
    }
    if (!dial.isDoubtful) return trusted < MOST_DIALS && trusted + hanging < MOST_HANGING;
    const now = this.#clock.now();
    this.#budget = Math.min(BURST, this.#budget + ((now - this.#since) * RATE) / 1_000);
    this.#since = now;
    return doubtful < MOST_DOUBTFUL && this.#budget >= Math.min(dial.addresses, BURST);
  }

  #hangs({ since }: Dial): boolean {
    return this.#clock.now() - since >= HANGS;
  }
}

function isDoubtful(candidate: Candidate): boolean {
  for (const { isAnybodys } of candidate.hints.values()) if (!isAnybodys) return false;
  if (candidate.told.length > 0) return false;
  // Trust the addresses at which it was a peer before: after an outage of the network, all peers are back at theirs.
  return !addressesOf(candidate).every((address) => isAmong(candidate.proved, address));
}

/** One of its hosts. It hardly matters which. */
function hostOf({ hints }: Candidate): string {
  const [hint] = hints.values();
  return hint?.addresses[0]?.host ?? '';
}
