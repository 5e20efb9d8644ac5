import { expect } from 'chai';
import * as fc from 'fast-check';
import type { SimulatedClock } from 'xstate';

import type { Browser } from '../../src/providers/mdns/browser.ts';
import { SERVICE } from '../../src/providers/mdns/records.ts';
import { elapse } from '../support/multicast.ts';
import { endpointOf, ObservedBrowser, other, recordsOf, response, SECOND } from '../support/mdns-browser.ts';

describe('the browser of multicast DNS: how long it keeps records', () => {
  let observed: ObservedBrowser;
  let clock: SimulatedClock;
  let browser: Browser;
  let asked: ObservedBrowser['asked'];
  let seen: ObservedBrowser['seen'];
  let reports: ObservedBrowser['reports'];
  let live: ObservedBrowser['live'];
  let times: ObservedBrowser['times'];
  let ids: ObservedBrowser['ids'];

  beforeEach(() => {
    observed = new ObservedBrowser();
    ({ clock, browser, asked, seen, reports, live, times, ids } = observed);
  });
  afterEach(() => observed.browser.close());

  it('forgets records that are not repeated, after asking four times', async () => {
    await live(70);
    asked.length = 0;
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

  it('forgets a peer about a second after its goodbye, and does not search for it', async () => {
    await live(130);
    browser.heard(response(...recordsOf('peer', '10.0.0.2')), other);
    browser.heard(response({ ...recordsOf('peer')[0]!, ttl: 0 }), other);
    asked.length = 0;
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

  it('doubts an endpoint that refuses: asks, and forgets it after ten seconds unless it is repeated', async () => {
    await live(70);
    browser.heard(response(...recordsOf('dead', '10.0.0.2'), ...recordsOf('alive', '10.0.0.3')), other);
    await live(2);
    asked.length = 0;
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
