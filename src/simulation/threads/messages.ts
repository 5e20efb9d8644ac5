import type { Fault } from '../fault-player.ts';
import type { Settings } from '../options.ts';
import type { Figures } from '../tally.ts';

/** What a thread gets when it is started. */
export interface Work {
  readonly settings: Settings;
  readonly seeds: readonly number[];
  /** Memory of `Shared`. */
  readonly shared: Int32Array;
  /** Its number among the workers. */
  readonly worker: number;
}

/** The only thing that a thread is told: to say why the seed that failed in it has failed. */
export const EXPLAIN = 'explain';

/** A `SimulationError` on its way between threads. */
export interface SentError {
  readonly message: string;
  readonly stack: string;
  readonly seed: number;
  readonly faults: readonly Fault[];
  readonly cause: unknown;
}

/** What a thread tells. */
export type Told =
  /** It cannot load the story. */
  | { readonly type: 'refused'; readonly text: string }
  /** No seed is left for it. `failed` is the place of the one that failed in it. */
  | {
      readonly type: 'over';
      readonly passed: readonly (readonly [place: number, figures: Figures])[];
      readonly failed: number | undefined;
    }
  | { readonly type: 'explained'; readonly error: SentError };
