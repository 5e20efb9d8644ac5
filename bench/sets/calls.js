// The sets throughput, latency and payload: one fresh pair of processes, measured in each way asked
// for, one after the other.
import { startPair, withChildren } from '../lib/children.js';

export const IN_FLIGHT = [1, 8, 64, 512];
export const PAYLOADS = [
  { name: '1k', bytes: 1024, inFlight: 64 },
  { name: '64k', bytes: 64 * 1024, inFlight: 16 },
  { name: '1m', bytes: 1024 * 1024, inFlight: 4 },
];

// Milliseconds. `warm` is the first load on a new process, which lets V8 compile what is hot;
// `settle` precedes every later measurement and is not counted.
const FULL = { warm: 1000, settle: 200, calls: 800, latency: 600, echoes: 600 };
const QUICK = { warm: 400, settle: 40, calls: 250, latency: 150, echoes: 150 };

/** Runs one round of one case and resolves to its figures, by metric. */
export function measureCalls({ name, sets, quick }) {
  const times = quick ? QUICK : FULL;
  return withChildren(async (start) => {
    const pair = await startPair(start, name);
    await pair.client.ask('calls', { inFlight: 64, ms: times.warm });
    const figures = {};
    if (sets.has('throughput')) {
      for (const inFlight of IN_FLIGHT) {
        Object.assign(figures, await throughput(pair, inFlight, times));
      }
    }
    if (sets.has('latency')) {
      await pair.client.ask('latency', { ms: times.settle });
      const { p50, p99 } = await pair.client.ask('latency', { ms: times.latency });
      Object.assign(figures, { p50, p99 });
    }
    if (sets.has('payload')) {
      for (const { name: size, bytes, inFlight } of PAYLOADS) {
        await pair.client.ask('echoes', { bytes, inFlight, ms: times.settle });
        const { callsPerSecond } = await pair.client.ask('echoes', {
          bytes,
          inFlight,
          ms: times.echoes,
        });
        figures[`echo-${size}`] = callsPerSecond;
      }
    }
    return figures;
  });
}

async function throughput({ server, client }, inFlight, times) {
  await client.ask('calls', { inFlight, ms: times.settle });
  const before = await server.ask('cpu');
  const measured = await client.ask('calls', { inFlight, ms: times.calls });
  const after = await server.ask('cpu');
  return {
    [`calls-${inFlight}`]: measured.callsPerSecond,
    [`client-cpu-${inFlight}`]: measured.cpu / measured.calls,
    [`server-cpu-${inFlight}`]: (after - before) / measured.calls,
    // Undefined, and so n/a, where no TCP socket was seen.
    [`bytes-${inFlight}`]: measured.bytes === undefined ? undefined : measured.bytes / measured.calls,
  };
}
