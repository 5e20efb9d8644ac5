/** A running peer, as tools in the same process may use it. */
export interface RunningPeer {
  readonly id: string;
  readonly name: string;
  readonly group: string;
  /** Tags of the functions that are connected now. */
  readonly functions: readonly string[];
  /** Resolves when other peers can find it. Rejects with the error that kept it from starting. */
  start(): Promise<unknown>;
  stop(options?: { drainTime?: number }): Promise<void>;
  /** Resolves when it has stopped. */
  serve(): Promise<void>;
}

const KEY = Symbol.for('app-net.running-peers');
const LISTENERS = Symbol.for('app-net.serve-listeners');
const shared = globalThis as { [KEY]?: Set<RunningPeer>; [LISTENERS]?: Set<(peer: RunningPeer) => void> };

/**
 * The peers that run in this process, those of every copy of the library, oldest first. The copy that the command line
 * uses may differ from the one that the module imports that `app-net serve` loads.
 */
export const runningPeers: Set<RunningPeer> = (shared[KEY] ??= new Set());

/** Called with each peer of this process that has started and is to keep the process alive. */
export const serveListeners: Set<(peer: RunningPeer) => void> = (shared[LISTENERS] ??= new Set());
