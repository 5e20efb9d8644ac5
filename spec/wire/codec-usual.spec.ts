import { expect } from 'chai';
import * as fc from 'fast-check';

import { BadFrame } from '../../src/wire/bad-frame.ts';
import { encodeBeside } from '../../src/wire/beside.ts';
import type { CallMeta } from '../../src/wire/beside.ts';
import { encodeEvent, encodePayload, encodeRequest, encodeResult, eventHead } from '../../src/wire/codec.ts';
import type { Frame, UnreadableFrame } from '../../src/wire/frames.ts';
import { receive, textOf } from '../support/codec.ts';

const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

const beside = (meta: CallMeta, traceparent?: string): string =>
  encodeBeside(meta, traceparent === undefined ? undefined : { traceparent });

type Decoded = (Frame | UnreadableFrame)[] | 'bad';

/** The frames of a line, or `bad`. */
function decode(text: string): Decoded {
  try {
    return receive(text);
  } catch (error) {
    if (error instanceof BadFrame) return 'bad';
    throw error;
  }
}

/** The same line written so that no shortcut knows it: a space after the first brace. */
function decodeSlowly(line: string): Decoded {
  return decode(line.replace(/^\{/, '{ '));
}

/** The part on which both ways must agree. An empty `kwargs` counts as none. */
function same(frames: Decoded): unknown {
  if (frames === 'bad') return frames;
  return frames.map((frame) => {
    if (frame.type !== 'request') return frame;
    const { kwargs, ...rest } = frame;
    return kwargs && Object.keys(kwargs).length > 0 ? frame : rest;
  });
}

describe('the fast path for usual frames', () => {
  const args = fc.array(fc.jsonValue({ maxDepth: 2 }), { maxLength: 10 });
  const id = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });

  it('reads requests like the general path', () => {
    fc.assert(
      fc.property(
        id,
        fc.string(),
        args,
        fc.option(fc.nat(), { nil: undefined }),
        (number, tag, list, deadline) => {
          const plain = JSON.parse(JSON.stringify(list).replaceAll('-0', '0')) as unknown[];
          const line = textOf(encodeRequest(number, tag, plain, deadline));
          expect(same(decode(line))).to.deep.equal(same(decodeSlowly(line)));
          expect(JSON.parse(line)).to.include({ type: 'request', id: number, tag });
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('reads results like the general path', () => {
    fc.assert(
      fc.property(id, fc.jsonValue(), (number, value) => {
        const plain = JSON.parse(JSON.stringify(value).replaceAll('-0', '0')) as unknown;
        const line = textOf(encodeResult(number, plain));
        expect(decode(line)).to.deep.equal(decodeSlowly(line));
        expect(JSON.parse(line)).to.deep.equal({ type: 'result', id: number, value: plain });
      }),
      { numRuns: 2_000 },
    );
  });

  it('reads events like the general path', () => {
    const name = fc.string({ minLength: 1, maxLength: 256 });
    fc.assert(
      fc.property(id, name, fc.jsonValue(), (sequence, text, value) => {
        const plain = JSON.parse(JSON.stringify(value).replaceAll('-0', '0')) as unknown;
        const line = textOf(encodeEvent(eventHead(text), sequence, encodePayload(plain)));
        expect(decode(line)).to.deep.equal(decodeSlowly(line));
        expect(decode(line)).to.deep.equal([{ type: 'event', name: text, sequence, value: plain }]);
      }),
      { numRuns: 2_000 },
    );
  });

  it('accepts nothing that the general path refuses, and reads nothing differently', () => {
    const lines = [
      textOf(encodeRequest(7, 'a.tag', [5, 'x', [1]], 30_000)),
      textOf(encodeRequest(7, 'a.tag', [], undefined)),
      textOf(encodeRequest(7, 'a.tag', [5], 9, true, undefined, 9_999, beside({ a: 'x' }, TRACE))),
      textOf(encodeRequest(7, 'a.tag', [5], undefined, true, undefined, 9_999, beside({}, TRACE))),
      textOf(encodeRequest(7, 'a.tag', [5], 9, true, undefined, 9_999, encodeBeside({}, false))),
      textOf(encodeEvent(eventHead('x'), 7, encodePayload({ a: 1 }, true, 9_999, beside({ a: 1 })))),
      textOf(encodeEvent(eventHead('x'), 7, encodePayload({ a: 1 }, true, 9_999, beside({}, TRACE)))),
      textOf(encodeResult(7, 50)),
      textOf(encodeResult(7, { a: ['text'] })),
      textOf(encodeResult(7, undefined)),
      textOf(encodeEvent(eventHead('x'), 7, encodePayload({ a: ['text'] }))),
      textOf(encodeEvent(eventHead('x'), 7, encodePayload(undefined))),
    ];
    const edit = fc.record({
      line: fc.constantFrom(...lines),
      at: fc.nat(),
      removed: fc.integer({ min: 0, max: 3 }),
      added: fc.constantFrom(
        '',
        '0',
        '-',
        '1',
        '"',
        '\\',
        '\\u0041',
        ',',
        '}',
        '{',
        '[',
        ']',
        ' ',
        '\t',
        '.5',
        'e3',
        'null',
        '"a":1',
        ',"kwargs":{}',
        ',"value":',
      ),
    });
    fc.assert(
      fc.property(edit, ({ line, at, removed, added }) => {
        const place = 1 + (at % (line.length - 1));
        const changed = line.slice(0, place) + added + line.slice(place + removed);
        expect(same(decode(changed))).to.deep.equal(same(decodeSlowly(changed)));
      }),
      { numRuns: 20_000 },
    );
  });

  it('leaves frames that only look usual to the general path', () => {
    for (const line of [
      '{"type":"result","id":0,"value":1}',
      '{"type":"result","id":01,"value":1}',
      '{"type":"result","id":1,"value":01}',
      '{"type":"result","id":1,"value":}',
      '{"type":"result","id":1,"value":1,"id":2}',
      '{"type":"result","id":12345678901234567890,"value":1}',
      '{"type":"request","id":1,"tag":"a\tb","args":[],"kwargs":{}}',
      '{"type":"request","id":1,"tag":"a\\u0062","args":[],"kwargs":{}}',
      '{"type":"request","id":1,"tag":"a","args":{},"kwargs":{}}',
      '{"type":"request","id":1,"tag":"a","args":[],"kwargs":{},"deadline":}',
      '{"type":"request","id":1,"tag":"a","args":[],"kwargs":{},"deadline":-1}',
      '{"type":"request","id":1,"tag":"a","args":[1],"args":[2],"kwargs":{}}',
      '{"type":"request","id":1,"tag":"a","args":[",\\"kwargs\\":{}"]}',
      '{"type":"request","id":1,"tag":"a","headers":{},"kwargs":{}}',
      '{"type":"request","id":1,"tag":"a","headers":{"a":1},"id":2,"args":[],"kwargs":{}}',
      '{"type":"request","id":1,"tag":"a","headers":{"a":1},"args":[1],"args":[2],"kwargs":{}}',
      '{"type":"request","id":1,"tag":"a","headers":{"a":",\\"args\\":[7]"},"args":[1],"kwargs":{}}',
      '{"type":"request","id":1,"tag":"a","headers":{"args":[7]},"args":[1],"kwargs":{},"deadline":5}',
      '{"type":"request","id":1,"tag":"a","headers":[],"args":[1],"kwargs":{}}',
      '{"type":"request","id":1,"tag":"a","trace":{"tracestate":"b"},"args":[1],"kwargs":{}}',
      '{"type":"request","id":1,"tag":"a","trace":{"tracestate":1},"args":[1],"kwargs":{}}',
      `{"type":"request","id":1,"tag":"a","trace":"${TRACE.toUpperCase()}","args":[1],"kwargs":{}}`,
      `{"type":"request","id":1,"tag":"a","trace":"${TRACE}0","args":[1],"kwargs":{}}`,
      `{"type":"request","id":1,"tag":"a","trace":"${TRACE}","args":[1],"kwargs":{}}`,
      `{"type":"request","id":1,"tag":"a","trace":"${TRACE}","headers":{},"args":[1],"kwargs":{}}`,
      '{"type":"request","id":1,"tag":"a","trace":false,"args":[1],"kwargs":{}}',
      '{"type":"request","id":1,"tag":"a","headers":{"a":1},"trace":false,"args":[1],"kwargs":{},"deadline":5}',
      '{"type":"request","id":1,"tag":"a","trace":true,"args":[1],"kwargs":{}}',
      '{"type":"request","id":1,"tag":"a","trace":falsey,"args":[1],"kwargs":{}}',
      '{"type":"event","name":"a","sequence":1,"trace":false,"value":2}',
      '{"type":"event","name":"a","sequence":1,"trace":false}',
      `{"type":"event","name":"a","sequence":1,"headers":{"value":1},"value":2}`,
      `{"type":"event","name":"a","sequence":1,"trace":"${TRACE}","value":2}`,
      `{"type":"event","name":"a","sequence":1,"trace":"${TRACE}"}`,
    ]) {
      expect(same(decode(line)), line).to.deep.equal(same(decodeSlowly(line)));
    }
  });
});
