import { deepStrictEqual } from 'node:assert/strict';

import { expect } from 'chai';
import * as fc from 'fast-check';

import { BadFrame } from '../../src/wire/bad-frame.ts';
import {
  SEPARATOR,
  decodeMessage,
  encodeThrown,
  encodeFailure,
  encodeRequest,
  encodeResult,
} from '../../src/wire/codec.ts';
import { encodeCancel } from '../../src/wire/stream-frames.ts';
import type { ErrorFrame, Frame, RequestFrame, ResultFrame, UnreadableFrame } from '../../src/wire/frames.ts';
import { NotSerializable } from '../../src/wire/values/not-serializable.ts';
import { DEEPEST, plainText } from '../../src/wire/values/plain.ts';
import { receive as decode, textOf } from '../support/codec.ts';

const isPlain = (value: unknown): boolean => plainText(value) !== undefined;

function nest(levels: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level += 1) value = [value];
  return value;
}

/** Plain, as the encoder demands; JSON values as fast-check makes them may hold -0. */
const plain = fc.jsonValue().filter((value) => isPlain(value));
const id = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });

describe('encoding and decoding', () => {
  it('return the request that went in', () => {
    const tag = fc.string({ maxLength: 1024, unit: 'binary' });
    const deadline = fc.option(fc.nat(), { nil: undefined });
    fc.assert(
      fc.property(id, tag, fc.array(plain), deadline, (number, name, args, wait) => {
        const [frame, ...more] = decode(encodeRequest(number, name, args, wait));
        // Named arguments that there are none of may be there, empty, or not.
        const { kwargs = {}, ...rest } = frame as RequestFrame;
        const expected = { type: 'request', id: number, tag: name, args };
        expect(kwargs).to.deep.equal({});
        deepStrictEqual(rest, wait === undefined ? expected : { ...expected, deadline: wait });
        expect(more).to.deep.equal([]);
      }),
    );
  });

  it('return the result that went in', () => {
    fc.assert(
      fc.property(id, plain, (number, value) => {
        deepStrictEqual(decode(encodeResult(number, value)), [{ type: 'result', id: number, value }]);
      }),
    );
  });

  for (const value of [null, 0, '', false]) {
    it(`tell the result ${JSON.stringify(value)} apart from no result`, () => {
      expect(decode(encodeResult(1, value))).to.deep.equal([{ type: 'result', id: 1, value }]);
    });
  }

  it('express undefined by leaving the value out', () => {
    const [frame] = decode(encodeResult(1, undefined));
    expect(frame).to.deep.equal({ type: 'result', id: 1 });
    expect('value' in frame!).to.equal(false);
  });

  it('keep line breaks and halves of surrogate pairs within strings', () => {
    const args = ['a\nb\r\n\u2028\u2029', '\ud800', '\udc00x'];
    const [frame] = decode(encodeRequest(1, 'a\ntag', args, undefined));
    expect((frame as RequestFrame).args).to.deep.equal(args);
    expect((frame as RequestFrame).tag).to.equal('a\ntag');
  });

  it('keep the keys __proto__ and constructor as data', () => {
    const value = JSON.parse(
      '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}',
    ) as unknown;
    const [frame] = decode(encodeResult(1, value)) as [ResultFrame];
    expect(Object.keys(frame.value as object)).to.deep.equal(['__proto__', 'constructor']);
    expect(Object.getPrototypeOf(frame.value)).to.equal(Object.prototype);
    expect(({} as { polluted?: unknown }).polluted).to.equal(undefined);
  });

  it('read several frames of one message in their order', () => {
    const frames = {
      type: 'error' as const,
      id: 3,
      failure: { code: 'REFUSED', ran: 'no' as const, message: 'm' },
    };
    const text = [textOf(encodeResult(2, 'x')), encodeFailure(3, frames.failure), encodeCancel(1)].join(
      SEPARATOR,
    );
    expect(decode(text)).to.deep.equal([
      { type: 'result', id: 2, value: 'x' },
      frames,
      { type: 'cancel', id: 1 },
    ]);
  });

  it('accept arguments and results as deep as they send', () => {
    // The arguments are an array themselves, so what they hold has one level less.
    const argument = nest(DEEPEST - 1);
    const [request] = decode(encodeRequest(1, 'tag', [argument], undefined)) as [RequestFrame];
    expect(request.args).to.deep.equal([argument]);
    const [result] = decode(encodeResult(1, nest(DEEPEST))) as [ResultFrame];
    expect(result.value).to.deep.equal(nest(DEEPEST));
  });

  it('accept an error with properties and causes as deep as they send', () => {
    const error = Object.assign(new Error('deep', { cause: nest(DEEPEST) }), { detail: nest(DEEPEST) });
    const [frame] = decode(encodeThrown(1, error, false)) as [ErrorFrame];
    expect(frame.error?.message).to.equal('deep');
  });
});

