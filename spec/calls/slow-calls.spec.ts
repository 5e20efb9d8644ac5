import { expect } from 'chai';

import type { NetError, Peer, RemotePeer } from '../../src/index.ts';
import { MemoryNetwork } from '../../src/testing.ts';
import { eventually } from '../support/eventually.ts';
import { failure, Stage, underWay } from '../support/peers.ts';
import type { Pair } from '../support/peers.ts';

describe('a call that takes too long', () => {
  const stage = new Stage();
  let pair: Pair;
  let b: Peer;
  let toB: RemotePeer;

  beforeEach(async () => {
    pair = await stage.pair({ network: new MemoryNetwork() });
    ({ b, toB } = pair);
  });

  afterEach(() => stage.clear());

  const never = (): Promise<never> => new Promise(() => {});

  it('fails at its deadline, and ignores its late answer', async () => {
    let release: (value: unknown) => void = () => {};
    b.connect('slow', () => new Promise((resolve) => (release = resolve)));
    const started = performance.now();
    const error = (await failure(toB.call('slow', [], { deadline: 30 }))) as NetError;
    expect(error).to.include({ code: 'DEADLINE_EXCEEDED', ran: 'unknown', peer: b.id, tag: 'slow' });
    expect(performance.now() - started).to.be.within(29, 10_000);
    release('late');
    await eventually(() => underWay(pair).every((count) => count === 0));
  });

  it('fails at its deadline while it waits in the queue, and never runs', async () => {
    const network = new MemoryNetwork();
    const small = await stage.pair({ network }, { network, limits: { calls: 1 } });
    small.b.connect('never', never);
    const first = failure(small.toB.call('never', [], { deadline: 60 }));
    const second = (await failure(small.toB.call('never', [], { deadline: 20 }))) as NetError;
    expect(second).to.include({ code: 'DEADLINE_EXCEEDED', ran: 'no' });
    expect(await first).to.include({ code: 'DEADLINE_EXCEEDED', ran: 'unknown' });
  });

  it('rejects at once with the reason of its signal', async () => {
    b.connect('never', never);
    const controller = new AbortController();
    const call = failure(toB.call('never', [], { signal: controller.signal }));
    const reason = new Error('changed my mind');
    controller.abort(reason);
    expect(await call).to.equal(reason);
    expect(await failure(toB.call('never', [], { signal: controller.signal }))).to.equal(reason);
    expect(underWay(pair).slice(0, 2)).to.deep.equal([0, 0]);
  });

  it('tells that it may have run when the connection breaks', async () => {
    const network = new MemoryNetwork();
    const other = await stage.pair({ network });
    other.b.connect('never', never);
    const call = failure(other.toB.call('never'));
    await eventually(() => other.b.actor.system.get('dispatcher').getSnapshot().context.running === 1);
    network.cut(other.a, other.b);
    expect(await call).to.include({ code: 'CONNECTION_LOST', ran: 'unknown', retriable: false });
  });
});
