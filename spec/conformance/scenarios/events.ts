import { expect } from 'chai';

import { eventually } from '../../support/eventually.ts';
import type { Driver, Notice } from '../driver.ts';
import type { Pair, Scenario } from '../scenario.ts';
import { call, newKey } from '../scenario.ts';

/** Subscribes the caller. What is emitted after a call that comes later is heard. */
async function subscribe(pair: Pair, event: string): Promise<void> {
  await pair.caller.do('subscribe', { event });
  await call(pair, 'std.echo', [event]);
}

const eventsOf = (driver: Driver, event: string): Notice[] =>
  driver.notices.filter((notice) => notice.notice === 'event' && notice.event === event);

export const events: Scenario[] = [
  {
    title: 'events arrive in order, with what they carry, and their sequence counts up',
    caller: ['events.hear'],
    callee: ['events.emit'],
    run: async (pair) => {
      const { caller, callee } = pair;
      const event = newKey();
      await subscribe(pair, event);
      const payloads = [{ a: [1] }, 'text', { $: 'undefined' }, ...Array.from({ length: 200 }, (_, i) => i)];
      for (const value of payloads) expect(await callee.do('emit', { event, value })).to.equal(1);
      await eventually(() => eventsOf(caller, event).length === payloads.length);
      const heard = eventsOf(caller, event);
      expect(heard.map(({ value }) => value)).to.deep.equal(payloads);
      expect(new Set(heard.map(({ peer }) => peer))).to.deep.equal(new Set([callee.id]));
      const first = heard[0]!.sequence!;
      expect(heard.map(({ sequence }) => sequence! - first)).to.deep.equal(payloads.map((_, i) => i));
      await caller.do('unsubscribe', { event });
      await call(pair, 'std.echo', [event]);
      expect(await callee.do('emit', { event, value: 'late' })).to.equal(0);
    },
  },
  {
    title: 'an event that nobody has subscribed to goes nowhere',
    caller: ['events.hear'],
    callee: ['events.emit'],
    run: async (pair) => {
      const { caller, callee } = pair;
      const event = newKey();
      expect(await callee.do('emit', { event, value: 1 })).to.equal(0);
      await subscribe(pair, event);
      await callee.do('emit', { event, value: 2 });
      await caller.notice({ notice: 'event', event, value: 2 });
      expect(eventsOf(caller, event)).to.have.length(1);
      await caller.do('unsubscribe', { event });
    },
  },
  {
    title: 'a subscription to * hears events of every name',
    caller: ['events.hear'],
    callee: ['events.emit'],
    run: async (pair) => {
      const { caller, callee } = pair;
      const [one, two] = [newKey(), newKey()];
      await subscribe(pair, '*');
      await callee.do('emit', { event: one, value: 1 });
      await callee.do('emit', { event: two, value: 2 });
      await caller.notice({ notice: 'event', event: one, value: 1 });
      await caller.notice({ notice: 'event', event: two, value: 2 });
      await caller.do('unsubscribe', { event: '*' });
    },
  },
  {
    title: 'an event that is emitted before an answer arrives before it',
    caller: ['events.hear'],
    callee: ['events.emit'],
    run: async (pair) => {
      const event = newKey();
      await subscribe(pair, event);
      await pair.callee.do('emit', { event, value: 'first' });
      await call(pair, 'std.echo', ['second']);
      expect(eventsOf(pair.caller, event)).to.have.length(1);
      await pair.caller.do('unsubscribe', { event });
    },
  },
];