describe('encoding', () => {
  const cycle: unknown[] = [];
  cycle.push(cycle);

  const refused: [value: unknown, path: string, message: string][] = [
    [{ user: { save() {} } }, 'args[0].user.save', 'args[0].user.save is a function (save), which cannot be'],
    [[new Date(0), Symbol('s')], 'args[0][1]', 'args[0][1] is a symbol, which cannot be'],
    [cycle, 'args[0][0]', 'args[0][0] is a circular reference to a value that contains it, which cannot be'],
  ];
  for (const [value, path, message] of refused) {
    it(`names the path of a refused value: ${path}, ${message.split(', ')[0]}`, () => {
      expect(() => encodeRequest(1, 'tag', [value], undefined))
        .to.throw(NotSerializable, message)
        .with.property('path', path);
    });
  }

  it('names the path in a result', () => {
    expect(() => encodeResult(1, { rows: [() => 1] }))
      .to.throw(NotSerializable, 'result.rows[0] is a function')
      .with.property('path', 'result.rows[0]');
  });

  it('names the path of a getter that throws, and keeps its error as the cause', () => {
    const boom = new Error('boom');
    const value = {
      user: {
        get name() {
          throw boom;
        },
      },
    };
    expect(() => encodeResult(1, value))
      .to.throw(NotSerializable, 'result.user.name is a value that cannot be read')
      .with.property('cause', boom);
  });

  it('reads a plain value once', () => {
    let reads = 0;
    const value = {
      get fickle() {
        reads += 1;
        if (reads > 1) throw new Error('boom');
        return 1;
      },
    };
    expect(textOf(encodeResult(1, value))).to.equal('{"type":"result","id":1,"value":{"fickle":1}}');
  });
});

describe('decoding', () => {
  const bad: [what: string, text: string][] = [
    ['text that is no JSON', '{"type":'],
    ['an array', '[]'],
    ['null', 'null'],
    ['a number', '7'],
    ['an object without a type', '{}'],
    ['an unknown type', '{"type":"spawn","id":1}'],
    ['a type that is a name from Object.prototype', '{"type":"constructor"}'],
    ['an id of 0', '{"type":"cancel","id":0}'],
    ['fields inherited through a key __proto__', '{"__proto__":{"type":"cancel","id":1}}'],
  ];
  for (const [what, text] of bad) {
    it(`refuses ${what}`, () => {
      expect(() => decode(text)).to.throw(BadFrame);
    });
  }

  it('ignores empty lines, as a writer with a final line break makes them', () => {
    expect(decode('{"type":"cancel","id":1}\n')).to.deep.equal([{ type: 'cancel', id: 1 }]);
    expect(decode('\n\n')).to.deep.equal([]);
    expect(decode('')).to.deep.equal([]);
  });

  it('delivers the frames before the refused one, and none after it', () => {
    const got: (Frame | UnreadableFrame)[] = [];
    const text = [encodeCancel(1), '{"type":"cancel"}', encodeCancel(2)].join(SEPARATOR);
    expect(() => decodeMessage(text, { frame: (frame) => got.push(frame) })).to.throw(BadFrame);
    expect(got).to.deep.equal([{ type: 'cancel', id: 1 }]);
  });

  it('ignores unknown types from a peer of a newer version', () => {
    const text = [encodeCancel(1), '{"type":"pause","id":"odd"}', encodeCancel(2)].join(SEPARATOR);
    expect(decode(text, true).map((frame) => (frame as { id: number }).id)).to.deep.equal([1, 2]);
    expect(() => decode(text, false)).to.throw(BadFrame);
  });

  it('refuses a known type in a wrong shape from a peer of any version', () => {
    expect(() => decode('{"type":"cancel","id":"1"}', true)).to.throw(BadFrame);
  });

  it('refuses a frame that is not an object, or too deep, from a peer of any version', () => {
    expect(() => decode('[]', true)).to.throw(BadFrame);
    expect(() => decode(`{"type":"pause","value":${'['.repeat(400)}${']'.repeat(400)}}`, true)).to.throw(
      BadFrame,
      'nested too deep',
    );
  });

  it('lets errors of its receiver through', () => {
    const fault = new Error('mine');
    expect(() =>
      decodeMessage(encodeCancel(1), {
        frame: () => {
          throw fault;
        },
      }),
    ).to.throw(fault);
  });
});
