import { expect } from 'chai';
import * as fc from 'fast-check';

import { Inbox } from '../../src/transport/inbox.ts';
import type { Receiver } from '../../src/transport/transport.ts';

class Log implements Receiver {
  readonly heard: (string | number | Uint8Array)[] = [];
  message(text: string): void {
    this.heard.push(text);
  }
  binary(data: Uint8Array): void {
    this.heard.push(data);
  }
  closed(code: number): void {
    this.heard.push(code);
  }
}

describe('an inbox', () => {
  let inbox: Inbox;
  let log: Log;
  beforeEach(() => {
    inbox = new Inbox();
    log = new Log();
  });

  it('keeps messages until there is a receiver', () => {
    inbox.message('a');
    inbox.message('b');
    inbox.receive(log);
    inbox.message('c');
    expect(log.heard).to.deep.equal(['a', 'b', 'c']);
  });

  it('keeps messages between two receivers', () => {
    const next = new Log();
    inbox.receive(log);
    inbox.message('a');
    inbox.receive(undefined);
    inbox.message('b');
    inbox.receive(next);
    inbox.message('c');
    expect([log.heard, next.heard]).to.deep.equal([['a'], ['b', 'c']]);
  });

  it('gives the remaining messages to a successor that is attached during a message', () => {
    const next = new Log();
    for (const text of ['a', 'b', 'c']) inbox.message(text);
    inbox.closed(1000);
    inbox.receive({
      message: (text) => {
        log.message(text);
        inbox.receive(next);
      },
      binary: () => {},
      closed: (code) => log.closed(code),
    });
    expect([log.heard, next.heard]).to.deep.equal([['a'], ['b', 'c', 1000]]);
  });

  it('keeps the remaining messages when a receiver leaves during a message', () => {
    for (const text of ['a', 'b']) inbox.message(text);
    inbox.receive({
      message: (text) => {
        log.message(text);
        inbox.receive(undefined);
      },
      binary: () => {},
      closed: (code) => log.closed(code),
    });
    inbox.closed(1000);
    expect(log.heard).to.deep.equal(['a']);
    inbox.receive(log);
    expect(log.heard).to.deep.equal(['a', 'b', 1000]);
  });

  it('keeps the order when a message arrives while another is being received', () => {
    for (const text of ['a', 'b']) inbox.message(text);
    inbox.receive({
      message: (text) => {
        if (text === 'a') inbox.message('c');
        log.message(text);
      },
      binary: () => {},
      closed: () => {},
    });
    expect(log.heard).to.deep.equal(['a', 'b', 'c']);
  });

  it('reports the end after all messages, and once', () => {
    inbox.message('a');
    inbox.closed(4401);
    inbox.closed(1000);
    inbox.receive(log);
    inbox.closed(1000);
    expect(log.heard).to.deep.equal(['a', 4401]);
  });

  it('reports an end that arrives during the kept messages after the rest of them', () => {
    for (const text of ['a', 'b']) inbox.message(text);
    inbox.receive({
      message: (text) => {
        if (text === 'a') inbox.closed(1000);
        log.message(text);
      },
      binary: () => {},
      closed: (code) => log.closed(code),
    });
    expect(log.heard).to.deep.equal(['a', 'b', 1000]);
  });

  it('reports the end at once to a present receiver', () => {
    inbox.receive(log);
    inbox.closed(1001);
    expect(log.heard).to.deep.equal([1001]);
  });

  it('reports the end to a receiver that comes after it', () => {
    inbox.closed(1001);
    inbox.receive(log);
    expect(log.heard).to.deep.equal([1001]);
  });

  it('delivers each message once and in order, the end last, for any change of receivers', () => {
    const step = fc.constantFrom<'message' | 'binary' | 'attach' | 'detach' | 'hand over'>(
      'message',
      'binary',
      'attach',
      'detach',
      'hand over',
    );
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const box = new Inbox();
        const all = new Log();
        const once: Receiver = {
          message: (text) => {
            all.message(text);
            box.receive(all);
          },
          binary: (data) => {
            all.binary(data);
            box.receive(all);
          },
          closed: (code) => all.closed(code),
        };
        const sent: (string | Uint8Array)[] = [];
        for (const each of steps) {
          if (each === 'message') box.message(sent[sent.push(String(sent.length)) - 1] as string);
          else if (each === 'binary') box.binary(sent[sent.push(Uint8Array.of(7)) - 1] as Uint8Array);
          else box.receive({ attach: all, detach: undefined, 'hand over': once }[each]);
        }
        box.closed(1000);
        box.receive(all);
        const expected = [...sent, 1000];
        // A receiver that is attached after the end hears of the end again, and nothing else.
        expect(all.heard.slice(0, expected.length)).to.deep.equal(expected);
        expect(all.heard.slice(expected.length).every((heard) => heard === 1000)).to.equal(true);
      }),
      { numRuns: 1_000 },
    );
  });
});
