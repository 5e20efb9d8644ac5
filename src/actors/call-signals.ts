import type { Call } from './call.ts';

/**
 * Watches the signals that take a call back, until `call.release`. Returns the one that has been aborted already, and
 * then watches none.
 */
export function watchSignals(
  call: Call,
  signals: readonly AbortSignal[],
  cancel: (call: Call, reason: unknown) => void,
): AbortSignal | undefined {
  const aborted = signals.find((signal) => signal.aborted);
  if (aborted) return aborted;
  const abort = ({ target }: Event): void => cancel(call, (target as AbortSignal).reason);
  for (const signal of signals) signal.addEventListener('abort', abort, { once: true });
  call.release = () => {
    for (const signal of signals) signal.removeEventListener('abort', abort);
  };
  return undefined;
}
