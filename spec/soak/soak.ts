import { expect } from 'chai';
import * as fc from 'fast-check';

import { hostNetwork } from '../../src/providers/host/host-network.ts';
import { resolveOptions } from '../../src/peer/options/options.ts';
import { Stage } from '../support/peers.ts';
import { live } from '../support/membership-fates.ts';
import { needLan } from '../support/lan.ts';
import { needChromiumHere } from '../support/browser.ts';
import { needNats } from '../support/nats-server.ts';
import type { LanHost } from '../support/lan-host.ts';
import { CabledPeers } from './cable.ts';
import { callsThroughCuts } from './calls-through-cuts.ts';
import { connects, expectNothingLeft } from './connects.ts';
import { crossingDials } from './crossing-dials.ts';
import { anyFates, liveThrough } from './fates.ts';
import { frozen } from './frozen.ts';
import { mdnsFlood } from './mdns-flood.ts';
import { natsCluster } from './nats-cluster.ts';
import { growth, openDashboard } from './open-dashboard.ts';
import { restarts } from './restarts.ts';
import { saturated } from './saturated.ts';
import { simulations } from './simulations.ts';

/** A thousand rounds of the cluster at NATS take half an hour at least. */
const CLUSTER_ROUNDS = Number(process.env['SOAK_NATS_ROUNDS'] ?? 1_000);

const DASHBOARD_MINUTES = Number(process.env['SOAK_DASHBOARD_MINUTES'] ?? 30);

/** The long forms of what the specs show in short: `npm run soak`, two hours. Each prints what it measured. */

describe('in the long run', function () {
  this.timeout(0);
  const stage = new Stage();
  afterEach(() => stage.clear());

  it('a million calls through a thousand cuts settle once each, and run at most once', async () => {
    const seed = Number(process.env['SOAK_SEED'] ?? Date.now() % 1_000_000);
    const tally = await callsThroughCuts(1_000_000, 1_000, seed);
    console.log({ seed, ...tally });
    expect(tally.broken).to.deep.equal([]);
    expect(tally.cuts).to.equal(1_000);
  });

  it('whatever happens to the network and to processes, all are together again, and nothing was told twice', async () => {
    await fc.assert(fc.asyncProperty(anyFates, fc.nat({ max: 30 }), liveThrough), { numRuns: 5_000 });
  });

  it('in ten thousand simulated networks all see all again, whatever happened', () => {
    const first = Number(process.env['SOAK_SEED'] ?? Date.now() % 1_000_000_000);
    for (let seed = first; seed < first + 10_000; seed += 1) {
      const { wrong, story } = live(seed);
      expect(wrong, [`seed ${seed}`, ...story].join('\n')).to.equal(undefined);
    }
  });

  it('simulated peers keep every promise with hundreds of seeds', async () => {
    const first = Number(process.env['SOAK_SEED'] ?? Date.now() % 1_000_000_000);
    console.log(await simulations(first, 400));
  });

  it('ten thousand peers that come and go leave nothing behind', async () => {
    const { before, after } = await connects(10_000);
    console.log(before, after);
    expectNothingLeft(before, after);
  });

  it('a thousand times two peers dial each other at once, and are connected once', async () => {
    const found = await crossingDials(1_000, async () =>
      hostNetwork(resolveOptions({ runtimeDir: await stage.folder() }, {})),
    );
    console.log(found);
    expect(found).to.include({ joins: 2_000, leaves: 0, calls: 20_000 });
  });

  it('a process that is started anew a hundred times on one port is another one each time', async () => {
    for (const id of [undefined, 'always-the-same']) {
      const { story, broken } = await restarts(50, id);
      console.log(`${story.length} joins and leaves`);
      expect(broken).to.deep.equal([]);
    }
  });

  it('a thousand times a server of three is killed while fifty peers at NATS call: nobody leaves', async function () {
    needNats(this);
    await expectOnlyPauses({ rounds: CLUSTER_ROUNDS });
  });

  it('a NATS server that dies while another one is still coming back makes nobody leave', async function () {
    needNats(this);
    await expectOnlyPauses({ rounds: Math.ceil(CLUSTER_ROUNDS / 10), overlap: true });
  });

  it('a process that does not run for a while is missed, and misses nobody', async () => {
    const { stopped, blocked } = await frozen(10, 15_000);
    console.log(stopped, blocked);
    for (const freeze of [stopped, blocked]) {
      expect(freeze.leave).to.be.below(10_000);
      expect(freeze.rejoin).to.be.below(5_000);
      expect(freeze.ownLeaves).to.deep.equal([]);
      expect(freeze.joins).to.deep.equal(freeze.joins.map(() => 1));
    }
  });

  it('a dashboard that is open for half an hour holds no more memory in the end', async function () {
    needChromiumHere(this);
    const found = await openDashboard(DASHBOARD_MINUTES, (heaps) => console.log(heaps));
    const grown = { page: growth(found, 'page'), server: growth(found, 'server') };
    console.log(grown);
    expect(grown.page).to.be.below(1);
    expect(grown.server).to.be.below(3);
  });

  it('ten thousand lies a second about who is on the LAN are borne', async () => {
    for (const senders of [1, 50]) {
      const flood = await mdnsFlood(30, 10_000, senders);
      console.log({ senders, ...flood, dials: JSON.stringify(flood.dials) });
      expect(flood.leaves).to.deep.equal([]);
      for (const { perSecond } of flood.dials) expect(perSecond).to.be.below(10);
      expect(flood.join).to.be.below(5_000);
      expect(flood.heap).to.be.below(32);
      expect(flood.candidates).to.be.below(1_100);
    }
  });

  it('ten hosts see a pulled cable, a black hole and a split, and are all back soon after', async function () {
    await needLan(this);
    const peers = await CabledPeers.start(10);
    try {
      const [one, ...rest] = peers.hosts as [LanHost, ...LanHost[]];
      const halves = [peers.hosts.slice(0, 5), peers.hosts.slice(5)];
      const breaks = {
        cable: await peers.break([[one], rest], () => one.cut(), 30_000),
        'black hole': await peers.break([[one], rest], () => one.lose(), 5_000),
        split: await peers.break(halves, () => peers.lan.split(...halves), 30_000),
      };
      console.log(breaks);
      for (const { leave, rejoin } of Object.values(breaks)) {
        expect(leave).to.be.below(10_000);
        expect(rejoin).to.be.below(10_000);
      }
    } finally {
      await peers.close();
    }
  });

  it('nobody is missed when all cores are busy for a minute', async () => {
    const { leaves, worstLag } = await saturated(6, 60_000);
    console.log({ worstLag });
    expect(leaves).to.deep.equal([]);
  });
});

async function expectOnlyPauses(options: { rounds: number; overlap?: boolean }): Promise<void> {
  const progress = (round: number, pause: number): void => {
    if ((round + 1) % 50 === 0) console.log(`round ${round + 1}: ${Math.round(pause)} ms`);
  };
  const found = await natsCluster({ count: 50, processes: 5, ...options, progress });
  const { wrong, told, pauses, usual, ...tally } = found;
  const shares = (times: number[]): object => {
    const share = (part: number): number => Math.round(times[Math.ceil(part * times.length) - 1]!);
    return { median: share(0.5), p99: share(0.99), max: share(1) };
  };
  const pause = { longest: shares(pauses), usual: shares(usual) };
  console.log({ ...tally, ...pause, wrong: wrong.length, told: told.length });
  expect([wrong, told]).to.deep.equal([[], []]);
}
