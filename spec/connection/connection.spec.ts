import { expect } from 'chai';

import type { Peer } from '../../src/index.ts';
import { hostNetwork } from '../../src/providers/host/host-network.ts';
import { resolveOptions } from '../../src/peer/options/options.ts';
import { MemoryNetwork } from '../../src/testing.ts';
import { crossingDials } from '../soak/crossing-dials.ts';
import { eventually } from '../support/eventually.ts';
import { MeetAtOnce } from '../support/meet-at-once.ts';
import { failure, meet, Stage } from '../support/peers.ts';

describe('a connection', () => {
  const stage = new Stage();
  afterEach(() => stage.clear());

  const connectionOf = (peer: Peer, id: string) => peer.actor.system.get(`connection:${id}`);

  it('goes through dialing and authenticating to open on one side, and straight to open on the other', async () => {
    const states = new Map<string, string[]>();
    const inspect =
      (name: string) =>
      (event: { type: string; actorRef?: { id: string }; snapshot?: object }): void => {
        if (event.type !== '@xstate.snapshot' || !event.actorRef?.id.startsWith('connection:')) return;
        const { value } = event.snapshot as { value: string };
        const list = states.get(name) ?? [];
        states.set(name, list);
        if (list.at(-1) !== value) list.push(value);
      };
    const network = new MemoryNetwork();
    const { b } = await stage.pair(
      { network, id: 'lower', inspect: inspect('lower') as never },
      { network, id: 'upper', inspect: inspect('upper') as never },
    );
    await b.stop();
    await eventually(() => states.get('lower')?.includes('closed'));
    expect(states.get('lower')).to.deep.equal(['dialing', 'authenticating', 'open', 'draining', 'closed']);
    expect(states.get('upper')).to.deep.equal(['waiting', 'open', 'draining', 'closed']);
  });

  it('stays single when both sides dial at once, and loses no call', async () => {
    const found = await crossingDials(60, (round) => new MemoryNetwork({ latency: round % 5 }));
    expect(found).to.include({ joins: 120, leaves: 0, calls: 1_200 });
    expect(found.crossed).to.be.greaterThan(0);
  });

  it('stays single on real sockets too', async () => {
    const found = await crossingDials(30, async () => {
      const runtimeDir = await stage.folder();
      return hostNetwork(resolveOptions({ runtimeDir }, {}));
    });
    expect(found).to.include({ joins: 60, leaves: 0, calls: 600 });
    expect(found.crossed).to.be.greaterThan(0);
  });

  it('is not tried again from an old hint after the peer said goodbye', async () => {
    const network = new MeetAtOnce(new MemoryNetwork());
    const a = await stage.make({ network, name: 'a' }).start();
    const b = await stage.make({ network, name: 'b' }).start();
    network.release();
    await Promise.all([meet(a, b.id), meet(b, a.id)]);
    await b.stop();
    await eventually(() => connectionOf(a, b.id) === undefined);
    network.repeat();
    const { context } = a.actor.system.get('discovery').getSnapshot();
    expect([...context.candidates.keys()]).to.deep.equal([]);
  });

  it('leaves no trace when it is over', async () => {
    const network = new MemoryNetwork();
    const { a, b } = await stage.pair({ network });
    expect(connectionOf(a, b.id).getSnapshot().value).to.equal('open');
    await b.stop();
    await eventually(() => connectionOf(a, b.id) === undefined);
    expect(Object.keys(a.actor.getSnapshot().children)).to.have.members([
      'caller',
      'dispatcher',
      'liveness',
      'events',
      'discovery',
      'listener',
    ]);
  });

  it('lets running calls finish when the other side stops, and accepts no more', async () => {
    const network = new MemoryNetwork();
    const { a, b, toB } = await stage.pair({ network, drainTime: 5_000 });
    let finish: (value: string) => void = () => {};
    b.connect('slow', () => new Promise((resolve) => (finish = resolve)));
    const running = toB.call('slow');
    await eventually(() => b.actor.system.get('dispatcher').getSnapshot().context.running === 1);
    const stopping = b.stop();
    // Sent before the goodbye is here: it crosses it.
    const crossing = failure(toB.call('slow'));
    expect(b.actor.getSnapshot().value).to.equal('draining');
    expect(await crossing).to.include({ code: 'REFUSED', ran: 'no', retriable: true });
    expect(a.peers.size).to.equal(0);
    finish('done');
    expect(await running).to.equal('done');
    await stopping;
  });

  it('lets a function that runs during a stop make calls until it ends', async () => {
    const network = new MemoryNetwork();
    const { b, toA, toB } = await stage.pair({ network, drainTime: 5_000 });
    const c = await stage.make({ network, name: 'c' }).start();
    c.connect('deep', async () => 'from the deep');
    const [toC] = await meet(b, c.id);
    expect(toA.name).to.equal('a');
    let go: () => void = () => {};
    b.connect('gateway', async () => {
      await new Promise<void>((resolve) => (go = resolve));
      return toC!.call('deep');
    });
    const running = toB.call('gateway');
    await eventually(() => b.actor.system.get('dispatcher').getSnapshot().context.running === 1);
    const stopping = b.stop();
    await new Promise((resolve) => setTimeout(resolve, 30));
    go();
    expect(await running).to.equal('from the deep');
    await stopping;
  });

  it('is cut when running calls do not finish in time', async () => {
    const network = new MemoryNetwork();
    const { b, toB } = await stage.pair({ network, drainTime: 50 });
    b.connect('never', () => new Promise(() => {}));
    const call = failure(toB.call('never'));
    await eventually(() => b.actor.system.get('dispatcher').getSnapshot().context.running === 1);
    await b.stop();
    expect(await call).to.include({ code: 'CONNECTION_LOST', ran: 'unknown' });
  });

  for (const moment of ['before', 'during'] as const) {
    it(`does not wait for a function whose caller has gone ${moment} the stop`, async () => {
      const network = new MemoryNetwork();
      const { a, b, toB } = await stage.pair({ network, drainTime: 20_000 });
      // Another connection stays open meanwhile.
      const witness = await stage.make({ network, name: 'c' }).start();
      await meet(b, witness.id);
      b.connect('never', () => new Promise(() => {}));
      const call = failure(toB.call('never'));
      const { context } = b.actor.system.get('dispatcher').getSnapshot() as { context: { running: number } };
      await eventually(() => context.running === 1);
      const leave = async (): Promise<void> => {
        network.cut(a, b);
        expect(await call).to.include({ code: 'CONNECTION_LOST' });
        await eventually(() => expect([...b.peers].map(({ name }) => name)).not.to.include('a'));
      };
      if (moment === 'before') await leave();
      const began = performance.now();
      const stopping = b.stop();
      if (moment === 'during') await leave();
      await stopping;
      expect(performance.now() - began).to.be.below(10_000);
      expect(context.running).to.equal(1);
    });
  }
});
