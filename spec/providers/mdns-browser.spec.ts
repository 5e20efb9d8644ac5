import { expect } from 'chai';
import * as fc from 'fast-check';
import { SimulatedClock } from 'xstate';

import { Browser } from '../../src/providers/mdns/browser.ts';
import type { Sighting } from '../../src/providers/mdns/browser.ts';
import { readPacket } from '../../src/providers/mdns/packet.ts';
import type { Packet, Resource } from '../../src/providers/mdns/packet.ts';
import { ownRecords, SERVICE } from '../../src/providers/mdns/records.ts';
import { elapse, linkOf } from '../support/multicast.ts';

const SECOND = 1_000;
const own = ownRecords({ id: 'me', incarnation: 'mine-1' }, 4000, ['10.0.0.1']);
const other = { address: '10.0.0.2', port: 5353 };

const recordsOf = (id: string, ...hosts: string[]): Resource[] => {
  const records = ownRecords({ id, incarnation: `${id}-1` }, 4000, hosts);
  return [records.pointer, records.location, records.description, ...records.addresses];
};

const response = (...answers: Resource[]): Packet => {
  return { kind: 'response', id: 0, truncated: false, questions: [], answers, additionals: [] };
};

const endpointOf = (id: string): string => `${id}-1.${SERVICE}`;

