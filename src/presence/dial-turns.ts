import type { Clock } from '../base/clock.ts';
import { isAmong } from '../transport/address.ts';
import { addressesOf } from './candidate.ts';
import type { Candidate } from './candidate.ts';

/**
 * Whose turn it is to be dialled. Hints of which anybody on the network may be the author can be lies, thousands of
 * them, and each would cost somebody a connection: to them there are few dials a second. A dial that led to a peer
 * does not count, so where nobody lies there is nothing to wait for; nor does one to a peer that was there before.
 */

/**
 * Dials to those that somebody trusted hints at, that have just begun. More would not be faster, and a hundred peers that
 * start at once would be each other's flood of strangers.
 */
const MOST_DIALS = 16;

/** Whoever is there answers within this time, in ms: a dial that hangs for longer goes on, and gives up its place. */
const HANGS = 150;

/** Of those dials, with all that hang: each is a socket. */
const MOST_HANGING = 256;

/** Dials at the same time to those that only anybody has hinted at: each may take seconds to fail, and keeps its place. */
const MOST_DOUBTFUL = 8;

/** Addresses of such candidates that are dialled in vain: at once, and per second; in one second never more than both. */
const BURST = 6;
const RATE = 4;

/** Hosts of which it is remembered when they were dialled. */
const MOST_HOSTS = 1_024;

interface Dial {
  isDoubtful: boolean;
  addresses: number;
  /** When it began, on the clock. */
  since: number;
}

export class DialTurns {
  readonly #clock: Clock;
  /** In the order in which they came. */
  readonly #waiting = new Set<Candidate>();
  readonly #underWay = new Map<string, Dial>();
  /** By host, the number of its last dial; in the order of these. */
  readonly #dialled = new Map<string, number>();
  #count = 0;
  #budget = BURST;
  #since: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#since = clock.now();
  }

  /** Whether it is settled when those that wait are looked at again. */
  isComingBack = false;

  get isAnybodyWaiting(): boolean {
    return this.#waiting.size > 0;
  }

  /** Takes the candidate's turn if it may be dialled now; or else it waits for `next`. */
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

  /** Takes the turn of whoever is next among those that wait; undefined when nobody may be dialled now. */
  next(): Candidate | undefined {
    let best: Candidate | undefined;
    for (const candidate of this.#waiting) {
      if (!best || this.#rank(candidate) < this.#rank(best)) best = candidate;
    }
    return best && this.take(best) ? best : undefined;
  }

  /** The dial is over. @param proved whether it led to a peer, or the peer came to us */
  end(id: string, proved: boolean): void {
    const dial = this.#underWay.get(id);
    this.#underWay.delete(id);
    if (dial?.isDoubtful && proved) this.#budget = Math.min(BURST, this.#budget + dial.addresses);
  }

  /**
   * Whether the dial that is under way should end now that somebody trusted hints at its peer: it began because of what
   * may be a lie, or it hangs.
   */
  givesWay({ id }: Candidate): boolean {
    const dial = this.#underWay.get(id);
    return dial !== undefined && (dial.isDoubtful || this.#hangs(dial));
  }

  /** It is not to be dialled any more. */
  forget(candidate: Candidate): void {
    this.#waiting.delete(candidate);
  }

  /**
   * First those that somebody trusted hints at, then those that were peers before, then whoever is at the host that was
   * not dialled for the longest time: a flood of lies about some hosts does not keep the others waiting.
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
  // Where it was when it was a peer it may be again: after an outage that was the network's, all of them are.
  return !addressesOf(candidate).every((address) => isAmong(candidate.proved, address));
}

/** One of those at which it may be: which, hardly matters. */
function hostOf({ hints }: Candidate): string {
  const [hint] = hints.values();
  return hint?.addresses[0]?.host ?? '';
}
