import { whenAborted } from '../../base/time/when-aborted.ts';
import type { Call } from './call.ts';

/**
 * Watches the signals that cancel a call, until `call.release`. If one of them is aborted already, it is returned and
 * none is watched.
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
