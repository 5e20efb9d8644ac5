import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { isMainThread, threadId } from 'node:worker_threads';

import { createPeer, current, registerError } from '../../src/index.ts';
import type { ConnectOptions, Peer } from '../../src/index.ts';
import { MemoryNetwork } from '../../src/testing.ts';

/** Functions for the specs of threads. Each thread loads this file. */

export class TooHeavy extends Error {
  override name = 'TooHeavy';
  kilograms = 0;
}
registerError(TooHeavy);

/** Computes without a pause. */
function spin(ms: number): number {
  const end = performance.now() + ms;
  while (performance.now() < end);
  return ms;
}

const FUNCTIONS = {
  add: (a: number, b: number) => a + b,
  addLater: async (a: number, b: number) => {
    await sleep(1);
    return a + b;
  },
  where: () => ({ isMainThread, threadId }),
  who: () => {
    const { caller, tag, deadline, meta } = current();
    const { id, name, group, guest } = caller ?? {};
    return { meta, id, name, group, guest, tag, deadline };
  },
  spin,
  spinUntilAborted: () => {
    while (!current().signal.aborted);
    return (current().signal.reason as Error).message;
  },
  /** Tells through shared memory that it runs, and why it was aborted. */
  waitUntilAborted: async (seen: SharedArrayBuffer | undefined) => {
    const { signal } = current();
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    return seen === undefined;
  },
  echo: (value: unknown) => value,
  list: (...args: readonly unknown[]) => args,
  fail: () => {
    throw Object.assign(new TooHeavy('too heavy', { cause: new RangeError('the cause') }), { kilograms: 7 });
  },
  throwValue: (value: unknown) => {
    throw value;
  },
  exit: (code: number) => process.exit(code),
  exitLater: async (ms: number) => {
    await sleep(ms);
    process.exit(1);
  },
  eatMemory: () => {
    const eaten: unknown[] = [];
    for (;;) eaten.push(Array.from({ length: 100_000 }, (_, n) => ({ n })));
  },
  reject: () => {
    setImmediate(() => {
      throw new Error('thrown by nobody');
    });
    return sleep(60_000);
  },
  unsendable: () => () => 1,
  count: async function* count(to: number): AsyncGenerator<number, string> {
    for (let n = 0; n < to; n += 1) yield n;
    return 'done';
  },
  countThenFail: async function* countThenFail(to: number): AsyncGenerator<number> {
    for (let n = 0; n < to; n += 1) yield n;
    throw new TooHeavy('after the values');
  },
  /** Computes between its values, until the file is there. */
  computeUntil: async function* computeUntil(file: string): AsyncGenerator<string> {
    yield 'begun';
    spin(10);
    yield 'under way';
    while (!existsSync(file));
    yield 'over';
  },
  sum: async (numbers: AsyncIterable<number>) => {
    let sum = 0;
    for await (const each of numbers) sum += each;
    return sum;
  },
  double: async function* double(numbers: AsyncIterable<number>): AsyncGenerator<number> {
    for await (const each of numbers) yield each * 2;
  },
  /** Calls a function of another peer from within a thread. */
  callAny: (tag: string, args: readonly unknown[]) => own.remote(tag).any()(...(args as never[])),
  callBack: async (tag: string, value: number) => (await current().caller!.call(tag, [value])) as number,
  callStream: async function* callStream(tag: string, to: number): AsyncGenerator {
    yield* own.remote<(to: number) => AsyncGenerator<number>>(tag).any()(to);
  },
  callWithStream: (tag: string) => own.remote(tag).any()(tens() as never),
  names: async () => (await own.getPeers({ where: ({ name }) => name !== '' })).map(({ name }) => name),
  emit: () => own.event('done').emit(1),
  bytes: (bytes: Uint8Array) => bytes.toReversed(),
  keptBytes: () => KEPT,
};

async function* tens(): AsyncGenerator<number> {
  for (let n = 0; n < 50; n += 1) yield 10;
}

/** In a thread it stands for the peer that the thread belongs to. */
const own = createPeer({ network: new MemoryNetwork() });

const KEPT = new Uint8Array(100_000).fill(7);

/** Connects all of them, each as its own name. Returns them with `thread`. */
export function connectThreads(peer: Peer, options: Partial<ConnectOptions> = {}) {
  return peer.connect(
    { ...FUNCTIONS },
    { prefix: 't', replace: true, ...options, threads: options.threads ?? 1 },
  );
}

if (!isMainThread) connectThreads(own);
