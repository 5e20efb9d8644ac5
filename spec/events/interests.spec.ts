import { expect } from 'chai';

import { Interests } from '../../src/events/interests.ts';
import type { Link, PeerRecord } from '../../src/connection/link/link.ts';

/** A peer that emits, as its connection shows it. */
class Emitter {
  readonly sent: Record<string, unknown>[] = [];
  readonly limits: { message: number; calls: number; subscriptions?: number };
  readonly record: { id: string; incarnation: string; link: Emitter | undefined; interests: number };

  constructor(incarnation = 'one', subscriptions: number | undefined = 3) {
    this.limits = { message: 65_536, calls: 1, ...(subscriptions !== undefined && { subscriptions }) };
    this.record = { id: 'a', incarnation, link: this, interests: 0 };
  }

  send(frame: string): void {
    this.sent.push(JSON.parse(frame) as Record<string, unknown>);
  }

  /** Short forms of the frames that were sent. */
  get asked(): string[] {
    return this.sent.map(({ type, name }) => `${String(type)} ${String(name)}`);
  }
}

describe('the subscriptions of a peer at other peers', () => {
  let story: string[];
  let counters: { subscriptions: number; received: number; gaps: number };
  let interests: Interests;

  beforeEach(() => {
    story = [];
    counters = { subscriptions: 0, received: 0, gaps: 0 };
    interests = new Interests(
      {
        deliver: (interest, peer, { name, sequence }) =>
          story.push(`${interest}: ${peer} ${name} ${sequence}`),
        missed: (interest, peer, { why, missed }) => story.push(`${interest}: ${peer} ${why} ${missed}`),
        refused: (name) => story.push(`${name} waits`),
      },
      counters,
      ({ id }) => story.push(`a link to ${id} is wanted`),
    );
  });

  const link = (emitter: Emitter): Link => emitter as unknown as Link;
  const record = (emitter: Emitter): PeerRecord => link(emitter).record;
  const opened = (emitter = new Emitter()): Emitter => {
    interests.opened(link(emitter));
    return emitter;
  };
  const answer = (emitter: Emitter, id: number, sequence: number): void =>
    interests.subscribed(link(emitter), { type: 'subscribed', id, sequence });
  const event = (emitter: Emitter, sequence: number, name = 'tick'): void =>
    interests.happened(link(emitter), { type: 'event', name, sequence });

  it('are sent once, and count from the answer', () => {
    const emitter = opened();
    interests.want('tick', 'a');
    interests.want('tick', 'a');
    expect(emitter.sent).to.deep.equal([{ type: 'subscribe', id: 1, name: 'tick' }]);
    answer(emitter, 1, 41);
    event(emitter, 42);
    expect(story).to.deep.equal(['tick: a tick 42']);
    expect(counters).to.deep.equal({ subscriptions: 1, received: 1, gaps: 0 });
  });

  it('are not sent to a peer that is absent', () => {
    interests.want('tick', 'nobody');
    interests.unwant('tick', 'nobody');
    interests.forget('tick');
    expect(counters.subscriptions).to.equal(0);
  });

  it('deliver nothing before the answer, nothing twice, and nothing of an earlier subscription', () => {
    const emitter = opened();
    interests.want('tick', 'a');
    event(emitter, 5);
    interests.unwant('tick', 'a');
    interests.want('tick', 'a');
    answer(emitter, 1, 5);
    event(emitter, 6);
    answer(emitter, 2, 6);
    for (const sequence of [6, 7, 7, 3, 8]) event(emitter, sequence);
    expect(story).to.deep.equal(['tick: a tick 7', 'tick: a tick 8']);
  });

  it('ignore events that were never subscribed to', () => {
    const emitter = opened();
    answer(emitter, 1, 0);
    answer(emitter, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
    event(emitter, 1);
    event(emitter, 1, '__proto__');
    expect(story).to.deep.equal([]);
    expect(counters).to.deep.equal({ subscriptions: 0, received: 0, gaps: 0 });
  });

  it('harm only their own peer when it counts wrongly', () => {
    const emitter = opened();
    interests.want('tick', 'a');
    answer(emitter, 1, 0);
    event(emitter, Number.MAX_SAFE_INTEGER);
    event(emitter, 1);
    expect(story).to.deep.equal([
      `tick: a slow ${Number.MAX_SAFE_INTEGER - 1}`,
      `tick: a tick ${Number.MAX_SAFE_INTEGER}`,
    ]);
  });

  it('are sent again on each new link, and go on meanwhile', () => {
    const emitter = opened();
    interests.want('tick', 'a');
    interests.opened(link(emitter));
    answer(emitter, 1, 0);
    event(emitter, 1);
    answer(emitter, 2, 1);
    event(emitter, 2);
    expect(emitter.asked).to.deep.equal(['subscribe tick', 'subscribe tick']);
    expect(story).to.deep.equal(['tick: a tick 1', 'tick: a tick 2']);
  });

  it('report a gap when the new link counts from a later event', () => {
    const emitter = opened();
    interests.want('tick', 'a');
    answer(emitter, 1, 0);
    interests.opened(link(emitter));
    // On the way, when it is not known yet why one is missing.
    event(emitter, 3);
    answer(emitter, 2, 5);
    event(emitter, 6);
    expect(story).to.deep.equal([
      'tick: a disconnected 2',
      'tick: a tick 3',
      'tick: a disconnected 2',
      'tick: a tick 6',
    ]);
  });

  it('have no gap when two links cross and the first one still carries the answer', () => {
    const emitter = opened();
    interests.want('tick', 'a');
    interests.opened(link(emitter));
    answer(emitter, 1, 41);
    event(emitter, 42);
    answer(emitter, 2, 42);
    event(emitter, 43);
    expect(story).to.deep.equal(['tick: a tick 42', 'tick: a tick 43']);
    expect(counters).to.deep.equal({ subscriptions: 1, received: 2, gaps: 0 });
  });

  it('report a gap when the link was lost before the answer', () => {
    const emitter = opened();
    interests.want('tick', 'a');
    interests.opened(link(emitter));
    answer(emitter, 2, 42);
    event(emitter, 43);
    expect(story).to.deep.equal(['tick: a disconnected undefined', 'tick: a tick 43']);
  });

  it('wait for a link while the peer has none for a moment, without a gap', () => {
    const emitter = opened();
    emitter.record.link = undefined;
    interests.want('tick', 'a');
    expect(emitter.asked).to.deep.equal([]);
    emitter.record.link = emitter;
    interests.opened(link(emitter));
    expect(emitter.asked).to.deep.equal(['subscribe tick']);
    expect(story).to.deep.equal(['a link to a is wanted']);
  });

  it('are ended on the next link when they were given up without one', () => {
    const emitter = opened();
    interests.want('tick', 'a');
    emitter.record.link = undefined;
    interests.unwant('tick', 'a');
    emitter.record.link = emitter;
    interests.opened(link(emitter));
    expect(emitter.asked).to.deep.equal(['subscribe tick', 'unsubscribe tick']);
  });

  it('wait for room, and get it when another one ends', () => {
    const emitter = opened(new Emitter('one', 2));
    for (const name of ['one', 'two', 'three', 'four']) interests.want(name, 'a');
    expect(story).to.deep.equal(['three waits', 'four waits']);
    interests.unwant('three', 'a');
    interests.unwant('one', 'a');
    expect(emitter.asked).to.deep.equal([
      'subscribe one',
      'subscribe two',
      'unsubscribe one',
      'subscribe four',
    ]);
  });

  it('are not sent to a peer that allows no subscriptions', () => {
    const emitter = opened(new Emitter('one', 0));
    interests.want('tick', 'a');
    interests.forget('tick');
    expect([emitter.sent, story]).to.deep.equal([[], []]);
  });

  it('count each name separately in a subscription to everything', () => {
    const emitter = opened();
    interests.want('*', 'a');
    answer(emitter, 1, 0);
    event(emitter, 7, 'x');
    event(emitter, 3, 'y');
    event(emitter, 9, 'x');
    expect(story).to.deep.equal(['*: a x 7', '*: a y 3', '*: a slow 1', '*: a x 9']);
  });

  it('deliver an event both to the name and to everything', () => {
    const emitter = opened();
    interests.want('*', 'a');
    interests.want('tick', 'a');
    answer(emitter, 1, 0);
    answer(emitter, 2, 0);
    event(emitter, 1);
    expect(story).to.deep.equal(['tick: a tick 1', '*: a tick 1']);
  });

  it('are remembered for lost peers, but only for the newest thousand', () => {
    const story1 = ['tick: a disconnected 4'];
    const first = opened();
    interests.want('tick', 'a');
    answer(first, 1, 1);
    interests.left(record(first), 'lost');
    const second = opened();
    interests.want('tick', 'a');
    answer(second, 1, 5);
    expect(story).to.deep.equal(story1);
    interests.left(record(second), 'lost');
    for (let n = 0; n < 1_100; n += 1) {
      const other = new Emitter();
      Object.assign(other.record, { id: `other ${n}` });
      opened(other);
      interests.want('tick', `other ${n}`);
      answer(other, 1, 1);
      interests.left(record(other), 'lost');
    }
    const third = opened();
    interests.want('tick', 'a');
    answer(third, 1, 50);
    expect(story).to.deep.equal(story1);
    expect(counters.subscriptions).to.equal(1);
  });

  it('deliver a new name at once while everything is subscribed', () => {
    const emitter = opened();
    interests.want('*', 'a');
    answer(emitter, 1, 0);
    event(emitter, 7);
    interests.want('tick', 'a');
    event(emitter, 8);
    event(emitter, 9);
    // Events that wait at the emitter are not missed.
    answer(emitter, 2, 11);
    event(emitter, 10);
    event(emitter, 12);
    expect(story).to.deep.equal([
      ...['*: a tick 7', 'tick: a tick 8', '*: a tick 8', 'tick: a tick 9', '*: a tick 9'],
      ...[
        'tick: a tick 10',
        '*: a tick 10',
        'tick: a slow 1',
        'tick: a tick 12',
        '*: a slow 1',
        '*: a tick 12',
      ],
    ]);
  });

  it('report a gap when the connection changes before the answer to a name that already arrives', () => {
    const emitter = opened();
    interests.want('*', 'a');
    answer(emitter, 1, 0);
    interests.want('tick', 'a');
    event(emitter, 1);
    opened(emitter);
    answer(emitter, 4, 3);
    expect(story).to.deep.equal(['tick: a tick 1', '*: a tick 1', 'tick: a disconnected 2']);
  });

  it('report the events that were missed of a name that arrives before its answer', () => {
    const emitter = opened();
    interests.want('*', 'a');
    answer(emitter, 1, 0);
    interests.want('tick', 'a');
    event(emitter, 2);
    event(emitter, 5);
    expect(story.filter((each) => each.startsWith('tick'))).to.deep.equal([
      ...['tick: a tick 2', 'tick: a slow 2', 'tick: a tick 5'],
    ]);
  });

  it('report the missed events of a name that had to wait for room and arrived only while everything did', () => {
    const emitter = opened(new Emitter('one', 2));
    interests.want('tick', 'a');
    interests.want('*', 'a');
    answer(emitter, 1, 0);
    answer(emitter, 2, 0);
    interests.want('other', 'a');
    event(emitter, 5, 'other');
    interests.unwant('*', 'a');
    // The sixth happened between the two.
    answer(emitter, 3, 6);
    event(emitter, 7, 'other');
    expect(story).to.deep.equal([
      ...['other waits', 'other: a other 5', '*: a other 5', 'other: a disconnected 1', 'other: a other 7'],
    ]);
  });
});
