import { monitorEventLoopDelay, performance } from 'node:perf_hooks';

/**
 * How busy the event loop of a process is. It is measured for 20 ms when somebody asks.
 *
 * @example
 * const { lag, utilization } = (await peer.info()).loop;
 * console.log(`late by up to ${lag} ms, busy ${Math.round(utilization * 100)} %`);
 */
export interface LoopLoad {
  /** The longest time that a due task waited for its turn during the measurement, in ms. */
  lag: number;
  /** The share of the measurement during which the loop was busy, from 0 to 1. */
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
