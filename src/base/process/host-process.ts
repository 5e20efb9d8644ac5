import { readLoopDelay } from '../time/loop-delay.ts';
import { measureLoopLoad } from '../time/loop-load.ts';
import type { LoopLoad } from '../time/loop-load.ts';

/** What a peer tells of the process that it is in. In a simulation each peer is in a process that does not exist. */
export interface HostProcess {
  readonly pid: number;
  /** Resident bytes. */
  memory(): number;
  /** How long the event loop has been busy so far, in ms. */
  busy(): number;
  /** How busy the event loop is. */
  load(): Promise<LoopLoad>;
  /** The delays of the event loop since the last call. */
  delay(): ReturnType<typeof readLoopDelay>;
}

export const thisProcess: HostProcess = {
  pid: process.pid,
  memory: () => process.memoryUsage.rss(),
  busy: () => performance.eventLoopUtilization().active,
  load: measureLoopLoad,
  delay: readLoopDelay,
};
