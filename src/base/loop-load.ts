import { monitorEventLoopDelay, performance } from 'node:perf_hooks';

/** How busy the event loop of this process is. */
export interface LoopLoad {
  /** The longest that anything due had to wait for its turn while it was measured, in ms. */
  lag: number;
  /** The share of that time in which the loop was busy, 0 to 1. */
  utilization: number;
}

/** How long one measurement takes, in ms. */
const WINDOW = 20;

/** Interval between two samples, in ms. */
const RESOLUTION = 1;

let underWay: Promise<LoopLoad> | undefined;

/**
 * Measures for 20 ms, and only when asked; nothing runs at other times. Calls that come meanwhile share the result. It always
 * uses the real time of this process, whatever clock a peer was given, and does not keep the process alive.
 */
export function measureLoopLoad(): Promise<LoopLoad> {
  underWay ??= measure().finally(() => (underWay = undefined));
  return underWay;
}

async function measure(): Promise<LoopLoad> {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION });
  const before = performance.eventLoopUtilization();
  const start = performance.now();
  delay.enable();
  await new Promise<void>((resolve) => {
    setTimeout(resolve, WINDOW).unref();
  });
  delay.disable();
  const { utilization } = performance.eventLoopUtilization(before);
  // The histogram counts in ns and includes the interval between two samples. It misses a delay before its first sample.
  const seen = delay.max / 1e6 - RESOLUTION;
  const late = performance.now() - start - WINDOW;
  return { lag: rounded(Math.max(0, seen, late), 10), utilization: rounded(utilization, 1_000) };
}

function rounded(value: number, parts: number): number {
  return Math.round(value * parts) / parts;
}
