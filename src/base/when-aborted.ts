type Listener = (reason: unknown) => void;

const watched = new WeakMap<AbortSignal, { listeners: Set<Listener>; abort: () => void }>();

/**
 * Calls back once, when the signal is aborted. Any number of calls may share a signal: Node warns of a leak from the
 * eleventh listener on, and goes through all of them to take one off, so that a signal has one of ours for all.
 * @param signal one that is not aborted yet
 * @returns what ends the watch
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
  // Of its own for each watch: one function may be given twice.
  const own: Listener = (reason) => listener(reason);
  listeners.add(own);
  return () => {
    if (!listeners.delete(own) || listeners.size > 0) return;
    // A signal that something listens to is kept alive by what may abort it.
    signal.removeEventListener('abort', abort);
    if (watched.get(signal)?.abort === abort) watched.delete(signal);
  };
}
