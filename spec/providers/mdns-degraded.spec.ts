import { expect } from 'chai';
import type { SimulatedClock } from 'xstate';

import { MdnsProvider } from '../../src/providers/mdns/mdns.ts';
import { announcement, Heard, MdnsHosts } from '../support/mdns-hosts.ts';
import type { Interfaces } from '../support/mdns-hosts.ts';
import { elapse, interfaceOf } from '../support/multicast.ts';
import type { Segment } from '../support/multicast.ts';

describe('the LAN provider where it cannot work', () => {
  let hosts: MdnsHosts;
  let clock: SimulatedClock;
  let segment: Segment;
  let start: MdnsHosts['start'];
  let started: MdnsHosts['started'];

  beforeEach(() => {
    hosts = new MdnsHosts();
    ({ clock, segment, start, started } = hosts);
  });
  afterEach(() => hosts.stop());

  const here = { eth0: interfaceOf('10.0.0.1/24') };

  it('reports why no peer can be found, and what to do', async () => {
    const interfaces: Interfaces = { lo: [{ ...interfaceOf('127.0.0.1/8')[0]!, internal: true }] };
    const { heard } = await start(announcement('a'), interfaces);
    expect(heard.reason?.message)
      .to.match(/no network interface/)
      .and.match(/APP_NET_PEERS=host:port/);
    interfaces['eth0'] = interfaceOf('10.0.0.1/24');
    await elapse(clock, 1_500);
    expect(heard.reason).to.equal(undefined);
  });

  it('reports an interface that it cannot use, and tries again', async () => {
    segment.refusal = new Error('bind EADDRINUSE 0.0.0.0:5353');
    const { heard } = await start(announcement('a'), here);
    expect(heard.reason?.message).to.match(/^eth0, IPv4: bind EADDRINUSE.*APP_NET_PEERS/);
    expect(heard.all).to.deep.equal(['scanned']);
    segment.refusal = undefined;
    await elapse(clock, 1_500);
    expect(heard.reason).to.equal(undefined);
    expect(segment.sent).not.to.deep.equal([]);
  });

  it('reports that nothing can be sent, until it can', async () => {
    segment.failure = new Error('send EPERM 224.0.0.251:5353');
    const { heard } = await start(announcement('a'), here);
    await elapse(clock, 100);
    expect(heard.reason?.message).to.match(/EPERM/);
    segment.failure = undefined;
    await elapse(clock, 2_000);
    expect(heard.reason).to.equal(undefined);
  });

  it('reports that nothing is received, not even its own packets', async () => {
    segment.isBroken = true;
    const { heard } = await start(announcement('a'), here);
    await elapse(clock, 2_000);
    expect(heard.reason).to.equal(undefined);
    await elapse(clock, 3_000);
    expect(heard.reason?.message).to.match(/firewall.*5353/);
    segment.isBroken = false;
    await elapse(clock, 10_000);
    expect(heard.reason).to.equal(undefined);
  });

  it('reports nothing when one path works', async () => {
    const both = { eth0: interfaceOf('10.0.0.1/24', 'fd00::1/64') };
    const provider = new MdnsProvider({
      host: '::',
      clock,
      random: () => 0.5,
      interfaces: () => both,
      open: (link, listener) =>
        link.family === 'IPv6' ? Promise.reject(new Error('no IPv6')) : segment.open(link, listener),
    });
    started.push(provider);
    const heard = new Heard();
    await provider.start(announcement('a'), heard);
    await elapse(clock, 10_000);
    expect(heard.reason).to.equal(undefined);
  });

  it('survives a system that does not list its interfaces', async () => {
    const provider = new MdnsProvider({
      host: '::',
      clock,
      random: () => 0.5,
      interfaces: () => {
        throw new Error('EACCES');
      },
      open: segment.open,
    });
    started.push(provider);
    const heard = new Heard();
    await provider.start(announcement('a'), heard);
    expect(heard.reason).to.be.instanceOf(Error);
  });
});
