// The set memory: what a connection, a waiting call and a long life cost in live bytes. Every figure
// comes from a fresh pair of processes and is read after garbage collection.
import { setTimeout as sleep } from 'node:timers/promises';
import { startPair, withChildren } from '../lib/children.js';

// `passes`: how often garbage is collected before a reading; undefined leaves the usual number.
const FULL = { idle: 200, waiting: 1000, calls: 1_000_000, cycles: 1000, limitMs: 12_000 };
const QUICK = { idle: 50, waiting: 1000, calls: 100_000, cycles: 50, limitMs: 1_500, passes: 8 };

/** Measures one case and resolves to its figures, by metric. */
export async function measureMemory({ name, quick }) {
  const amounts = quick ? QUICK : FULL;
  return {
    ...(await idleConnections(name, amounts)),
    ...(await waitingCalls(name, amounts)),
    ...(await manyCalls(name, amounts)),
    ...(await manyConnections(name, amounts)),
  };
}

function idleConnections(name, { idle: count, passes }) {
  return withPair(name, { connect: false, passes }, async ({ server, client, port, growth }) => {
    const open = async (range) => {
      await server.ask('idle', range);
      await client.ask('idle', { port, ...range });
    };
    // The first ones load code and fill pools that later ones share.
    await open({ from: 0, count: 20 });
    const grown = await growth(() => open({ from: 20, count }));
    return perItem('idle', grown, count);
  });
}

function waitingCalls(name, { waiting: count, passes }) {
  return withPair(name, { passes }, async ({ server, client, growth }) => {
    // The first calls build what later ones share.
    await client.ask('callTimes', { count: 10_000, inFlight: 64, limitMs: 2_000 });
    const grown = await growth(async () => {
      await client.ask('hold', { count });
      while ((await server.ask('held')) < count) await sleep(10);
    });
    await server.ask('release');
    await client.ask('released');
    return perItem('waiting', grown, count);
  });
}

function manyCalls(name, { calls, limitMs, passes }) {
  return withPair(name, { passes }, async ({ client, growth }) => {
    // Code and caches come with the first calls and stay; only what comes after is growth.
    await client.ask('callTimes', { count: 20_000, inFlight: 256, limitMs: 2_000 });
    let made;
    const grown = await growth(async () => {
      made = await client.ask('callTimes', { count: calls, inFlight: 256, limitMs });
    });
    return { 'calls-made': made, 'calls-client': grown.client, 'calls-server': grown.server };
  });
}

function manyConnections(name, { cycles, limitMs, passes }) {
  return withPair(name, { connect: false, passes }, async ({ client, port, growth }) => {
    await client.ask('reconnect', { port, count: 20, limitMs: 2_000 });
    let made;
    const grown = await growth(async () => {
      made = await client.ask('reconnect', { port, count: cycles, limitMs });
    });
    return { 'cycles-made': made, 'cycles-client': grown.client, 'cycles-server': grown.server };
  });
}

function withPair(name, { passes, ...options }, measure) {
  return withChildren(async (start) => {
    const pair = await startPair(start, name, { gc: true, ...options });
    return measure({ ...pair, growth: (happen) => growthDuring(pair, passes, happen) });
  });
}

async function growthDuring({ server, client }, passes, happen) {
  const live = () => Promise.all([server.ask('live', { passes }), client.ask('live', { passes })]);
  const [serverBefore, clientBefore] = await live();
  await happen();
  const [serverAfter, clientAfter] = await live();
  return { server: serverAfter - serverBefore, client: clientAfter - clientBefore };
}

function perItem(metric, grown, count) {
  return { [`${metric}-client`]: grown.client / count, [`${metric}-server`]: grown.server / count };
}
