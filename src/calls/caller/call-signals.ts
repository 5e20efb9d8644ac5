import { whenAborted } from '../../base/when-aborted.ts';
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
  const watches = signals.map((signal) => whenAborted(signal, (reason) => cancel(call, reason)));
  call.release = () => {
    for (const end of watches) end();
  };
  return undefined;
}
