import { expect } from 'chai';

import type { Peer, Selector } from '../../src/index.ts';
import { MemoryNetwork } from '../../src/testing.ts';
import { failure, meet, Stage } from '../support/peers.ts';

describe('a wait for peers that times out', () => {
  const stage = new Stage();
  let network: MemoryNetwork;
  let asker: Peer;

  beforeEach(async () => {
    network = new MemoryNetwork();
    asker = await stage.make({ network, name: 'asker' }).start();
  });
  afterEach(() => stage.clear());

  async function join(group: string, ...tags: string[]): Promise<void> {
    const peer = stage.make({ network, group });
    for (const tag of tags) peer.connect(tag, () => 1);
    await peer.start();
    await meet(asker, peer.id);
  }

  async function ready(which: string | Selector, min = 1): Promise<string> {
    const error = await failure(asker.peers.ready(which, { min, signal: AbortSignal.timeout(5) }));
    expect(error).to.be.instanceOf(DOMException).and.to.have.property('name', 'TimeoutError');
    expect(error).to.have.property('cause').that.is.instanceOf(DOMException);
    return (error as Error).message.replace('the peers were not there in time: ', '');
  }

  it('says that nobody is there', async () => {
    expect(await ready('resize')).to.equal('no other peer is there; npx app-net doctor looks for the reason');
  });

  it('says who is there without the function, and which group has it', async () => {
    await join('main');
    await join('main', 'img.resize@2');
    await join('gpu', 'img.resize@1');
    expect(await ready('img.resize@1')).to.equal(
      '2 peers in group main, none has img.resize@1; there is img.resize@2; group gpu has one that does',
    );
    expect(await ready({ has: 'img.resize@1' })).to.match(/^2 peers in group main, none has img.resize@1/);
    expect(await ready({ group: '*', has: 'other' })).to.equal('3 peers in all groups, none has other');
  });

  it('says how many there are of those that were asked for', async () => {
    await join('main', 'resize');
    await join('main', 'resize');
    await join('main');
    expect(await ready('resize', 3)).to.equal('3 peers in group main, 2 have resize, and 3 were asked for');
    expect(await ready({}, 5)).to.equal('3 peers in group main, and 5 were asked for');
  });

  it('says that a group is empty, and which fields of a selector no peer fits', async () => {
    await join('main');
    expect(await ready({ group: 'gpu' })).to.equal('no peers in group gpu; group main has one more');
    expect(await ready({ name: 'x', hub: true })).to.equal(
      'no peers in group main that fit name, hub; group main has one more',
    );
  });

  it('rejects with any other reason of its signal as it is', async () => {
    const controller = new AbortController();
    const wait = failure(asker.peers.ready('resize', { signal: controller.signal }));
    controller.abort('enough');
    expect(await wait).to.equal('enough');
  });
});

describe('a wait for subscribers that times out', () => {
  const stage = new Stage();
  afterEach(() => stage.clear());

  async function ready(emitter: Peer, min = 1): Promise<string> {
    const wait = emitter.event('job.done').ready({ min, signal: AbortSignal.timeout(5) });
    const error = await failure(wait);
    expect(error).to.be.instanceOf(DOMException).and.to.have.property('name', 'TimeoutError');
    expect(error).to.have.property('cause').that.is.instanceOf(DOMException);
    return (error as Error).message.replace('the subscribers were not there in time: ', '');
  }

  it('says who is there, who subscribes, and to which similar event', async () => {
    const network = new MemoryNetwork();
    const emitter = await stage.make({ network }).start();
    expect(await ready(emitter)).to.equal('no other peer is there; npx app-net doctor looks for the reason');
    const other = await stage.make({ network }).start();
    await meet(emitter, other.id);
    expect(await ready(emitter)).to.equal('1 peer, none subscribes to "job.done"');
    other.event('job.dome').subscribe(() => {});
    await emitter.event('job.dome').ready();
    expect(await ready(emitter, 2)).to.equal(
      '1 peer, none subscribes to "job.done", and 2 were asked for; there are subscribers of job.dome',
    );
    other.event('job.done').subscribe(() => {});
    await emitter.event('job.done').ready();
    expect(await ready(emitter, 2)).to.equal('1 peer, 1 subscribes to "job.done", and 2 were asked for');
  });

  it('rejects with any other reason of its signal as it is, and refuses unknown options', async () => {
    const tick = stage.make({ network: new MemoryNetwork() }).event('tick');
    const controller = new AbortController();
    const wait = failure(tick.ready({ signal: controller.signal }));
    controller.abort('enough');
    expect(await wait).to.equal('enough');
    expect(() => tick.ready({ timeout: 5 } as object)).to.throw(TypeError, 'there is no option timeout');
  });
});

describe('a call to a peer that is lost', () => {
  const stage = new Stage();
  afterEach(() => stage.clear());

  for (const silent of [true, false]) {
    it(
      silent ? 'says what silence looks like' : 'says nothing of silence when it was not silent',
      async () => {
        const network = new MemoryNetwork();
        // Short times only where they are waited for: a stall of this process would look like silence.
        const times = silent ? { ping: 40, suspect: 80 } : {};
        const { a, b, toB } = await stage.pair({ network, ...times, limits: { calls: 1 } });
        b.connect('hang', () => new Promise(() => {}));
        await a.peers.ready('hang');
        const sent = failure(toB.call('hang'));
        const waits = failure(toB.call('hang'));
        if (silent) network.stall(a, b);
        else network.cut(a, b);
        const says = (await Promise.all([sent, waits])).map((error) => (error as Error).message);
        const about = /: silent for 0\.\d s; a function that blocks the event loop looks like this/;
        for (const message of says) {
          if (silent) expect(message).to.match(about);
          else expect(message).not.to.match(/silent/);
        }
        expect(await sent).to.include({ code: 'CONNECTION_LOST', ran: 'unknown' });
        expect(await waits).to.include({ code: 'NOT_SENT', ran: 'no' });
      },
    );
  }
});
