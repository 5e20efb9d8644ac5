import { expect } from 'chai';
import * as fc from 'fast-check';
import { SimulatedClock } from 'xstate';

import type { Peer } from '../../src/index.ts';
import { MemoryNetwork } from '../../src/testing.ts';
import { Stage } from '../support/peers.ts';
import { deliver, pass, passUntil } from '../support/simulated.ts';

/** An event in the life of four peers, each with a clock of its own. */
export type Fate =
  | { type: 'cut' | 'stall' | 'heal'; a: number; b: number }
  /** The peer does not run for so long: its clock jumps, and meanwhile nothing reaches it. */
  | { type: 'freeze'; a: number; milliseconds: number }
  | { type: 'call'; a: number; b: number }
  | { type: 'pass'; milliseconds: number };

const index = fc.nat({ max: 3 });
const anyFate: fc.Arbitrary<Fate> = fc.oneof(
  fc.record({ type: fc.constantFrom('cut', 'stall', 'heal'), a: index, b: index }),
  fc.record({
    type: fc.constant('freeze'),
    a: index,
    milliseconds: fc.integer({ min: 500, max: 20_000 }),
  }),
  fc.record({ type: fc.constant('call'), a: index, b: index }),
  fc.record({
    type: fc.constant('pass'),
    milliseconds: fc.integer({ min: 100, max: 9_000 }),
  }),
);
export const anyFates: fc.Arbitrary<Fate[]> = fc.array(anyFate, { maxLength: 25 });

interface World {
  network: MemoryNetwork;
  peers: Peer[];
  clocks: SimulatedClock[];
  calls: Promise<unknown>[];
}

/**
 * Four peers live through these fates. Joins and leaves always come in turns, and every call settles. When it is over,
 * all are together again and nothing is left behind.
 * @param latency of the network, in ms
 */
export async function liveThrough(fates: readonly Fate[], latency: number): Promise<void> {
  const stage = new Stage();
  const network = new MemoryNetwork({ latency });
  const clocks = Array.from({ length: 4 }, () => new SimulatedClock());
  const told = new Map<string, string[]>();
  const calls: Promise<unknown>[] = [];
  const peers = clocks.map((clock, number) => {
    const peer = stage.make({ network, clock, name: `p${number}`, id: `p${number}` });
    peer.connect('echo', async (value: unknown) => value);
    const tell = (other: string, what: string): void => {
      const key = `${peer.name} of ${other}`;
      told.set(key, [...(told.get(key) ?? []), what]);
    };
    peer.peers.on('join', ({ name }) => tell(name, 'join'));
    peer.peers.on('leave', ({ name }) => tell(name, 'leave'));
    return peer;
  });
  await Promise.all(peers.map((peer) => peer.start()));
  const together = (): boolean => peers.every((peer) => peer.peers.size === 3);
  await passUntil(together, 10_000, ...clocks);
  for (const each of fates) await happen(each, { network, peers, clocks, calls });
  for (const a of peers) for (const b of peers) if (a !== b) network.heal(a, b);
  await passUntil(together, 40_000, ...clocks);
  // Long enough for whatever is still in doubt; a call that was made has its deadline after 30 s.
  await pass(32_000, ...clocks);
  expect(together(), 'together').to.equal(true);
  await Promise.all(calls);
  for (const [pair, changes] of told) {
    const turns = changes.map((_, turn) => (turn % 2 === 0 ? 'join' : 'leave'));
    expect(changes, pair).to.deep.equal(turns);
    expect(changes.at(-1), pair).to.equal('join');
  }
  for (const peer of peers) expectNothingLeft(peer);
  let stopped = false;
  void stage.clear().then(() => (stopped = true));
  await passUntil(() => stopped, 5_000, ...clocks);
}

function expectNothingLeft(peer: Peer): void {
  const counters = (name: string): object => peer.actor.system.get(name).getSnapshot().context as object;
  expect(counters('caller')).to.include({ pending: 0, waiting: 0 });
  expect(counters('dispatcher')).to.include({ running: 0 });
  // One connection a pair, and nobody in doubt.
  expect(counters('liveness')).to.include({ watched: 3, suspect: 0 });
}

async function happen(fate: Fate, { network, peers, clocks, calls }: World): Promise<void> {
  switch (fate.type) {
    case 'pass':
      await pass(fate.milliseconds, ...clocks);
      return;
    case 'freeze': {
      const frozen = peers[fate.a]!;
      const others = peers.filter((peer) => peer !== frozen);
      for (const peer of others) network.stall(frozen, peer);
      await pass(fate.milliseconds, ...clocks.filter((_, number) => number !== fate.a));
      clocks[fate.a]!.increment(fate.milliseconds);
      for (const peer of others) network.heal(frozen, peer);
      break;
    }
    case 'call': {
      // How it ends is another matter; that it ends is looked at here.
      const peer = peers[fate.a]!.peers.get(peers[fate.b]!.id);
      if (peer) calls.push(peer.call('echo', [1]).catch(() => {}));
      break;
    }
    default:
      if (fate.a !== fate.b) network[fate.type](peers[fate.a]!, peers[fate.b]!);
  }
  await deliver();
}
