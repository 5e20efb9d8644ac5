import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import type { Page } from 'playwright-core';

import { startDashboard } from '../../src/dashboard/dashboard.ts';
import { createPeer } from '../../src/index.ts';
import { MemoryNetwork } from '../../src/testing.ts';
import { launchChromium } from '../support/browser.ts';
import { Stage } from '../support/peers.ts';

/** MiB of live heap, of the page and of the process that serves it (with its peers). */
export interface Heaps {
  /** Minutes since the dashboard was opened. */
  minutes: number;
  page: number;
  server: number;
  /** Elements of the page. */
  elements: number;
}

const PEERS = 10;

/** ms between two calls, and between two peers that come, stay for a while, and are gone. */
const CALL = 20;
const VISIT = 5_000;
const STAY = 2_000;

/** Keeps a dashboard open for so many minutes while peers call, fail, emit, come and go. Each minute it looks at both heaps. */
export async function openDashboard(minutes: number, tell: (heaps: Heaps) => void): Promise<Heaps[]> {
  const stage = new Stage();
  const network = new MemoryNetwork();
  const all = Array.from({ length: PEERS }, (_, n) => stage.make({ network, name: `peer-${n}` }));
  for (const peer of all) {
    peer.connect('math.add', (x: number, y: number) => x + y);
    peer.connect('math.fail', () => {
      throw new Error('no');
    });
    peer.event('tick').subscribe(() => {}, { from: { group: '*' } });
  }
  await Promise.all(all.map((peer) => peer.start()));
  const observer = await stage.make({ network, name: 'observer', announce: false }).start();
  const files = new URL('../../dist/dashboard/', import.meta.url);
  const dashboard = await startDashboard({ observer, selector: { group: '*' }, port: 0, files });
  const browser = await launchChromium();
  let calls = 0;
  const work = setInterval(() => {
    calls += 1;
    const caller = all[calls % PEERS]!;
    const other = caller.peers.list().find(({ name }) => name !== caller.name);
    other?.call(calls % 10 === 0 ? 'math.fail' : 'math.add', [calls, 1]).catch(() => {});
    if (calls % 5 === 0) caller.event('tick').emit(calls);
  }, CALL);
  let visits = 0;
  const visit = setInterval(() => {
    visits += 1;
    visitFor(network, visits).catch((error: unknown) => console.error(error));
  }, VISIT);
  try {
    const page = await browser.newPage();
    await page.goto(dashboard.url);
    await page.locator('.status:has-text("live")').waitFor();
    const found: Heaps[] = [];
    const began = performance.now();
    for (let minute = 1; minute <= minutes; minute += 1) {
      await new Promise((resolve) => setTimeout(resolve, began + minute * 60_000 - performance.now()));
      const heaps = { minutes: minute, ...(await heapOf(page)), server: await ownHeap() };
      found.push(heaps);
      tell(heaps);
    }
    return found;
  } finally {
    clearInterval(work);
    clearInterval(visit);
    await browser.close();
    await dashboard.close();
    await stage.clear();
  }
}

/** One peer in two says goodbye. */
async function visitFor(network: MemoryNetwork, number: number): Promise<void> {
  const visitor = createPeer({ network, name: `visitor-${number}`, drainTime: 0 });
  await visitor.start();
  await new Promise((resolve) => setTimeout(resolve, STAY));
  if (number % 2 === 0) network.kill(visitor);
  await visitor.stop();
}

/**
 * How much more the last third has than the middle one, in MiB, by their means: in the first, tables fill that are bounded. Each peer
 * also remembers the last thousand peers that left. That was 1.6 MiB here; without visitors the process has held the same in all minutes.
 */
export function growth(found: readonly Heaps[], of: 'page' | 'server' | 'elements'): number {
  const third = Math.floor(found.length / 3);
  const mean = (some: readonly Heaps[]): number =>
    some.reduce((sum, heaps) => sum + heaps[of], 0) / some.length;
  return mean(found.slice(-third)) - mean(found.slice(-2 * third, -third));
}

async function heapOf(page: Page): Promise<{ page: number; elements: number }> {
  const session = await page.context().newCDPSession(page);
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  await session.detach();
  return { page: mebibytes(usedSize), elements: await page.locator('*').count() };
}

async function ownHeap(): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let pass = 0; pass < 4; pass += 1) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    collect();
  }
  const { heapUsed, external } = process.memoryUsage();
  return mebibytes(heapUsed + external);
}

function mebibytes(bytes: number): number {
  return Math.round((bytes / 1024 ** 2) * 100) / 100;
}
