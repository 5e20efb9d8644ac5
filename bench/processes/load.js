// The calling side of the measurements.
import { wireBytes, cpuMicroseconds } from './usage.js';
import { percentile } from '../lib/statistics.js';

/**
 * Keeps `inFlight` calls going for `ms` milliseconds. `call(n)` makes one call and throws unless
 * its result is the right one.
 *
 * Throughput counts the calls completed inside the window; the cost per call is shared among all
 * calls made, including those which were still in flight when the window closed.
 */
export async function keepCalling(call, { inFlight, ms }) {
  let running = true;
  let made = 0;
  let completed = 0;
  let inWindow = 0;
  let elapsedMs = 0;

  async function loop() {
    while (running) {
      await call(made++);
      completed++;
    }
  }

  const wireBefore = wireBytes();
  const cpuBefore = cpuMicroseconds();
  const startedAt = performance.now();
  const timer = setTimeout(() => {
    running = false;
    inWindow = completed;
    elapsedMs = performance.now() - startedAt;
  }, ms);
  try {
    await Promise.all(Array.from({ length: inFlight }, loop));
  } finally {
    running = false;
    clearTimeout(timer);
  }
  const cpu = cpuMicroseconds() - cpuBefore;
  const wireAfter = wireBytes();
  return {
    callsPerSecond: (inWindow / elapsedMs) * 1000,
    calls: completed,
    cpu,
    bytes: wireBefore && wireAfter && sum(wireAfter) - sum(wireBefore),
  };
}

/** Makes `count` calls, or as many as fit into `limitMs`. */
export async function callTimes(call, { count, inFlight, limitMs }) {
  const deadline = performance.now() + limitMs;
  let made = 0;
  async function loop() {
    // The clock is looked at rarely; it is only there to keep a slow library from taking for ever.
    while (made < count && (made % 64 !== 0 || performance.now() < deadline)) await call(made++);
  }
  await Promise.all(Array.from({ length: inFlight }, loop));
  return made;
}

/** One call at a time; the 50th and 99th percentile in microseconds. */
export async function measureLatency(call, { ms }) {
  const samples = [];
  const end = performance.now() + ms;
  let before = performance.now();
  while (before < end) {
    await call(samples.length);
    const after = performance.now();
    samples.push((after - before) * 1000);
    before = after;
  }
  samples.sort((a, b) => a - b);
  return { p50: percentile(samples, 0.5), p99: percentile(samples, 0.99) };
}

export function adding({ add }) {
  return async (n) => {
    const result = await add(n, 7);
    if (result !== n + 7) throw new Error(`wrong answer: add(${n}, 7) gave ${String(result)}`);
  };
}

export function echoing({ echo }, bytes) {
  const text = sampleText(bytes);
  return async () => {
    const result = await echo(text);
    if (result !== text) throw new Error(`wrong answer: echo of ${bytes} bytes came back different`);
  };
}

// Letters and digits that do not repeat in a short period, the same ones in every run.
function sampleText(bytes) {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 -';
  const codes = Buffer.alloc(bytes);
  let state = 1;
  for (let i = 0; i < bytes; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    codes[i] = alphabet.charCodeAt(state >>> 26);
  }
  return codes.toString('latin1');
}

function sum({ written, read }) {
  return written + read;
}
