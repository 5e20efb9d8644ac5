import { readLoopDelay } from '../time/loop-delay.ts';
import { measureLoopLoad } from '../time/loop-load.ts';
import type { LoopLoad } from '../time/loop-load.ts';

/** What a peer knows of the process that it is in, and of its system. In a simulation each peer is in a process that does not exist. */
export interface HostProcess {
  readonly pid: number;
  /** Whether there is a process with this id. */
  isRunning(pid: number): boolean;
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
  isRunning,
  memory: () => process.memoryUsage.rss(),
  busy: () => performance.eventLoopUtilization().active,
  load: measureLoopLoad,
  delay: readLoopDelay,
};

/** Signal 0 only checks. @returns false only if there is no such process */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
