import { NetError } from '../base/errors.ts';

/** Decides which failed calls are repeated, and when: one rule for `any` and `map`. */

/** The first wait is between 0 and this, in ms. The limit doubles with each further wait, up to LONGEST_WAIT. */
const FIRST_WAIT = 25;

/** The largest limit of a wait, in ms. */
const LONGEST_WAIT = 2_000;

/**
 * How often a call may be lost with its peer and be repeated, when its function is idempotent. The next loss is final:
 * an input that crashes every peer that works on it must not go around until no peer is left.
 */
const MOST_LOSSES = 3;

/**
 * How often a call may fail because no thread began it. The next time is final: a file that cannot be loaded in a thread mostly cannot be
 * loaded at any peer. With the waits between the attempts that is after some 4 s.
 */
const MOST_UNBEGUN = 10;

/** The process or the thread that ran the function is gone. */
const LOST: ReadonlySet<string> = new Set(['CONNECTION_LOST', 'THREAD_LOST']);

/** Full jitter: any time from 0 to a limit that doubles, in ms. @param count waits before this one */
export function jitter(count: number, random: () => number): number {
  return random() * Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** Math.min(count, 16));
}

/** The attempts of one call, on any peers. */
export class Attempts {
  /** Attempts that failed and may be repeated. */
  failed = 0;
  /** The failure of the last attempt. */
  last: NetError | undefined;
  readonly #idempotent: boolean;
  readonly #given: { readonly sent: boolean } | undefined;
  /** Lost attempts, which may have run at the peer. */
  #losses = 0;
  /** Attempts that no thread began. */
  #unbegun = 0;

  /**
   * @param idempotent whether the function may run twice without harm
   * @param given the streams among the arguments. They cannot be sent twice, unless the peer did not take them
   */
  constructor(idempotent: boolean, given: { readonly sent: boolean } | undefined) {
    this.#idempotent = idempotent && !given;
    this.#given = given;
  }

  /**
   * Whether the call may be repeated after this failure, which is then counted. It may not be repeated after an error
   * that the function threw, a value that no peer would accept, or an attempt that may have run and must not run twice.
   */
  mayRepeat(error: unknown): error is NetError {
    if (!(error instanceof NetError)) return false;
    const lost = LOST.has(error.code) && error.ran === 'unknown';
    const repeats = lost ? this.#idempotent && this.#losses < MOST_LOSSES : error.retriable;
    if (!repeats || this.#given?.sent) return false;
    if (error.code === 'THREAD_LOST' && !lost) {
      if (this.#unbegun === MOST_UNBEGUN) return false;
      this.#unbegun += 1;
    }
    if (lost) this.#losses += 1;
    this.failed += 1;
    this.last = error;
    return true;
  }

  /**
   * The failure as the user gets it. It is unchanged, unless it says that the function did not run while an earlier
   * attempt may have run it.
   */
  final(error: unknown): unknown {
    if (this.#losses === 0 || !(error instanceof NetError) || error.ran !== 'no') return error;
    const { code, message, peer, tag } = error;
    const text = `${message}; an earlier attempt was lost, and may have run`;
    return new NetError(code, text, { ran: 'unknown', peer, tag, cause: error });
  }
}
