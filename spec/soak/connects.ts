import { createHook } from 'node:async_hooks';
import { readdirSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { expect } from 'chai';

import { createPeer } from '../../src/index.ts';
import type { Peer } from '../../src/index.ts';
import { eventually } from '../support/eventually.ts';
import { Stage } from '../support/peers.ts';

/** The resources that a process holds. */
export interface Holdings {
  /** Open at every one of several looks. */
  files: number;
  /** Timers, sockets and watches, also those that do not hold the process. */
  resources: Record<string, number>;
  /** On the process itself. */
  listeners: number;
  /** Bytes of live heap and of what hangs on it. */
  heap: number;
}

/** Lets so many peers come, be called, and go, each with an id of its own, and compares what is held before and after. */
export async function connects(count: number): Promise<{ before: Holdings; after: Holdings }> {
  const stage = new Stage();
  const counter = new ResourceCounter();
  const runtimeDir = await stage.folder();
  const stays = await stage.make({ runtimeDir, name: 'stays' }).start();
  stays.connect('twice', (value: number) => 2 * value);
  const visitor = async (number: number): Promise<void> => {
    await using peer: Peer = createPeer({ runtimeDir, name: `visitor ${number}`, announce: false });
    await peer.start();
    const [there] = await peer.peers.ready('twice');
    const value = await there.call('twice', [number]);
    if (value !== 2 * number) throw new Error(`twice ${number} is ${String(value)}`);
  };
  const visit = async (visits: number): Promise<void> => {
    let next = 0;
    const one = async (): Promise<void> => {
      while (next < visits) await visitor((next += 1));
    };
    await Promise.all(Array.from({ length: 8 }, one));
    await eventually(() => stays.peers.size === 0);
  };
  // The first ones load code, and fill the tables of those that left, which hold a thousand.
  await visit(Math.min(1_200, count));
  const before = await holdings(counter);
  await visit(count);
  const after = await holdings(counter);
  await stage.clear();
  counter.stop();
  return { before, after };
}

/** A timer more or less is what happens to run at the moment; what leaks is there as often as peers have come. */
export function expectNothingLeft(before: Holdings, after: Holdings): void {
  expect(after.files).to.be.at.most(before.files);
  expect(after.listeners).to.be.at.most(before.listeners);
  for (const [kind, count] of Object.entries(after.resources)) {
    expect(count, kind).to.be.at.most((before.resources[kind] ?? 0) + 2);
  }
  expect(after.heap - before.heap).to.be.below(5 * 1024 * 1024);
}

/** Node's own list has only what keeps the event loop alive, and nothing of this library does. */
class ResourceCounter {
  readonly #live = new Map<number, string>();
  readonly #hook = createHook({
    init: (id, kind) => {
      if (KINDS.has(kind)) this.#live.set(id, kind);
    },
    destroy: (id) => this.#live.delete(id),
  }).enable();

  stop(): void {
    this.#hook.disable();
  }

  count(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const kind of this.#live.values()) counts[kind] = (counts[kind] ?? 0) + 1;
    return counts;
  }
}

const KINDS = new Set(['Timeout', 'TCPWRAP', 'TCPSERVERWRAP', 'FSEVENTWRAP', 'TLSWRAP', 'UDPWRAP']);

async function holdings(counter: ResourceCounter): Promise<Holdings> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  let files = Infinity;
  for (let pass = 0; pass < 16; pass += 1) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    collect();
    // A peer that looks into its runtime directory opens it for a moment, and a busy processor makes that long. What leaks stays open.
    files = Math.min(files, readdirSync('/proc/self/fd').length);
  }
  const { heapUsed, external } = process.memoryUsage();
  return {
    files,
    resources: counter.count(),
    listeners: process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0),
    heap: heapUsed + external,
  };
}
