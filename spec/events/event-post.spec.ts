import { expect } from 'chai';
import * as fc from 'fast-check';

import { EventPost } from '../../src/events/event-post.ts';
import { Link } from '../../src/connection/link/link.ts';
import { createRecord } from '../../src/connection/link/peer-record.ts';
import { eventually } from '../support/eventually.ts';

const OWN = { buffered: 1_000_000, calls: 1, subscriptions: 1 };

/** A connection that notes what is written to it; each message is one system call. */
function connection(): { link: Link; messages: string[]; frames: () => string[] } {
  const messages: string[] = [];
  const socket = { bufferedAmount: 0, send: (message: string) => messages.push(message) };
  const party = { limits: {}, functions: [], newestVersion: 1 };
  const session = { socket, dialled: true, generation: 0, party, told: [] } as never;
  const link = new Link(createRecord(party as never, [], 'host'), session, OWN, 'socket:1');
  return { link, messages, frames: () => messages.flatMap((message) => message.split('\n')) };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('the post of events', () => {
  it('sends the events of a tick together, at its end, to all subscribers', async () => {
    const post = new EventPost();
    const all = Array.from({ length: 5 }, connection);
    for (const event of ['a', 'b', 'c']) {
      for (const { link } of all) post.put(link, event);
      post.done();
    }
    await Promise.resolve();
    for (const { messages } of all) expect(messages).to.deep.equal(['a\nb\nc']);
  });

  it('holds the events that follow at once, and sends them together', async () => {
    const post = new EventPost();
    const { link, messages } = connection();
    const [second] = [Array.from({ length: 50 }, (_, event) => String(event))];
    post.put(link, 'first');
    post.done();
    await Promise.resolve();
    for (const event of second) {
      post.put(link, event);
      post.done();
    }
    await eventually(() => messages.join('\n').endsWith(second.at(-1)!));
    expect(messages[0]).to.equal('first');
    expect(messages).to.have.length.below(5);
  });

  it('sends everything in order when events come turn after turn', async () => {
    const post = new EventPost();
    const all = Array.from({ length: 200 }, connection);
    for (let event = 0; event < 300; event += 1) {
      for (const { link } of all) post.put(link, String(event));
      post.done();
      await turn();
    }
    await eventually(() => all.every(({ frames }) => frames().length === 300));
    for (const { frames } of all) {
      expect(frames()).to.deep.equal(Array.from({ length: 300 }, (_, event) => String(event)));
    }
  });

  it('keeps the order of everything that is sent on a connection, whatever is sent between', async () => {
    const step = fc.constantFrom('event', 'frame', 'bytes', 'tick', 'turn');
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const post = new EventPost();
        const { link, frames } = connection();
        const sent: string[] = [];
        for (const [index, kind] of steps.entries()) {
          const name = `${kind} ${index} ${'x'.repeat((index * 997) % 3_000)}`;
          if (kind === 'tick') await Promise.resolve();
          else if (kind === 'turn') await turn();
          else {
            sent.push(name);
            if (kind === 'frame') link.send(name);
            else {
              post.put(link, kind === 'event' ? name : { text: name, binaries: [] });
              post.done();
            }
          }
        }
        await eventually(() => frames().length === sent.length);
        expect(frames()).to.deep.equal(sent);
      }),
      { numRuns: 300 },
    );
  });
});
