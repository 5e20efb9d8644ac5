import { expect } from 'chai';

import { Topics } from '../../src/events/topics.ts';
import { TooLarge } from '../../src/wire/too-large.ts';
import type { TopicsInput } from '../../src/events/topics.ts';
import type { Link } from '../../src/connection/link/link.ts';
import { createLog, silentLog } from '../../src/base/log.ts';
import { NotSerializable } from '../../src/wire/values/not-serializable.ts';
import type { Outgoing } from '../../src/wire/outgoing.ts';

/** A subscriber's connection, as the emitter sees it. It is slow when the test says so. */
class Line {
  readonly sent: Outgoing[] = [];
  cut = false;
  closed: string | undefined;
  slow = false;
  readonly limits = { message: 65_536, calls: 1 };
  readonly record: { link: Line | undefined; left: string | undefined; id: string };
  readonly socket = { terminate: () => (this.cut = true) };

  constructor(id: string) {
    this.record = { id, link: this, left: undefined };
  }

  send(frame: Outgoing): void {
    this.sent.push(frame);
  }

  hold(frame: Outgoing): boolean {
    this.sent.push(frame);
    return false;
  }

  breach(reason: string): void {
    this.closed = reason;
  }

  /** The payloads that were sent, and how far the answers to subscriptions had counted. */
  get story(): unknown[] {
    return this.sent.map((frame) => {
      const { type, value, sequence } = JSON.parse(typeof frame === 'string' ? frame : frame.text) as Record<
        string,
        unknown
      >;
      return type === 'event' ? value : `after ${String(sequence)}`;
    });
  }
}

const link = (line: Line): Link => line as unknown as Link;
const record = (line: Line): Link['record'] => link(line).record;

