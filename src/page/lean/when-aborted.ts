/** One listener for each call: browsers do not warn of many. Takes the place of `base/time/when-aborted.ts` in a page. */

export function whenAborted(signal: AbortSignal, listener: (reason: unknown) => void): () => void {
  const own = (): void => listener(signal.reason);
  signal.addEventListener('abort', own, { once: true });
  return () => signal.removeEventListener('abort', own);
}
