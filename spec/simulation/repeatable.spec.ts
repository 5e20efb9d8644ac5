import child_process from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import dns from 'node:dns';
import fs from 'node:fs';
import { readFile } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';
import { scheduler } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

import { expect } from 'chai';

import { MemoryNetwork, simulate } from '../../src/testing.ts';
import { eventually } from '../support/eventually.ts';
import { Stage } from '../support/peers.ts';
import { FAULTS as faults, withNeighbours } from '../support/simulated-faults.ts';
import { failureOf } from '../support/simulation-failure.ts';
import { callsStory } from '../support/stories/calls.ts';
import { eventsStory } from '../support/stories/events.ts';
import { presenceStory } from '../support/stories/presence.ts';

const real = { setTimeout, setImmediate, now: performance.now.bind(performance), random: Math.random };

/** Repeats work in the process, beside the simulation, until the function that it returns is called. */
function beside(work: () => unknown): () => void {
  let isOver = false;
  const again = (): void => {
    if (isOver) return;
    work();
    real.setTimeout(again, real.random() * 4);
  };
  real.setTimeout(again, 0);
  return () => (isOver = true);
}

async function digestBeside(work: () => unknown): Promise<string> {
  const stop = beside(work);
  try {
    const { digest } = await simulate({ seeds: 1, faults }, eventsStory(4, 3_000));
    return digest;
  } finally {
    stop();
  }
}

function spin(): void {
  const end = real.now() + real.random() * 5;
  while (real.now() < end);
}

function turnsAndTicks(): void {
  real.setImmediate(() =>
    process.nextTick(() => void Promise.resolve().then(() => process.nextTick(() => {}))),
  );
}