describe('the browser of multicast DNS', () => {
  let clock: SimulatedClock;
  let random: number;
  let asked: { at: number; packet: Packet }[];
  /** Questions that are to be answered to this one alone. */
  let personal: Packet[];
  let seen: Map<string, Sighting>;
  /** Every report, in order. */
  let reports: [string, Sighting | undefined][];
  let browser: Browser;

  const make = (): Browser =>
    new Browser({
      link: linkOf('10.0.0.1/24', 'fe80::1/64', 'fd00::1/64'),
      own: own.pointer,
      clock,
      random: () => random,
      send: (bytes) => {
        const packet = readPacket(bytes)!;
        if (packet.questions.some(({ unicast }) => unicast)) personal.push(packet);
        else asked.push({ at: clock.now(), packet });
      },
      sighted: (endpoint, sighting) => {
        reports.push([endpoint, sighting]);
        if (sighting) seen.set(endpoint, sighting);
        else seen.delete(endpoint);
      },
    });

  beforeEach(() => {
    clock = new SimulatedClock();
    random = 0;
    asked = [];
    personal = [];
    reports = [];
    seen = new Map();
    browser = make();
  });
  afterEach(() => browser.close());

  /** As the provider does: a look every second. */
  async function live(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second += 1) {
      await elapse(clock, SECOND);
      browser.tick();
    }
  }

  const times = (): number[] => asked.map(({ at }) => at);
  const ids = (): string[] => [...seen.values()].map(({ id }) => id);

  it('asks after 20 to 120 ms, then after 1, 2, 4 … seconds, at last every minute', async () => {
    await elapse(clock, 200 * SECOND);
    const pauses = times().map((time, index) => time - (times()[index - 1] ?? 0));
    const steps = [20, 1, 2, 4, 8, 16, 32, 60, 60].map((each) => (each === 20 ? each : each * SECOND));
    expect(pauses.slice(0, 9)).to.deep.equal(steps);
    random = 0.999;
    asked = [];
    browser.close();
    const began = clock.now();
    browser = make();
    await elapse(clock, 500);
    expect(times()[0]! - began).to.be.within(115, 125);
    expect(asked[0]?.packet.questions).to.deep.equal([{ name: SERVICE, type: 'PTR', unicast: false }]);
  });

  it('asks first for a unicast answer as well, since others may just have been answered', async () => {
    await elapse(clock, 200 * SECOND);
    expect(personal).to.have.length(1);
    expect(personal[0]!.questions).to.deep.equal([{ name: SERVICE, type: 'PTR', unicast: true }]);
    expect(personal[0]!.answers.map(({ data }) => data)).to.deep.equal([own.pointer.data]);
  });

  it('reports a complete peer, and nothing twice', () => {
    browser.heard(response(...recordsOf('peer', '10.0.0.2', 'fd00::2', 'fe80::2')), other);
    browser.heard(response(...recordsOf('peer', '10.0.0.2', 'fd00::2', 'fe80::2')), other);
    browser.tick();
    const addresses = [
      { host: '10.0.0.2', port: 4000 },
      { host: 'fd00::2', port: 4000 },
    ];
    expect(reports).to.deep.equal([[endpointOf('peer'), { id: 'peer', incarnation: 'peer-1', addresses }]]);
  });

  it('reports a peer for any order of records and packets, as soon as the last one has arrived', () => {
    const pieces = recordsOf('peer', '10.0.0.2');
    fc.assert(
      fc.property(
        fc.shuffledSubarray(pieces, { minLength: 4 }),
        fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
        (order, cuts) => {
          seen.clear();
          browser.close();
          browser = make();
          let packet: Resource[] = [];
          for (const [index, piece] of order.entries()) {
            packet.push(piece);
            if (!cuts[index] && index < 3) continue;
            // Who gets only a part asks for the rest; here it comes by itself once more.
            browser.heard(response(...packet), other);
            packet = [];
          }
          browser.heard(response(...pieces), other);
          expect(ids()).to.deep.equal(['peer']);
        },
      ),
    );
  });

  it('asks for missing records, but not for ever', async () => {
    const [pointer, location, description, address] = recordsOf('peer', '10.0.0.2') as [
      Resource,
      Resource,
      Resource,
      Resource,
    ];
    browser.heard(response(pointer), other);
    await live(2);
    const wanted = (type: string): number =>
      asked.filter(({ packet }) => packet.questions.some((each) => each.type === type)).length;
    expect([wanted('SRV'), wanted('TXT'), wanted('A')]).to.deep.equal([2, 2, 0]);
    browser.heard(response(location, description), other);
    await live(30);
    expect([wanted('SRV'), wanted('TXT'), wanted('A'), wanted('AAAA')]).to.deep.equal([2, 2, 2, 2]);
    expect(ids()).to.deep.equal([]);
    browser.heard(response(address), other);
    expect(ids()).to.deep.equal(['peer']);
  });

  it('reports no endpoint without an id, and none of its own', () => {
    const [pointer, location, description, address] = recordsOf('peer', '10.0.0.2');
    for (const data of [[], ['id=peer'], ['id=', 'life=x'], ['id=a b', 'life=x'], ['id', 'life']]) {
      const changed = { ...description, data } as Resource;
      browser.heard(response(pointer!, location!, changed, address!), other);
      expect(ids(), JSON.stringify(data)).to.deep.equal([]);
    }
    browser.heard(response(own.pointer, own.location, own.description, ...own.addresses), other);
    expect(ids()).to.deep.equal([]);
    browser.heard(response({ ...description!, type: 'TXT', data: ['ID=peer', 'x=y', 'Life=peer-1'] }), other);
    expect(ids()).to.deep.equal(['peer']);
  });

  it('reports no address from off the link, and a link-local one only when there is no other', () => {
    const far = ['192.0.2.1', '10.0.1.2', '127.0.0.1', '224.0.0.251', '0.0.0.0', '2001:db8::1', '::1'];
    browser.heard(response(...recordsOf('far', ...far)), other);
    expect(ids()).to.deep.equal([]);
    browser.heard(response(...recordsOf('mixed', 'fe80::3', ...far, '10.0.0.3').slice(0, 20)), other);
    browser.heard(response(...recordsOf('near', 'fe80::4')), other);
    const hosts = [...seen.values()].map(({ addresses }) => addresses.map(({ host }) => host));
    expect(hosts).to.deep.equal([['fe80::3%eth0'], ['fe80::4%eth0']]);
    browser.heard(response(...recordsOf('mixed', 'fe80::3', '10.0.0.3')), other);
    expect(seen.get(endpointOf('mixed'))?.addresses).to.deep.equal([{ host: '10.0.0.3', port: 4000 }]);
  });

  it('forgets records that are not repeated, after asking four times', async () => {
    await live(70);
    asked = [];
    const said = clock.now();
    browser.heard(response(...recordsOf('peer', '10.0.0.2')), other);
    await live(119);
    expect(ids()).to.deep.equal(['peer']);
    // The usual question of each minute; then at 80, 85, 90 and 95 percent of two minutes, the last of which is a usual one.
    const after = times().map((time) => Math.round((time - said) / SECOND));
    expect(after).to.deep.equal([53, 96, 102, 108, 113]);
    expect(asked.every(({ packet }) => packet.questions[0]?.type === 'PTR')).to.equal(true);
    await live(2);
    expect(ids()).to.deep.equal([]);
  });

  it('keeps records that are repeated', async () => {
    for (let minute = 0; minute < 10; minute += 1) {
      browser.heard(response(...recordsOf('peer', '10.0.0.2')), other);
      await live(60);
    }
    expect(reports).to.have.length(1);
    expect(ids()).to.deep.equal(['peer']);
  });

  it('lists known answers in its questions until half of their time is over', async () => {
    browser.heard(response(...recordsOf('peer', '10.0.0.2')), other);
    await elapse(clock, 100);
    const known = asked[0]?.packet.answers;
    expect(known?.map(({ data }) => data)).to.deep.equal([own.pointer.data, endpointOf('peer')]);
    expect(known?.[1]?.ttl).to.be.within(119, 120);
    await live(130);
    const last = asked.findLast(({ at }) => at > 61 * SECOND && at < 119 * SECOND)?.packet.answers;
    expect(last?.map(({ data }) => data)).to.deep.equal([own.pointer.data]);
  });

  it('forgets a peer about a second after its goodbye, and does not search for it', async () => {
    await live(130);
    browser.heard(response(...recordsOf('peer', '10.0.0.2')), other);
    browser.heard(response({ ...recordsOf('peer')[0]!, ttl: 0 }), other);
    asked = [];
    await live(2);
    expect(ids()).to.deep.equal([]);
    expect(asked).to.have.length.below(2);
  });

  it('withdraws a goodbye that is contradicted at once', async () => {
    browser.heard(response(...recordsOf('peer', '10.0.0.2')), other);
    browser.heard(response({ ...recordsOf('peer')[0]!, ttl: 0 }), other);
    await elapse(clock, 500);
    browser.heard(response(...recordsOf('peer', '10.0.0.2')), other);
    await live(30);
    expect(reports).to.have.length(1);
  });

  it('searches every eight seconds for a peer that is missing without a goodbye', async () => {
    await live(400);
    browser.heard(response(...recordsOf('peer', '10.0.0.2')), other);
    await live(122);
    expect(ids()).to.deep.equal([]);
    asked = [];
    await live(300);
    expect(asked).to.have.length.within(36, 44);
    await live(600);
    asked = [];
    await live(300);
    expect(asked).to.have.length.within(4, 6);
  });

  it('skips its question when another peer has just asked it and lists no answer that it lacks', async () => {
    const question = { name: SERVICE, type: 'PTR', unicast: false };
    const theirs = (...known: Resource[]): Packet => ({
      ...response(...known),
      kind: 'query',
      questions: [question],
    });
    await live(70);
    const next = times().at(-1)! + 60 * SECOND;
    browser.heard(response(...recordsOf('peer', '10.0.0.2')), other);
    await elapse(clock, next - clock.now() - 100);
    asked = [];
    // Who knows more would not be told of that, and neither would we.
    browser.askedByAnother(theirs(recordsOf('unknown')[0]!), other);
    browser.askedByAnother({ ...theirs(), questions: [{ ...question, unicast: true }] }, other);
    browser.askedByAnother({ ...theirs(), truncated: true }, other);
    // From this host it may be ourselves that we hear.
    browser.askedByAnother(theirs(), { address: '10.0.0.1', port: 5353 });
    await elapse(clock, 200);
    expect(asked).to.have.length(1);
    await elapse(clock, 59 * SECOND);
    asked = [];
    browser.heard(response(...recordsOf('peer', '10.0.0.2')), other);
    browser.askedByAnother(theirs(recordsOf('peer')[0]!), other);
    await elapse(clock, 59 * SECOND);
    expect(asked).to.have.length(0);
  });

  it('doubts an endpoint that refuses: asks, and forgets it after ten seconds unless it is repeated', async () => {
    await live(70);
    browser.heard(response(...recordsOf('dead', '10.0.0.2'), ...recordsOf('alive', '10.0.0.3')), other);
    await live(2);
    asked = [];
    browser.doubt('dead');
    browser.doubt('alive');
    browser.doubt('dead');
    expect(asked).to.have.length(1);
    expect(asked[0]?.packet.answers.map(({ data }) => data)).to.not.include(endpointOf('dead'));
    browser.heard(response(recordsOf('alive')[0]!), other);
    await live(9);
    expect(ids()).to.deep.equal(['dead', 'alive']);
    await live(2);
    expect(ids()).to.deep.equal(['alive']);
  });

  it('keeps nothing for longer than 75 minutes', async () => {
    const forEver = recordsOf('peer', '10.0.0.2').map((each) => Object.assign({}, each, { ttl: 2 ** 31 }));
    browser.heard(response(...forEver), other);
    clock.increment(74 * 60 * SECOND);
    browser.tick();
    expect(ids()).to.deep.equal(['peer']);
    clock.increment(61 * SECOND);
    browser.tick();
    expect(ids()).to.deep.equal([]);
  });

  it('follows a peer to another port or other addresses', async () => {
    browser.heard(response(...recordsOf('peer', '10.0.0.2', '10.0.0.3')), other);
    await live(2);
    const [, location] = recordsOf('peer') as [Resource, Resource & { type: 'SRV' }];
    browser.heard(response({ ...location, data: { ...location.data, port: 5000 } }), other);
    expect(seen.get(endpointOf('peer'))?.addresses.map(({ port }) => port)).to.deep.equal([5000, 5000]);
    browser.heard(response(...recordsOf('peer', '10.0.0.3').slice(3)), other);
    await live(2);
    expect(seen.get(endpointOf('peer'))?.addresses).to.deep.equal([{ host: '10.0.0.3', port: 5000 }]);
  });

  it('holds at most a thousand endpoints, and a quarter of that from one sender', () => {
    const flood = (from: string, count: number, name: string): void => {
      for (let index = 0; index < count; index += 1) {
        browser.heard(response(...recordsOf(`${name}-${index}`, '10.0.0.9')), { address: from, port: 5353 });
      }
    };
    flood('10.0.0.66', 2_000, 'lie');
    expect(seen.size).to.equal(256);
    browser.heard(response(...recordsOf('honest', '10.0.0.2')), other);
    expect(ids()).to.include('honest');
    for (let sender = 0; sender < 50; sender += 1) flood(`10.0.0.${100 + sender}`, 100, `lie-${sender}`);
    expect(seen.size).to.equal(1_024);
    expect(ids()).to.include('honest');
    // A dial that was in vain makes room.
    browser.heard(response(...recordsOf('late', '10.0.0.3')), other);
    expect(ids()).not.to.include('late');
    browser.doubt('lie-0');
    browser.heard(response(...recordsOf('late', '10.0.0.3')), other);
    expect(ids()).to.include('late');
  });

  it('withdraws its reports when it ends', () => {
    browser.heard(response(...recordsOf('peer', '10.0.0.2')), other);
    browser.close();
    expect(ids()).to.deep.equal([]);
  });

  it('never throws and never accumulates, whatever arrives', async () => {
    const name = fc.constantFrom(SERVICE, endpointOf('a'), endpointOf('b'), 'h.local', 'local', '');
    const base = { name, ttl: fc.constantFrom(0, 1, 120, 2 ** 31), unique: fc.boolean() };
    const resource = fc.oneof(
      fc.record({ ...base, type: fc.constant('PTR' as const), data: name }),
      fc.record({
        ...base,
        type: fc.constant('SRV' as const),
        data: fc.record({ port: fc.integer({ min: 1, max: 9 }), target: name }),
      }),
      fc.record({
        ...base,
        type: fc.constant('TXT' as const),
        data: fc.constantFrom([], ['id=a', 'life=a-1'], ['id=b', 'life=b-1']),
      }),
      fc.record({
        ...base,
        type: fc.constantFrom('A' as const, 'AAAA' as const),
        data: fc.constantFrom('10.0.0.2', '10.0.0.3', 'fe80::2', '1.1.1.1'),
      }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(resource, { maxLength: 6 }), { maxLength: 30 }), async (packets) => {
        for (const packet of packets) {
          browser.heard(response(...packet), other);
          clock.increment(300);
          browser.tick();
        }
        for (const { addresses } of seen.values()) expect(addresses).to.have.length.within(1, 4);
        await live(3);
        // Everything that could be told for two billion seconds was cut to 75 minutes.
        clock.increment(75 * 60 * SECOND);
        browser.tick();
        expect(seen.size).to.equal(0);
      }),
      { numRuns: 100 },
    );
  });
});
