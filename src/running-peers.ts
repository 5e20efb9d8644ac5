/** What a tool in the same process may do with a peer that runs. */
export interface RunningPeer {
  readonly id: string;
  readonly name: string;
  readonly group: string;
  /** Tags of the functions it has connected, now. */
  readonly functions: readonly string[];
  stop(): Promise<void>;
}

const KEY = Symbol.for('app-net.running-peers');

/**
 * The peers that run in this process, those of every copy of the library: what was installed for the command line need
 * not be what the module imports that `app-net serve` loads. The oldest first.
 */
export const runningPeers: Set<RunningPeer> = ((globalThis as { [KEY]?: Set<RunningPeer> })[KEY] ??=
  new Set());