describe('the topics of an emitter', () => {
  const counters = { emitted: 0, sent: 0, queued: 0, dropped: 0, disconnected: 0 };
  beforeEach(() => Object.assign(counters, { emitted: 0, sent: 0, queued: 0, dropped: 0, disconnected: 0 }));

  const make = (input: Partial<TopicsInput> = {}): Topics =>
    new Topics(
      {
        ...{ subscriptions: 3, largest: 65_536, stacks: true, waiting: 1_000, slow: 'drop' },
        log: silentLog,
        changed: () => {},
        ...input,
      },
      counters,
    );

  const subscribed = (topics: Topics, id: string, name = 'tick'): Line => {
    const line = new Line(id);
    topics.subscribe(link(line), { type: 'subscribe', id: 1, name });
    return line;
  };

  it('keep events for a slow subscriber until it can take them, in order', () => {
    const topics = make();
    const [slow, fast] = [subscribed(topics, 'slow'), subscribed(topics, 'fast')];
    slow.slow = true;
    for (let n = 1; n <= 5; n += 1) expect(topics.emit('tick', n)).to.equal(2);
    expect(fast.story).to.deep.equal(['after 0', 1, 2, 3, 4, 5]);
    expect(slow.story).to.deep.equal(['after 0']);
    expect(counters).to.include({ sent: 5, queued: 5 });
    slow.slow = false;
    // A new event waits behind the events before it.
    topics.emit('tick', 6);
    expect(slow.story).to.have.length(1);
    topics.pump(record(slow));
    expect(slow.story).to.deep.equal(['after 0', 1, 2, 3, 4, 5, 6]);
    expect(counters).to.include({ sent: 12, queued: 0, dropped: 0 });
  });

  it('drop the oldest events above the limit, and always keep the newest', () => {
    const topics = make();
    const line = subscribed(topics, 'a');
    line.slow = true;
    for (let n = 1; n <= 100; n += 1) topics.emit('tick', n);
    const { queued } = counters;
    expect(queued).to.be.within(5, 20);
    expect(counters.dropped).to.equal(100 - queued);
    line.slow = false;
    topics.pump(record(line));
    expect(line.story.slice(1)).to.deep.equal(Array.from({ length: queued }, (_, n) => 101 - queued + n));
    line.slow = true;
    topics.emit('tick', 1);
    topics.emit('tick', 'x'.repeat(5_000));
    expect(counters.queued).to.equal(1);
  });

  it('log a slow subscriber once until it has caught up', () => {
    const lines: string[] = [];
    const write = (line: string): unknown => lines.push(line);
    const logger = { debug: write, info: write, warn: write, error: write };
    const topics = make({ log: createLog(logger, 'warn', 'me') });
    const line = subscribed(topics, 'a');
    Object.assign(line.record, { name: 'it' });
    for (let round = 1; round <= 2; round += 1) {
      line.slow = true;
      for (let n = 1; n <= 50; n += 1) topics.emit('tick', n);
      expect(lines).to.have.length(round);
      line.slow = false;
      topics.pump(record(line));
    }
    const said =
      'me: peer "it" (a) reads events more slowly than they are emitted: its oldest waiting events are dropped';
    expect(lines[0]).to.equal(said);
  });

  it('keep the bytes as they were when the event was emitted', () => {
    const topics = make();
    const line = subscribed(topics, 'a');
    line.slow = true;
    const bytes = new Uint8Array([1, 2, 3]);
    topics.emit('tick', bytes);
    bytes.fill(9);
    line.slow = false;
    topics.pump(record(line));
    const sent = line.sent.at(-1)!;
    expect(typeof sent === 'string' ? sent : [...sent.binaries[0]!]).to.deep.equal([1, 2, 3]);
  });

  it('count the bytes of waiting events, and not only their text', () => {
    const topics = make({ waiting: 10_000 });
    const line = subscribed(topics, 'a');
    line.slow = true;
    for (let n = 0; n < 10; n += 1) topics.emit('tick', new Uint8Array(4_000));
    expect(counters).to.include({ queued: 2, dropped: 8 });
  });

  it('disconnect a slow subscriber once, with that option', () => {
    const topics = make({ slow: 'disconnect' });
    const line = subscribed(topics, 'a');
    line.slow = true;
    for (let n = 1; n <= 100; n += 1) topics.emit('tick', n);
    expect(line.cut).to.equal(true);
    expect(counters).to.include({ disconnected: 1, queued: 0, dropped: 100 });
  });

  it('keep events for a peer whose connection is being replaced', () => {
    const topics = make();
    const line = subscribed(topics, 'a');
    line.record.link = undefined;
    topics.emit('tick', 1);
    line.record.link = line;
    topics.pump(record(line));
    expect(line.story).to.deep.equal(['after 0', 1]);
  });

  it('answer with the sequence from which a subscriber gets events, even when it subscribes again while slow', () => {
    const topics = make();
    topics.emit('tick', 1);
    const line = subscribed(topics, 'a');
    topics.emit('tick', 2);
    line.slow = true;
    topics.emit('tick', 3);
    topics.emit('tick', 4);
    topics.subscribe(link(line), { type: 'subscribe', id: 2, name: 'tick' });
    line.slow = false;
    topics.pump(record(line));
    expect(line.story).to.deep.equal(['after 1', 2, 'after 2', 3, 4]);
  });

  it('drop the waiting events of a name when it is unsubscribed', () => {
    const topics = make();
    const line = subscribed(topics, 'a');
    topics.subscribe(link(line), { type: 'subscribe', id: 2, name: 'tock' });
    line.slow = true;
    for (let n = 1; n <= 3; n += 1) {
      topics.emit('tick', n);
      topics.emit('tock', -n);
    }
    topics.unsubscribe(link(line), { type: 'unsubscribe', name: 'tick' });
    topics.unsubscribe(link(line), { type: 'unsubscribe', name: 'never' });
    line.slow = false;
    topics.pump(record(line));
    expect(line.story.slice(2)).to.deep.equal([-1, -2, -3]);
    expect(counters).to.include({ queued: 0, dropped: 0 });
  });

  it('report when no event waits any more, also because a subscriber has gone', () => {
    const topics = make();
    const story: string[] = [];
    topics.whenDrained(() => story.push('at once'));
    const [one, two] = [subscribed(topics, 'one'), subscribed(topics, 'two')];
    one.slow = true;
    two.slow = true;
    topics.emit('tick', 1);
    topics.whenDrained(() => story.push('later'));
    one.slow = false;
    topics.pump(record(one));
    expect(story).to.deep.equal(['at once']);
    topics.left(record(two));
    expect(story).to.deep.equal(['at once', 'later']);
    expect(topics.emit('tick', 2)).to.equal(1);
  });

  it('count events with and without subscribers', () => {
    const topics = make();
    for (let n = 1; n <= 7; n += 1) topics.emit('tick', n);
    const line = subscribed(topics, 'a');
    topics.left(record(line));
    topics.emit('tick', 8);
    expect(subscribed(topics, 'b').story).to.deep.equal(['after 8']);
  });

  it('never count backwards for a name that was forgotten', () => {
    const topics = make();
    for (let n = 1; n <= 7; n += 1) topics.emit('tick', n);
    for (let n = 0; n < 5_000; n += 1) topics.emit(`of ${n}`, n);
    const [answer] = subscribed(topics, 'a').story as [string];
    expect(Number(answer.replace('after ', ''))).to.be.at.least(7);
  });

  it('refuse a payload that cannot be sent, without counting it', () => {
    const topics = make();
    const line = subscribed(topics, 'a');
    expect(() => topics.emit('tick', () => {})).to.throw(NotSerializable);
    expect(() => topics.emit('tick', 'x'.repeat(65_536))).to.throw(TooLarge);
    topics.emit('tick', 1);
    expect(JSON.parse(line.sent[1] as string)).to.include({ sequence: 1 });
    expect(counters.emitted).to.equal(1);
  });

  it('end the connection of a peer with too many subscriptions', () => {
    const topics = make();
    const line = new Line('a');
    for (let id = 1; id <= 4; id += 1) {
      topics.subscribe(link(line), { type: 'subscribe', id, name: `name ${id}` });
      topics.subscribe(link(line), { type: 'subscribe', id: id + 10, name: `name ${id}` });
    }
    expect(line.closed).to.equal('it has more than 3 subscriptions');
    expect(topics.subscribers('name 3')).to.deep.equal(['a']);
    expect(topics.subscribers('name 4')).to.deep.equal([]);
  });

  it('ignore the frames of a peer that has left', () => {
    const topics = make();
    const line = new Line('a');
    line.record.left = 'stopped';
    topics.subscribe(link(line), { type: 'subscribe', id: 1, name: 'tick' });
    expect(topics.subscribers('tick')).to.deep.equal([]);
    expect(line.sent).to.deep.equal([]);
  });
});
