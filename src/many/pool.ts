import type { Balance } from './balance.ts';
import type { Clock } from '../base/time/clock.ts';
import { whileHolding } from '../base/process/process-hold.ts';
import type { PeerSource } from '../presence/set/view.ts';
import { whenAborted } from '../base/time/when-aborted.ts';

/** The local peer, in the form that calls need before it is known which peer they go to. */
export interface Pool {
  /** Id of the local peer. */
  readonly id: string;
  readonly source: PeerSource;
  readonly balance: Balance;
  readonly clock: Clock;
  readonly random: () => number;
  /** The deadline of a call that has none of its own, in ms. */
  readonly deadline: number;
}

/**
 * Waits for this many ms, or until the set of peers changes or its first search is over. The process is kept alive
 * meanwhile, and the local peer is started if it has not been.
 * @throws the signal's reason; NetError STOPPED when the local peer stops, or cannot start
 */
export function untilChange(pool: Pool, within: number, signal: AbortSignal | undefined): Promise<void> {
  return whileHolding(wait(pool, within, signal, true));
}

/** Waits for this many ms, with the same effects and errors. */
export function pause(pool: Pool, milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return whileHolding(wait(pool, milliseconds, signal, false));
}

function wait(
  { source, clock }: Pool,
  milliseconds: number,
  signal: AbortSignal | undefined,
  changes: boolean,
): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason as Error);
      return;
    }
    const done = (settle: () => void): void => {
      clock.clearTimeout(timer);
      unsubscribe();
      unwatch?.();
      settle();
    };
    const end = (): void => done(resolve);
    const fail = (error: unknown): void => done(() => reject(error));
    const delay = Math.ceil(milliseconds);
    const timer: unknown = milliseconds < Infinity ? clock.setTimeout(end, delay) : undefined;
    const unsubscribe = source.subscribe(changes ? end : () => {}, fail);
    const unwatch = signal && whenAborted(signal, fail);
    // `subscribe` reports a local peer that cannot start.
    if (changes && !source.searched) source.settled().then(end, () => {});
  });
}
