import type { MessagePort } from 'node:worker_threads';

/** What the library finds when it is loaded in one of its own worker threads. `threads/bootstrap.ts` puts it there. */
export interface ThreadHome {
  /** Leads to the thread that started this one. */
  readonly port: MessagePort;
  /** The states of the calls that this thread was given, by their slots. */
  readonly slots: Int32Array;
  /** How many calls may run at the same time. */
  readonly places: number;
  /** Whether thrown errors are sent with their stack. */
  readonly stacks: boolean;
  /** Whether the file of the functions is still being loaded. */
  loading: boolean;
  /** What the file has connected, by tag. */
  readonly functions: Map<string, ThreadFunction>;
  /** Begins to run calls. The first `connect` sets it: only then is it known which copy of the library the file uses. */
  serve: ((home: ThreadHome) => Promise<void>) | undefined;
  /** Why this file cannot be used in a thread; undefined if it can. */
  refused: string | undefined;
}

export interface ThreadFunction {
  readonly fn: (...args: never[]) => unknown;
  /** Its `this`. */
  readonly self: object | undefined;
}

export const THREAD_HOME = 'app-net.thread.1';

/** Undefined everywhere but in a thread of this library. */
export function threadHome(): ThreadHome | undefined {
  return (globalThis as { [key: symbol]: ThreadHome | undefined })[Symbol.for(THREAD_HOME)];
}

const MOVE =
  'each thread loads it; move the functions and their connect() calls to a file of their own, and import that file where you start the peer';

/**
 * Refuses to start a peer while the file of the functions is loaded: each thread would wait for it, or be one more peer.
 * @throws Error that says what to do
 */
export function refuseWhileLoading(home: ThreadHome): void {
  if (!home.loading) return;
  home.refused = `it starts a peer (serve(), getPeers(), start(), …) when it is loaded, and ${MOVE}`;
  throw new Error(`this file cannot be loaded in a thread: ${home.refused}`);
}

/**
 * Returns the events of a peer. In a thread there are none: they belong to the peer of the main thread.
 * @throws Error that says what to do
 */
export function outsideThread<T>(events: T): T {
  const home = threadHome();
  if (!home) return events;
  if (home.loading) {
    home.refused = `it uses events when it is loaded, and ${MOVE}`;
    throw new Error(`this file cannot be loaded in a thread: ${home.refused}`);
  }
  throw new Error(
    'events cannot be used in a thread; return the value, or stream it, and emit it in the main thread, where the result arrives',
  );
}
