import { expect } from 'chai';
import type { SimulatedClock } from 'xstate';

import { MdnsProvider } from '../../src/providers/mdns/mdns.ts';
import { writeResponse } from '../../src/providers/mdns/packet.ts';
import { ownRecords } from '../../src/providers/mdns/records.ts';
import { announcement, Heard, MdnsHosts } from '../support/mdns-hosts.ts';
import type { Interfaces } from '../support/mdns-hosts.ts';
import { elapse, interfaceOf } from '../support/multicast.ts';
import type { Segment } from '../support/multicast.ts';

describe('the LAN provider', () => {
  let hosts: MdnsHosts;
  let clock: SimulatedClock;
  let segment: Segment;
  let start: MdnsHosts['start'];

  beforeEach(() => {
    hosts = new MdnsHosts();
    ({ clock, segment, start } = hosts);
  });
  afterEach(() => hosts.stop());

  it('finds present and new peers, and notices goodbyes', async () => {
    const a = await start(announcement('a'), { eth0: interfaceOf('10.0.0.1/24') });
    await elapse(clock, 1_000);
    const b = await start(announcement('b', 5000), { eth0: interfaceOf('10.0.0.2/24') });
    await elapse(clock, 400);
    expect(a.heard.where('b')).to.deep.equal(['10.0.0.2:5000']);
    expect(b.heard.where('a')).to.deep.equal(['10.0.0.1:4000']);
    expect(b.heard.all).to.deep.equal(['found a', 'scanned']);
    await b.provider.stop();
    await elapse(clock, 2_500);
    expect(a.heard.all).to.deep.equal(['scanned', 'found b', 'lost b']);
    expect(segment.sockets).to.equal(1);
  });

  it('finds in its first search peers that have just answered somebody else', async () => {
    await start(announcement('a'), { eth0: interfaceOf('10.0.0.1/24') });
    await elapse(clock, 10_000);
    for (const host of ['10.0.0.2/24', '10.0.0.3/24', '10.0.0.4/24']) {
      // Like those of commands: they only look.
      const looking = { ...announcement('looking'), addresses: [] };
      const { heard, provider } = await start(looking, { eth0: interfaceOf(host) });
      await elapse(clock, 400);
      expect(heard.all, host).to.deep.equal(['found a', 'scanned']);
      await provider.stop();
    }
  });

  it('ends its search after a moment, or at once when there is nothing to ask', async () => {
    const a = await start(announcement('a'), { eth0: interfaceOf('10.0.0.1/24') });
    expect(a.heard.all).to.deep.equal([]);
    await elapse(clock, 400);
    expect(a.heard.all).to.deep.equal(['scanned']);
    const alone = await start(announcement('b'), {});
    expect(alone.heard.all).to.deep.equal(['scanned']);
  });

  it('reports a peer once, however many paths lead to it, and follows their changes', async () => {
    const there = { eth0: interfaceOf('10.0.0.2/24'), eth1: interfaceOf('10.1.0.2/24', 'fd00::2/64') };
    const a = await start(announcement('a'), {
      eth0: interfaceOf('10.0.0.1/24'),
      eth1: interfaceOf('10.1.0.1/24', 'fd00::1/64'),
    });
    await start(announcement('b'), there);
    await elapse(clock, 500);
    expect(a.heard.where('b')).to.have.members([
      '10.0.0.2:4000',
      '10.1.0.2:4000',
      '[fd00::2]:4000'.replace(/[[\]]/g, ''),
    ]);
    Reflect.deleteProperty(there, 'eth1');
    await elapse(clock, 4_000);
    expect(a.heard.where('b')).to.deep.equal(['10.0.0.2:4000']);
    expect(a.heard.all).not.to.include('lost b');
  });

  it('leaves peers of its own host to the host provider for a moment', async () => {
    const here = { eth0: interfaceOf('10.0.0.1/24', 'fd00::1/64') };
    const a = await start(announcement('a'), here);
    await start(announcement('b'), here);
    await elapse(clock, 200);
    expect(a.heard.where('b')).to.deep.equal([]);
    await elapse(clock, 250);
    expect(a.heard.where('b')).to.have.members(['10.0.0.1:4000', 'fd00::1:4000']);
    expect(a.heard.all.filter((each) => each === 'found b')).to.have.length(1);
  });

  it('announces on each link only reachable addresses that the peer listens on', async () => {
    const interfaces = { eth0: interfaceOf('10.0.0.1/24', 'fd00::1/64'), eth1: interfaceOf('10.1.0.1/24') };
    const said = async (host: string): Promise<string[]> => {
      const { provider } = await start(announcement(`on-${host.replaceAll(/\W/g, '_')}`), interfaces, host);
      segment.sent.splice(0);
      await elapse(clock, 300);
      const answers = segment.sent.flatMap(({ packet }) => packet.answers);
      await provider.stop();
      return answers.flatMap((each) => (each.type === 'A' || each.type === 'AAAA' ? [each.data] : []));
    };
    // Once for IPv4 and once for IPv6.
    expect(await said('::')).to.deep.equal(['10.0.0.1', 'fd00::1', '10.0.0.1', 'fd00::1', '10.1.0.1']);
    expect(await said('0.0.0.0')).to.deep.equal(['10.0.0.1', '10.0.0.1', '10.1.0.1']);
    expect(await said('10.1.0.1')).to.deep.equal(['10.1.0.1']);
  });

  it('searches and announces nothing for a peer that is not announced', async () => {
    await start(announcement('a'), { eth0: interfaceOf('10.0.0.1/24') });
    const silent = { ...announcement('silent'), addresses: [] };
    const b = await start(silent, { eth0: interfaceOf('10.0.0.2/24') });
    await elapse(clock, 10_000);
    expect(b.heard.where('a')).to.deep.equal(['10.0.0.1:4000']);
    const own = segment.sent.filter(({ from }) => from === '10.0.0.2');
    expect(own.every(({ packet }) => packet.kind === 'query')).to.equal(true);
    expect(JSON.stringify(own)).not.to.include('silent');
  });

  it('reveals neither a secret nor the kind of program', async () => {
    await start(announcement('a'), { eth0: interfaceOf('10.0.0.1/24') });
    await elapse(clock, 5_000);
    expect(JSON.stringify(segment.sent)).not.to.match(/not to be said|127\.0\.0\.1|pid/);
  });

  it('uses new interfaces, and forgets peers on interfaces that are gone', async () => {
    const here: Interfaces = { eth0: interfaceOf('10.0.0.1/24') };
    const a = await start(announcement('a'), here);
    await start(announcement('b'), { wlan0: interfaceOf('10.9.0.2/24') });
    await elapse(clock, 5_000);
    expect(a.heard.where('b')).to.deep.equal([]);
    here['wlan0'] = interfaceOf('10.9.0.1/24');
    await elapse(clock, 2_000);
    expect(a.heard.where('b')).to.deep.equal(['10.9.0.2:4000']);
    delete here['wlan0'];
    await elapse(clock, 2_000);
    expect(a.heard.where('b')).to.deep.equal([]);
    // Another address of the same interface is announced, too.
    here['wlan0'] = interfaceOf('10.9.0.7/24');
    await elapse(clock, 2_000);
    expect(a.heard.where('b')).to.deep.equal(['10.9.0.2:4000']);
  });

  it('ignores packets from outside the link', async () => {
    const a = await start(announcement('a'), { eth0: interfaceOf('10.0.0.1/24') });
    const { pointer, location, description, addresses } = ownRecords({ id: 'x', incarnation: 'x-1' }, 4000, [
      '10.0.0.9',
    ]);
    const packet = writeResponse([pointer, location, description, ...addresses]);
    segment.say(packet, { address: '192.0.2.1', port: 5353 });
    // Nor what was not sent by somebody who may use the port.
    segment.say(packet, { address: '10.0.0.9', port: 40_000 });
    await elapse(clock, 1_000);
    expect(a.heard.where('x')).to.deep.equal([]);
    segment.say(packet, { address: '10.0.0.9', port: 5353 });
    await elapse(clock, 1_000);
    expect(a.heard.where('x')).to.deep.equal(['10.0.0.9:4000']);
  });

  it('tells links apart by the zone of an address that exists on each', async () => {
    const a = await start(announcement('a'), {
      eth0: interfaceOf('fe80::1/64'),
      eth1: interfaceOf('fe80::1/64'),
    });
    const own = ownRecords({ id: 'x', incarnation: 'x-1' }, 4000, ['fe80::9']);
    const packet = writeResponse([own.pointer, own.location, own.description, ...own.addresses]);
    segment.say(packet, { address: 'fe80::9%eth1', port: 5353 });
    await elapse(clock, 1_000);
    expect(a.heard.where('x')).to.deep.equal(['fe80::9%eth1:4000']);
  });

  it('searches again after a flood for peers that it may have missed', async () => {
    await start(announcement('a'), { eth0: interfaceOf('10.0.0.1/24') });
    await elapse(clock, 100_000);
    const { pointer } = ownRecords({ id: 'x', incarnation: 'x-1' }, 4000, ['10.0.0.9']);
    const lie = writeResponse([pointer]);
    for (let packet = 0; packet < 2_000; packet += 1) segment.say(lie, { address: '10.0.0.9', port: 5353 });
    segment.sent.splice(0);
    await elapse(clock, 60_000);
    const types = segment.sent.flatMap(({ packet }) => packet.questions.map(({ type }) => type));
    expect(types.filter((type) => type === 'PTR')).to.have.length.within(8, 11);
  });

  it('leaves no sockets behind when it is stopped while they open', async () => {
    const provider = new MdnsProvider({
      host: '::',
      clock,
      random: () => 0.5,
      interfaces: () => ({ eth0: interfaceOf('10.0.0.1/24', 'fd00::1/64') }),
      open: segment.open,
    });
    const heard = new Heard();
    const starting = provider.start(announcement('a'), heard);
    await provider.stop();
    await starting;
    await elapse(clock, 10_000);
    expect(segment.sockets).to.equal(0);
    expect(segment.sent).to.deep.equal([]);
    expect(heard.all).to.deep.equal([]);
  });
});
