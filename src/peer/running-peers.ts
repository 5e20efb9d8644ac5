/** What a tool in the same process may do with a peer that runs. */
export interface RunningPeer {
  readonly id: string;
  readonly name: string;
  readonly group: string;
  /** Tags of the functions it has connected, now. */
  readonly functions: readonly string[];
  stop(): Promise<void>;
  /** Resolves when it has stopped. */
  serve(): Promise<void>;
}

const KEY = Symbol.for('app-net.running-peers');
const LISTENERS = Symbol.for('app-net.serve-listeners');
const shared = globalThis as { [KEY]?: Set<RunningPeer>; [LISTENERS]?: Set<(peer: RunningPeer) => void> };

/**
 * The peers that run in this process, those of every copy of the library: what was installed for the command line need
 * not be what the module imports that `app-net serve` loads. The oldest first.
 */
export const runningPeers: Set<RunningPeer> = (shared[KEY] ??= new Set());

/** Called with each peer of this process that has started and is to keep the process. */
export const serveListeners: Set<(peer: RunningPeer) => void> = (shared[LISTENERS] ??= new Set());
