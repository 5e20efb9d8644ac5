import { expect } from 'chai';

import { Link } from '../../src/connection/link/link.ts';
import type { Peer } from '../../src/peer/peer.ts';
import { MemoryNetwork } from '../../src/testing.ts';
import { eventually } from '../support/eventually.ts';
import { Stage } from '../support/peers.ts';

/** Peers that keep two links each: most of them know each other only by word of others. */
describe('a peer that is present and not linked', function () {
  const COUNT = 10;
  const stage = new Stage();
  let network: MemoryNetwork;
  let peers: Peer[];
  let before: string | undefined;

  beforeEach(async () => {
    before = process.env['APP_NET_NEIGHBOURS'];
    process.env['APP_NET_NEIGHBOURS'] = '2';
    network = new MemoryNetwork();
    peers = Array.from({ length: COUNT }, (_, index) => stage.make({ network, name: `p${index}` }));
    for (const [index, peer] of peers.entries())
      peer.connect(`only.${index}`, (value: unknown) => [index, value]);
    await Promise.all(peers.map((peer) => peer.start()));
    await eventually(() => peers.every(({ peers: others }) => others.size === COUNT - 1));
  });

  afterEach(async () => {
    if (before === undefined) delete process.env['APP_NET_NEIGHBOURS'];
    else process.env['APP_NET_NEIGHBOURS'] = before;
    await stage.clear();
  });

  const linked = (peer: Peer): Set<string> =>
    new Set([
      ...(peer.actor.getSnapshot().context as { connections: Map<string, unknown> }).connections.keys(),
    ]);

  /** Another peer to which this one has no link. */
  function unlinked(peer: Peer): number {
    const links = linked(peer);
    return peers.findIndex(({ id }) => id !== peer.id && !links.has(id));
  }

  it('has its functions, and is called over a link that the call opens', async () => {
    const [caller] = peers as [Peer];
    const index = unlinked(caller);
    expect(index).to.be.at.least(0);
    const { id } = peers[index]!;
    const remote = caller.peers.get(id)!;
    expect(remote.functions).to.deep.equal([`only.${index}`]);
    expect(caller.evidence(id)!.text).to.match(/^present by word of p\d$/);
    expect(await remote.call(`only.${index}`, ['here'])).to.deep.equal([index, 'here']);
    expect(linked(caller).has(id)).to.equal(true);
    expect(caller.evidence(id)!.held).to.equal('alive');
  });

  it('is known to all with what it connects later', async () => {
    peers[3]!.connect('late', () => 'late');
    await Promise.all(
      peers.filter((_, index) => index !== 3).map(({ peers: others }) => others.ready('late')),
    );
    expect(await peers[7]!.remote('late').any()()).to.equal('late');
  });

  it('sends its events to subscribers that have no link to it at first', async () => {
    const [subscriber] = peers as [Peer];
    const heard = new Set<number>();
    subscriber.event<number>('tick').subscribe((value) => heard.add(value));
    await eventually(() => {
      for (const [index, peer] of peers.entries()) if (index > 0) peer.event('tick').emit(index);
      return heard.size === COUNT - 1;
    });
  });

  it('takes a subscription before the calls that were made after it', async () => {
    const [caller] = peers as [Peer];
    const there = peers[unlinked(caller)]!;
    const sent: string[] = [];
    const { send } = Link.prototype;
    Link.prototype.send = function noted(this: Link, frame) {
      const [, type] =
        /^\{"type":"(subscribe|request)"/.exec(typeof frame === 'string' ? frame : frame.text) ?? [];
      if (type && this.record.id === there.id) sent.push(type);
      send.call(this, frame);
    };
    try {
      const told: string[] = [];
      there.connect('says so', () => there.event<string>('said').emit('during the call'));
      await caller.peers.ready('says so');
      caller.event<string>('said').subscribe((text) => told.push(text), { from: { name: there.name } });
      await caller.peers.get(there.id)!.call('says so');
      expect(told).to.deep.equal(['during the call']);
      expect(sent).to.deep.equal(['subscribe', 'request']);
    } finally {
      Link.prototype.send = send;
    }
  });

  it('leaves everywhere when it stops, and when it is killed', async () => {
    const story: string[] = [];
    for (const peer of [peers[1]!, peers[2]!, peers[3]!])
      peer.peers.on('leave', ({ name }, why) => story.push(`${peer.name}: ${name} ${why}`));
    await peers[8]!.stop();
    await eventually(() => story.length === 3);
    network.kill(peers[9]!);
    await eventually(() => story.length === 6);
    expect(story.toSorted()).to.deep.equal(
      ['p1', 'p2', 'p3'].flatMap((name) => [`${name}: p8 stopped`, `${name}: p9 lost`]),
    );
  });

  it('fails a call with the reason when it cannot be dialled, and stays where others see it', async () => {
    const [caller] = peers as [Peer];
    const { id } = peers[unlinked(caller)]!;
    network.cut(caller, id);
    const remote = caller.peers.get(id)!;
    const error = await remote.call('only.1').catch((reason: unknown) => reason);
    expect(error).to.include({ code: 'NOT_SENT', ran: 'no' });
    expect((error as Error).message).to.match(/^no connection to peer "p\d" .* could be opened/);
  });

  it('is found by a leaf that dials one peer only', async () => {
    const leaf = stage.make({ network, name: 'leaf', announce: false });
    const found = await leaf.getPeers();
    expect(found.map(({ name }) => name).toSorted()).to.deep.equal(peers.map(({ name }) => name));
    expect(linked(leaf).size).to.equal(1);
    for (const [index, { id }] of peers.entries())
      expect(leaf.peers.get(id)!.functions).to.deep.equal([`only.${index}`]);
    expect(peers.filter((peer) => peer.peers.get(leaf.id) !== undefined)).to.have.length(1);
  });
});