describe('a story that is repeated', () => {
  const stage = new Stage();
  let quiet: string;
  before(async () => {
    quiet = await digestBeside(() => {});
  });
  afterEach(() => stage.clear());

  it('does the same while the process is busy, and while it reads files', async () => {
    expect(await digestBeside(spin)).to.equal(quiet);
    expect(await digestBeside(turnsAndTicks)).to.equal(quiet);
    expect(await digestBeside(() => void readFile(import.meta.filename))).to.equal(quiet);
  });

  // Frames of all links of a process leave together. Peers that another spec had left behind changed when those of a story did.
  it('does the same while other peers of the process call each other, and they do not notice', async () => {
    const network = new MemoryNetwork();
    const a = stage.make({ network });
    const b = stage.make({ network });
    const echo = (value: number): number => value;
    b.connect('echo', echo);
    await Promise.all([a.start(), b.start()]);
    await a.peers.ready('echo');
    const call = a.remote<typeof echo>('echo');
    const calls: Promise<number>[] = [];
    const digest = await digestBeside(() => {
      for (let count = 0; count < 30; count += 1) calls.push(call.any()(count));
    });
    expect(digest).to.equal(quiet);
    expect(calls.length).to.be.above(100);
    expect(await Promise.all(calls)).to.deep.equal(calls.map((_, index) => index % 30));
  });

  it('does not fail for what other code of the process forgets to catch', async () => {
    const names = ['unhandledRejection', 'uncaughtException'] as const;
    const before = names.map((name) => process.rawListeners(name) as (() => void)[]);
    const heard: unknown[] = [];
    for (const name of names) process.removeAllListeners(name).on(name, (error) => heard.push(error));
    try {
      let due = 0;
      const digest = await digestBeside(() => {
        void Promise.reject(new Error('forgotten'));
        due += 1;
        real.setTimeout(() => {
          due -= 1;
          expect.fail('thrown');
        }, 1);
      });
      await eventually(() => due === 0);
      expect(digest).to.equal(quiet);
      const messages = heard.map((error) => (error as Error).message);
      expect(new Set(messages)).to.deep.equal(new Set(['forgotten', 'thrown']));
    } finally {
      for (const [index, name] of names.entries()) {
        process.removeAllListeners(name);
        for (const listener of before[index]!) process.on(name, listener);
      }
    }
  });

  it('passes what other code forgets to catch to a test runner that emits it once more', async () => {
    const name = 'unhandledRejection';
    const before = process.rawListeners(name) as (() => void)[];
    const heard: unknown[] = [];
    // As mocha does: whoever else listens comes first.
    const listener = (reason: unknown, promise: unknown): void => {
      heard.push(reason);
      process.off(name, listener);
      process.emit(name, reason, promise as Promise<unknown>);
      process.on(name, listener);
    };
    process.removeAllListeners(name).on(name, listener);
    const forgotten = new Error('forgotten');
    try {
      let isDue = true;
      const digest = await digestBeside(() => {
        if (isDue) void Promise.reject(forgotten);
        isDue = false;
      });
      await eventually(() => heard.length > 0);
      expect(digest).to.equal(quiet);
      expect(heard).to.deep.equal([forgotten]);
      expect(process.rawListeners(name)).to.deep.equal([listener]);
    } finally {
      process.removeAllListeners(name);
      for (const each of before) process.on(name, each);
    }
  });

  // Whether a process with the number of a simulated one happened to exist decided who dialled whom.
  it('asks the system for nothing', async () => {
    const asked = new Set<string>();
    const modules = Object.entries({ fs, os, dns, child_process, process: { kill: process.kill } });
    const undo = modules.flatMap(([of, module]) => {
      const target = of === 'process' ? process : module;
      return Object.entries(module).flatMap(([name, original]) => {
        if (typeof original !== 'function' || /^[A-Z_]/.test(name)) return [];
        const noting = (...args: unknown[]): unknown => {
          asked.add(`${of}.${name}`);
          return Reflect.apply(original as () => unknown, module, args);
        };
        Reflect.set(target, name, Object.assign(noting, original));
        return [() => Reflect.set(target, name, original)];
      });
    });
    syncBuiltinESMExports();
    try {
      await simulate({ seeds: 2, faults }, eventsStory(4, 3_000));
      await simulate({ seeds: 1, faults }, callsStory(4, 3_000));
      await withNeighbours(2, () => simulate({ seeds: 1, faults }, presenceStory(6, 5_000)));
    } finally {
      for (const each of undo) each();
      syncBuiltinESMExports();
    }
    // The name of the host is asked for with the options, and not used.
    expect([...asked]).to.deep.equal(['os.hostname']);
  });

  it('has virtual time in every clock, and waits for threads that compress', async () => {
    const told: string[] = [];
    await simulate({ seeds: 1 }, async ({ sleep, note, now }) => {
      const before = process.hrtime();
      const exact = process.hrtime.bigint();
      await sleep(1_500);
      expect(process.hrtime(before)).to.deep.equal([1, 500_000_000]);
      expect(process.hrtime.bigint() - exact).to.equal(1_500_000_000n);
      expect(process.uptime()).to.equal(1.5);
      await scheduler.yield();
      const zipped = (await promisify(gzip)('x'.repeat(100_000))) as Buffer;
      expect(now()).to.equal(1_500);
      told.push(String(zipped.length));
      note(told.at(-1)!);
    });
    expect(told).to.have.length(2);
  });

  it('names the call that gave it something of the real process', async () => {
    const keys = await failureOf({ seeds: 1 }, ({ note }) => {
      note(generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }).x!);
    });
    expect(keys.message).to.contain('crypto.generateKeyPairSync() returns something of the real process');
    expect(keys.message).to.contain('repeatable.spec.ts');
    let ask = (): void => {};
    void new Promise<void>((resolve) => (ask = resolve));
    const fromBefore = async (): Promise<number> => {
      for (;;) {
        await new Promise<void>((resolve) => (ask = resolve));
        answers.push(Math.random());
      }
    };
    const answers: number[] = [];
    void fromBefore();
    const lost = await failureOf({ seeds: 1 }, async ({ note, sleep }) => {
      ask();
      await sleep(1);
      note(String(answers.at(-1)));
    });
    expect(lost.message).to.contain('Math.random() was called by code whose async context is lost');
    expect(lost.message).to.contain('repeatable.spec.ts');
  });

  it('says whether only the first run was different', async () => {
    let cache: string | undefined;
    const filled = await failureOf({ seeds: 1 }, ({ note }) => {
      note(cache ?? 'empty');
      cache = 'full';
    });
    expect(filled.message).to.contain('A third run did the same as the second');
    let count = 0;
    const counted = await failureOf({ seeds: 1 }, ({ note }) => {
      count += 1;
      note(String(count));
    });
    expect(counted.message).to.contain('A third run did something else again');
  });
});
