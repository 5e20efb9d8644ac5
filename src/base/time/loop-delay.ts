import { monitorEventLoopDelay, performance } from 'node:perf_hooks';

/** The delay of the event loop over longer times. It belongs to the process, so all peers of it share one. */

/** Interval between two samples, in ms. Twenty wake-ups a second, and only in a process whose metrics somebody reads. */
const RESOLUTION = 50;

let delay: ReturnType<typeof monitorEventLoopDelay> | undefined;
let before = performance.eventLoopUtilization();

/** Delays in s and the busy share, since the last call. The first call begins to measure. */
export function readLoopDelay(): { median: number; p99: number; max: number; utilization: number } {
  const now = performance.eventLoopUtilization();
  const { utilization } = performance.eventLoopUtilization(now, before);
  before = now;
  if (!delay) {
    delay = monitorEventLoopDelay({ resolution: RESOLUTION });
    delay.enable();
    return { median: 0, p99: 0, max: 0, utilization };
  }
  // The histogram counts in ns and includes the interval between two samples.
  const late = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - RESOLUTION) / 1_000;
  const { max } = delay;
  const read = { median: late(delay.percentile(50)), p99: late(delay.percentile(99)), max: late(max) };
  delay.reset();
  return { ...read, utilization };
}
