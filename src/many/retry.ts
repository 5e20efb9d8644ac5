import { NetError } from '../base/errors.ts';

/** Which failed calls are made again, and when: one rule for `any` and `map`. */

/** The first wait is between 0 and this, in ms; each further one between 0 and twice as much … */
const FIRST_WAIT = 25;

/** … up to this, in ms. */
const LONGEST_WAIT = 2_000;

/**
 * How often a call may be lost with the peer that had it, when its function is idempotent. The next loss is final: an
 * input that crashes whoever works on it must not go round until nobody is left.
 */
const MOST_LOSSES = 3;

/** Full jitter: any time from 0 to a limit that doubles, in ms. @param count waits before this one */
export function jitter(count: number, random: () => number): number {
  return random() * Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** Math.min(count, 16));
}

/** The attempts of one call, on whichever peers. */
export class Attempts {
  /** Attempts that failed and may be made again. */
  failed = 0;
  /** What the last of them failed with. */
  last: NetError | undefined;
  readonly #idempotent: boolean;
  readonly #once: boolean;
  /** Attempts that may have run there. */
  #losses = 0;

  /**
   * @param idempotent whether the function may run twice without harm
   * @param once whether the arguments can be sent only once, as streams
   */
  constructor(idempotent: boolean, once: boolean) {
    this.#idempotent = idempotent && !once;
    this.#once = once;
  }

  /**
   * Whether the call may be made again after this failure, which is noted then. It may not after what the function
   * threw, what no peer would take, and what may have run and must not twice.
   */
  mayRepeat(error: unknown): error is NetError {
    if (!(error instanceof NetError)) return false;
    const lost = error.code === 'CONNECTION_LOST' && error.ran === 'unknown';
    const repeats = lost ? this.#idempotent && this.#losses < MOST_LOSSES : error.retriable;
    if (!repeats || (this.#once && error.code !== 'NOT_SENT')) return false;
    if (lost) this.#losses += 1;
    this.failed += 1;
    this.last = error;
    return true;
  }

  /**
   * The failure as the user gets it: as it is, unless it says that the function did not run and an earlier attempt
   * may have run it.
   */
  final(error: unknown): unknown {
    if (this.#losses === 0 || !(error instanceof NetError) || error.ran !== 'no') return error;
    const { code, message, peer, tag } = error;
    const text = `${message}; an earlier attempt was lost, and may have run`;
    return new NetError(code, text, { ran: 'unknown', peer, tag, cause: error });
  }
}
