type Listener = (reason: unknown) => void;

const watched = new WeakMap<AbortSignal, { listeners: Set<Listener>; abort: () => void }>();

/**
 * Calls back once, when the signal is aborted. Any number of calls may share a signal, so each signal gets only one listener of
 * ours: Node warns of a leak from the eleventh on, and walks through all listeners to remove one.
 * @param signal must not be aborted yet
 * @returns a function that ends the watch
 */
export function whenAborted(signal: AbortSignal, listener: Listener): () => void {
  let watch = watched.get(signal);
  if (!watch) {
    const listeners = new Set<Listener>();
    const abort = (): void => {
      watched.delete(signal);
      for (const each of listeners) each(signal.reason);
    };
    watch = { listeners, abort };
    watched.set(signal, watch);
    signal.addEventListener('abort', abort, { once: true });
  }
  const { listeners, abort } = watch;
  // A new function for each watch, because the same listener may be given twice.
  const own: Listener = (reason) => listener(reason);
  listeners.add(own);
  return () => {
    if (!listeners.delete(own) || listeners.size > 0) return;
    // A signal that has listeners is kept alive by whatever may abort it.
    signal.removeEventListener('abort', abort);
    if (watched.get(signal)?.abort === abort) watched.delete(signal);
  };
}
