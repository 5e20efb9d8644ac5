import { expect } from 'chai';
import { SimulatedClock } from 'xstate';

import type { Evidence, Peer } from '../../src/index.ts';
import { MemoryNetwork } from '../../src/testing.ts';
import { failure, Stage } from '../support/peers.ts';
import { deliver, pass, passUntil } from '../support/simulated.ts';

describe('liveness', () => {
  const stage = new Stage();
  let network: MemoryNetwork;
  let clock: SimulatedClock;

  beforeEach(() => {
    network = new MemoryNetwork();
    clock = new SimulatedClock();
  });

  afterEach(() => stage.clear());

  interface Story {
    peer: Peer;
    told: string[];
    evidence: Evidence[];
  }

  /** A peer that has begun to start, and what it sees of the others. */
  function tell(name: string, on = clock): Story {
    const peer = stage.make({ network, clock: on, name, id: name });
    peer.connect(`at ${name}`, () => name);
    peer.connect(`never at ${name}`, () => new Promise(() => {}));
    const story: Story = { peer, told: [], evidence: [] };
    peer.peers.on('join', (other) => story.told.push(`+${other.name}`));
    peer.peers.on('leave', (other, why, evidence) => {
      story.told.push(`-${other.name} ${why}`);
      story.evidence.push(evidence);
    });
    return story;
  }

  async function meet(stories: Story[], ...clocks: SimulatedClock[]): Promise<void> {
    await Promise.all(stories.map(({ peer }) => peer.start()));
    const everybody = stories.length - 1;
    await passUntil(() => stories.every(({ peer }) => peer.peers.size === everybody), 5_000, ...clocks);
    for (const story of stories) story.told.length = 0;
  }

  const state = (story: Story, id: string): unknown =>
    story.peer.actor.system.get(`connection:${id}`)?.getSnapshot().value;

  it('keeps idle peers for as long as they are there', async () => {
    const [a, b] = [tell('a'), tell('b')];
    await meet([a, b], clock);
    await pass(60_000, clock);
    expect([a.told, b.told]).to.deep.equal([[], []]);
    const evidence = a.peer.evidence('b')!;
    expect(evidence).to.include({ held: 'alive', ownLag: 0, redial: undefined });
    expect(evidence.silent).to.be.within(0, 2_500);
    expect(String(evidence)).to.match(/^silent [0-2]\.\d s, own lag 0 ms$/);
  });

  it('decides by one fresh dial after six seconds of silence: both sides see a leave within nine', async () => {
    const [a, b] = [tell('a'), tell('b')];
    await meet([a, b], clock);
    network.stall('a', 'b');
    await passUntil(() => state(a, 'b') === 'suspect', 6_600, clock);
    const doubted = a.peer.evidence('b')!;
    expect(doubted).to.include({ held: 'suspect', redial: 'under way' });
    expect(doubted.silent).to.be.within(5_900, 6_200);
    expect(a.told).to.deep.equal([]);
    expect(a.peer.actor.system.get('discovery').getSnapshot().context.candidates.get('b').state).to.equal(
      'suspect',
    );
    await passUntil(() => a.told.length + b.told.length === 2, 2_400, clock);
    expect([a.told, b.told]).to.deep.equal([['-b lost'], ['-a lost']]);
    expect(String(a.evidence[0])).to.match(/^silent 8\.\d s, own lag 0 ms, redial timed out$/);
    expect(a.peer.evidence('b')).to.equal(a.evidence[0]);

    network.heal('a', 'b');
    await passUntil(() => a.told.length + b.told.length === 4, 15_000, clock);
    expect([a.told, b.told]).to.deep.equal([
      ['-b lost', '+b'],
      ['-a lost', '+a'],
    ]);
    expect(a.peer.evidence('b')!.held).to.equal('alive');
  });

  it('does not suspect a peer after less than six seconds of silence', async () => {
    const [a, b] = [tell('a'), tell('b')];
    await meet([a, b], clock);
    for (let round = 0; round < 5; round += 1) {
      network.stall('a', 'b');
      await pass(5_000, clock);
      expect([state(a, 'b'), state(b, 'a')]).to.deep.equal(['open', 'open']);
      network.heal('a', 'b');
      await pass(1_000, clock);
    }
    expect([a.told, b.told]).to.deep.equal([[], []]);
  });

  it('drops a suspicion when something arrives before the dial has decided', async () => {
    const [a, b] = [tell('a'), tell('b')];
    await meet([a, b], clock);
    network.stall('a', 'b');
    await passUntil(() => state(a, 'b') === 'suspect' && state(b, 'a') === 'suspect', 6_600, clock);
    network.heal('a', 'b');
    await pass(3_000, clock);
    expect([state(a, 'b'), state(b, 'a')]).to.deep.equal(['open', 'open']);
    expect([a.told, b.told]).to.deep.equal([[], []]);
    expect(a.peer.evidence('b')).to.include({ held: 'alive', redial: undefined });
    expect(await a.peer.peers.get('b')!.call('at b')).to.equal('b');
  });

  it('is not judged by a peer that was itself stopped', async () => {
    const own = new SimulatedClock();
    const [a, b] = [tell('a', own), tell('b')];
    await meet([a, b], clock, own);
    // The clock of `a` jumps: it was suspended for an hour. Then the network is silent for five seconds more.
    own.increment(3_600_000);
    expect(a.peer.evidence('b')!.ownLag).to.be.greaterThan(3_000_000);
    network.stall('a', 'b');
    await pass(5_000, own);
    expect(state(a, 'b')).to.equal('open');
    network.heal('a', 'b');
    await pass(1_000, own);
    expect(a.told).to.deep.equal([]);
    expect(state(a, 'b')).to.equal('open');
  });

  it('lets a peer that was given up while it was stopped see no leave', async () => {
    const frozen = new SimulatedClock();
    const others = ['a', 'b', 'c'].map((name) => tell(name));
    const stopped = tell('s', frozen);
    await meet([...others, stopped], clock, frozen);
    for (const { peer } of others) network.stall(peer, 's');
    await pass(7_000, clock);
    frozen.increment(15_000);
    await passUntil(() => others.every(({ told }) => told.length === 1), 3_000, clock);
    for (const { told } of others) expect(told).to.deep.equal(['-s lost']);
    for (const { peer } of others) network.heal(peer, 's');
    await passUntil(() => others.every(({ told }) => told.length === 2), 5_000, clock, frozen);
    for (const { told } of others) expect(told).to.deep.equal(['-s lost', '+s']);
    await pass(10_000, clock, frozen);
    expect(stopped.told).to.deep.equal([]);
    expect(await stopped.peer.peers.get('a')!.call('at a')).to.equal('a');
    expect(await others[0]!.peer.peers.get('s')!.call('at s')).to.equal('s');
  });

  it('is not vouched for by a peer that stood still and has heard nothing of it since', async () => {
    const [frozen, blocked] = [new SimulatedClock(), new SimulatedClock()];
    const others = ['a', 'b', 'c'].map((name) => tell(name));
    const [still, gone] = [tell('s', frozen), tell('d', blocked)];
    await meet([...others, still, gone], clock, frozen, blocked);
    for (const { peer } of [...others, still]) network.stall(peer, 'd');
    await pass(7_000, clock);
    frozen.increment(7_000);
    await passUntil(() => others.every(({ told }) => told.length === 1), 3_000, clock, frozen);
    for (const { told } of others) expect(told).to.deep.equal(['-d lost']);
    for (const { peer } of [...others, still]) network.heal(peer, 'd');
    await pass(1_000, clock, frozen, blocked);
  });

  it('is kept through a peer that stood still, once that one has heard it again', async () => {
    const frozen = new SimulatedClock();
    const [a, b, s, d] = [tell('a'), tell('b'), tell('s', frozen), tell('d')];
    await meet([a, b, s, d], clock, frozen);
    for (const name of ['a', 'b']) network.stall(name, 'd');
    await pass(4_000, clock);
    frozen.increment(4_000);
    await pass(9_000, clock, frozen);
    expect([a.told, b.told, s.told]).to.deep.equal([[], [], []]);
    expect(state(s, 'd')).to.equal('open');
  });

  it('keeps calls waiting that are made to a suspect without a connection', async () => {
    const frozen = new SimulatedClock();
    const [a, s] = [tell('a'), tell('s', frozen)];
    await meet([a, s], clock, frozen);
    const toA = s.peer.peers.get('a')!;
    const under = failure(toA.call('never at a'));
    await deliver();
    network.stall('a', 's');
    await pass(7_000, clock);
    frozen.increment(15_000);
    await passUntil(() => a.told.length === 1, 3_000, clock);
    await passUntil(() => state(s, 'a') === 'suspect', 1_000, frozen);
    // The call on the broken connection has its answer. A new call does not fail.
    expect(await under).to.include({ code: 'CONNECTION_LOST', ran: 'unknown' });
    const waiting = toA.call('at a');
    network.heal('a', 's');
    await passUntil(() => state(s, 'a') === 'open', 3_000, clock, frozen);
    expect(await waiting).to.equal('a');
    expect(s.told).to.deep.equal([]);
  });

  it('decides against a peer that cannot be dialled any more', async () => {
    const frozen = new SimulatedClock();
    const [a, s] = [tell('a'), tell('s', frozen)];
    await meet([a, s], clock, frozen);
    frozen.increment(15_000);
    network.kill('a');
    await passUntil(() => s.told.length > 0, 3_000, frozen);
    expect(s.told).to.deep.equal(['-a lost']);
    expect(String(s.evidence[0])).to.match(
      /^silent 0\.\d s, own lag 1\d{4} ms, the connection closed \(1006\), redial refused$/,
    );
  });

  it('soon dials a peer that was lost together with one that is back', async () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    const stories = names.map((name) => tell(name));
    await meet(stories, clock);
    for (const name of names.slice(1)) network.cut('a', name);
    // So long that the pauses between two dials have become those of ten seconds.
    await pass(120_000, clock);
    for (const name of names.slice(1)) network.heal('a', name);
    const [alone] = stories as [Story];
    await passUntil(() => alone.peer.peers.size > 0, 10_100, clock);
    expect(await passUntil(() => alone.peer.peers.size === 5, 2_500, clock)).to.be.below(2_500);
  });

  it('tells why a peer has left, and the result of the search for it', async () => {
    const [a, b, c] = [tell('a'), tell('b'), tell('c')];
    await meet([a, b, c], clock);
    expect(a.peer.evidence('nobody')).to.equal(undefined);
    await b.peer.stop();
    await deliver();
    expect(a.peer.evidence('b')).to.include({ held: 'gone', why: 'stopped', detail: 'it said goodbye' });
    network.cut('a', 'c');
    // It is dialled once more before it counts as lost.
    await passUntil(() => a.told.length === 2, 1_000, clock);
    expect(a.peer.evidence('c')).to.include({ held: 'gone', why: 'lost' });
    expect(a.evidence.at(-1)!.text).to.match(
      /^silent 0\.\d s, own lag 0 ms, memory:\d+ cannot be reached, redial failed$/,
    );
    network.cut('a', 'd');
    const d = tell('d');
    await d.peer.start();
    await pass(3_000, clock);
    expect(String(a.peer.evidence('d'))).to.match(
      /^hinted at by memory, \d+ dials? failed: memory:\d+ cannot be reached$/,
    );
    await a.peer.stop();
    expect(a.peer.evidence('c')).to.equal(undefined);
  });
});
