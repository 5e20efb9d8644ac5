import { expect } from 'chai';
import type { SimulatedClock } from 'xstate';

import type { Browser } from '../../src/providers/mdns/browser.ts';
import type { Packet, Resource } from '../../src/providers/mdns/packet.ts';
import { SERVICE } from '../../src/providers/mdns/records.ts';
import { elapse } from '../support/multicast.ts';
import {
  endpointOf,
  ObservedBrowser,
  other,
  own,
  recordsOf,
  response,
  SECOND,
} from '../support/mdns-browser.ts';

describe('the browser of multicast DNS: its questions', () => {
  let observed: ObservedBrowser;
  let clock: SimulatedClock;
  let browser: Browser;
  let asked: ObservedBrowser['asked'];
  let personal: ObservedBrowser['personal'];
  let live: ObservedBrowser['live'];
  let times: ObservedBrowser['times'];
  let ids: ObservedBrowser['ids'];

  beforeEach(() => {
    observed = new ObservedBrowser();
    ({ clock, browser, asked, personal, live, times, ids } = observed);
  });
  afterEach(() => observed.browser.close());

  it('asks after 20 to 120 ms, then after 1, 2, 4 … seconds, at last every minute', async () => {
    await elapse(clock, 200 * SECOND);
    const pauses = times().map((time, index) => time - (times()[index - 1] ?? 0));
    const steps = [20, 1, 2, 4, 8, 16, 32, 60, 60].map((each) => (each === 20 ? each : each * SECOND));
    expect(pauses.slice(0, 9)).to.deep.equal(steps);
    asked.length = 0;
    const began = clock.now();
    observed.restart(0.999);
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
    asked.length = 0;
    // A peer that knows more would not be told what it knows, and neither would we.
    browser.askedByAnother(theirs(recordsOf('unknown')[0]!), other);
    browser.askedByAnother({ ...theirs(), questions: [{ ...question, unicast: true }] }, other);
    browser.askedByAnother({ ...theirs(), truncated: true }, other);
    // From this host it may be ourselves that we hear.
    browser.askedByAnother(theirs(), { address: '10.0.0.1', port: 5353 });
    await elapse(clock, 200);
    expect(asked).to.have.length(1);
    await elapse(clock, 59 * SECOND);
    asked.length = 0;
    browser.heard(response(...recordsOf('peer', '10.0.0.2')), other);
    browser.askedByAnother(theirs(recordsOf('peer')[0]!), other);
    await elapse(clock, 59 * SECOND);
    expect(asked).to.have.length(0);
  });

  it('searches every eight seconds for a peer that is missing without a goodbye', async () => {
    await live(400);
    browser.heard(response(...recordsOf('peer', '10.0.0.2')), other);
    await live(122);
    expect(ids()).to.deep.equal([]);
    asked.length = 0;
    await live(300);
    expect(asked).to.have.length.within(36, 44);
    await live(600);
    asked.length = 0;
    await live(300);
    expect(asked).to.have.length.within(4, 6);
  });
});
