import { expect } from 'chai';
import type { SimulatedClock } from 'xstate';

import { writeResponse } from '../../src/providers/mdns/packet.ts';
import { ownRecords } from '../../src/providers/mdns/records.ts';
import { announcement, MdnsHosts } from '../support/mdns-hosts.ts';
import { elapse, interfaceOf } from '../support/multicast.ts';
import type { Segment } from '../support/multicast.ts';

describe('the LAN provider when others claim to be a certain peer', () => {
  let hosts: MdnsHosts;
  let clock: SimulatedClock;
  let segment: Segment;
  let start: MdnsHosts['start'];

  beforeEach(() => {
    hosts = new MdnsHosts();
    ({ clock, segment, start } = hosts);
  });
  afterEach(() => hosts.stop());

  const claim = (id: string, life: string, host: string, ttl = 120): void => {
    const own = ownRecords({ id, incarnation: life }, 4000, [host]);
    const said = [own.pointer, own.location, own.description, ...own.addresses];
    segment.say(writeResponse(said.map((each) => Object.assign({}, each, { ttl }))), {
      address: host,
      port: 5353,
    });
  };

  it('reports the newest claim first, and keeps the first claimant', async () => {
    const a = await start(announcement('a'), { eth0: interfaceOf('10.0.0.1/24') });
    claim('b', 'true-life', '10.0.0.2');
    for (let lie = 0; lie < 50; lie += 1) claim('b', `lie-${lie}`, `10.0.0.${100 + lie}`);
    await elapse(clock, 100);
    const where = a.heard.where('b');
    expect(where.slice(0, 2)).to.deep.equal(['10.0.0.149:4000', '10.0.0.2:4000']);
    expect(where).to.have.length(8);
    for (let lie = 0; lie < 50; lie += 1) claim('b', `lie-${lie}`, `10.0.0.${100 + lie}`, 0);
    await elapse(clock, 3_000);
    expect(a.heard.where('b')).to.deep.equal(['10.0.0.2:4000']);
    expect(a.heard.hints.get('b')?.incarnation).to.equal('true-life');
  });

  it('does not believe that this peer is elsewhere', async () => {
    const a = await start(announcement('a'), { eth0: interfaceOf('10.0.0.1/24') });
    claim('a', 'another', '10.0.0.2');
    await elapse(clock, 1_000);
    expect(a.heard.hints.size).to.equal(0);
  });

  it('follows an endpoint that now claims to be another peer', async () => {
    const a = await start(announcement('a'), { eth0: interfaceOf('10.0.0.1/24') });
    claim('b', 'life', '10.0.0.2');
    claim('c', 'life', '10.0.0.2');
    await elapse(clock, 1_000);
    expect([...a.heard.hints.keys()]).to.deep.equal(['c']);
    expect(a.heard.all.filter((each) => each !== 'scanned')).to.deep.equal(['found b', 'lost b', 'found c']);
  });
});
