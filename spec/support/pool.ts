import { SimulatedClock } from 'xstate';

import { Balance } from '../../src/many/balance.ts';
import { Candidates } from '../../src/many/candidates.ts';
import type { Pool } from '../../src/many/pool.ts';
import { PeerSet } from '../../src/presence/set/peer-set.ts';
import type { CallOptions, Evidence, RemotePeer } from '../../src/index.ts';
import type { Selector } from '../../src/presence/set/selector.ts';

export type Answer = (args: readonly unknown[], options: CallOptions) => unknown;

/** A pool whose peers answer as a test says, on a clock that the test turns. */
export class FakePool implements Pool {
  readonly id = 'local';
  readonly source = new PeerSet('main', () => new Promise(() => {}));
  readonly clock = new SimulatedClock();
  /** The next random numbers. After them, every number is one half. */
  readonly randoms: number[] = [];
  readonly random = (): number => this.randoms.shift() ?? 0.5;
  readonly balance = new Balance({ random: this.random, now: () => this.clock.now() });
  readonly deadline = 30_000;
  /** Names of the peers that were called, in this order. */
  readonly called: string[] = [];

  constructor() {
    this.source.searched = true;
  }

  candidates(selector: Selector = {}): Candidates {
    return new Candidates(this, 'work', selector);
  }

  /** A peer that joins. `answer` may throw, or return a promise. */
  join(name: string, answer: Answer, { group = 'main', functions = ['work'] } = {}): FakePeer {
    const peer = {
      ...{ id: name, name, group, hub: false, pid: 1, host: 'here', scope: 'host', functions, load: 0 },
      loadFor: () => ({ calls: peer.load, limit: Infinity }),
      has: (tag: string) => peer.functions.includes(tag),
      callWith: (_given: unknown, tag: string, args: readonly unknown[], options: CallOptions) =>
        peer.call(tag, args, options),
      call: async (_tag: string, args: readonly unknown[], options: CallOptions): Promise<unknown> => {
        this.called.push(name);
        peer.load += 1;
        try {
          return await answer(args, options);
        } finally {
          peer.load -= 1;
        }
      },
    };
    this.source.apply({ type: 'join', peer: peer as unknown as RemotePeer });
    return peer as unknown as FakePeer;
  }

  leave(peer: FakePeer): void {
    this.source.apply({ type: 'leave', peer, why: 'lost', evidence: {} as Evidence });
  }

  /** How many are set and have not fired. */
  timers(): number {
    return (this.clock as unknown as { timeouts: Map<number, unknown> }).timeouts.size;
  }

  /** Lets time pass, step by step, and everything happen that follows from it. */
  async pass(milliseconds: number): Promise<void> {
    for (let passed = 0; passed < milliseconds; passed += 1) {
      await settle();
      this.clock.increment(1);
    }
    await settle();
  }
}

export type FakePeer = RemotePeer & { load: number; functions: string[] };

/** Resolves when everything has happened that needs no time to pass. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
