import { deepStrictEqual } from 'node:assert/strict';

import { expect } from 'chai';
import * as fc from 'fast-check';

import { NetError } from '../../src/base/errors.ts';
import { decodeMessage } from '../../src/page/codec/decode.ts';
import {
  encodeNext,
  encodeRequest,
  encodeResult,
  encodeThrown,
  encodeWithValue,
} from '../../src/page/codec/frames.ts';
import * as wire from '../../src/wire/codec.ts';
import type { ErrorFrame, Frame, RequestFrame, ResultFrame, UnreadableFrame } from '../../src/wire/frames.ts';
import { sizeOf } from '../../src/wire/outgoing.ts';
import type { Outgoing } from '../../src/wire/outgoing.ts';
import { TooLarge } from '../../src/wire/too-large.ts';
import { NotSerializable } from '../../src/wire/values/not-serializable.ts';
import { reviveThrown } from '../../src/wire/values/failure.ts';
import { receive } from '../support/codec.ts';
import { exotic } from '../support/exotic.ts';
import { rich } from '../support/rich.ts';

const MOST = 16 * 1024 * 1024;

/** Reads as a page does: each binary message has memory of its own. */
function read(outgoing: Outgoing): (Frame | UnreadableFrame)[] {
  const frames: (Frame | UnreadableFrame)[] = [];
  const isText = typeof outgoing === 'string';
  const binaries = isText ? [] : outgoing.binaries.map((bytes) => new Uint8Array(bytes));
  decodeMessage(isText ? outgoing : outgoing.text, binaries, (frame) => frames.push(frame));
  expect(binaries).to.deep.equal([]);
  return frames;
}

function isJson(outgoing: Outgoing): void {
  JSON.parse(typeof outgoing === 'string' ? outgoing : outgoing.text);
}

/** A page has no Buffer. */
const forPages = rich.filter((value) => !hasBuffer(value));

function hasBuffer(value: unknown): boolean {
  if (Buffer.isBuffer(value)) return true;
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return false;
  if (value instanceof Map) return hasBuffer([...value]);
  if (value instanceof Set) return hasBuffer([...value]);
  return Reflect.ownKeys(value).some((key) => hasBuffer((value as Record<PropertyKey, unknown>)[key]));
}

const origin = { name: 'server', id: 'x' };

describe('the codec of pages and that of processes', function () {
  this.timeout(120_000);

  it('read what the other one writes', () => {
    fc.assert(
      fc.property(forPages, (value) => {
        const [result] = receive(encodeResult(1, value, MOST)) as [ResultFrame];
        deepStrictEqual(result.value, value);
        const [request] = receive(encodeRequest(1, 'tag', [1, value], 5, undefined, MOST, '')) as [
          RequestFrame,
        ];
        deepStrictEqual(request.args, [1, value]);
        expect(request.deadline).to.equal(5);
        const [back] = read(wire.encodeResult(1, value)) as [ResultFrame];
        deepStrictEqual(back.value, value);
      }),
      { numRuns: 200, interruptAfterTimeLimit: 5_000 },
    );
  });

  it('agree about what cannot be sent', () => {
    const outcome = (encode: () => unknown): string => {
      try {
        encode();
        return 'sent';
      } catch (error) {
        if (NotSerializable.is(error)) return 'refused';
        if (TooLarge.is(error)) return 'too large';
        throw error;
      }
    };
    class Mine {}
    const circle: unknown[] = [];
    circle.push(circle);
    const deep = (levels: number): unknown => (levels === 0 ? 1 : [deep(levels - 1)]);
    const sets = (levels: number): unknown => (levels === 0 ? 1 : new Set([sets(levels - 1)]));
    const transferred = new ArrayBuffer(8);
    structuredClone(transferred, { transfer: [transferred] });
    const values: unknown[] = [
      ...[
        () => 1,
        Symbol('s'),
        new Mine(),
        circle,
        Promise.resolve(1),
        Object.assign([], { length: 2 }),
        new WeakMap(),
        transferred,
      ],
      ...[
        deep(256),
        deep(257),
        sets(128),
        sets(129),
        Object.assign(new Date(), { a: 1 }),
        10n ** 16_384n,
        10n ** 16_000n,
      ],
      ...[
        new (class extends Map {})(),
        new (class extends Uint8Array {})(1),
        /x{2}\p{L}/u,
        new RegExp('x'.repeat(20_000)),
      ],
      ...[
        {
          get a() {
            throw new Error('boom');
          },
        },
        new Proxy(
          {},
          {
            ownKeys: () => {
              throw new Error('boom');
            },
          },
        ),
      ],
      ...['x'.repeat(70_000), [new Uint8Array(70_000)], { a: ['x'.repeat(40_000), 'x'.repeat(40_000)] }],
    ];
    for (const [index, value] of values.entries()) {
      const page = outcome(() => encodeResult(1, value, 65_536));
      expect(page, `value ${index}`).to.equal(outcome(() => wire.encodeResult(1, value, true, 65_536)));
    }
  });

  it('name the place of what cannot be sent', () => {
    const value = { list: [new Map([['a', { 'b c': [1, () => 1] }]])] };
    const message =
      'result.list[0].entries()[0][1]["b c"][1] is a function, which cannot be sent to another process';
    expect(() => encodeResult(1, value, MOST)).to.throw(NotSerializable, message);
    expect(() => wire.encodeResult(1, value)).to.throw(NotSerializable, message);
  });

  it('survive whatever users make', () => {
    fc.assert(
      fc.property(exotic, (recipe) => {
        const value = recipe();
        try {
          isJson(encodeResult(1, value, 65_536));
        } catch (error) {
          if (!NotSerializable.is(error) && !TooLarge.is(error)) throw error;
        }
        isJson(encodeThrown(1, recipe(), 65_536));
      }),
      { numRuns: 100, interruptAfterTimeLimit: 3_000 },
    );
  });

  it('carry errors with class, code, cause, properties and stack, both ways', () => {
    const inner = Object.assign(new TypeError('inner'), { when: new Date(3) });
    const thrown = Object.assign(new RangeError('outer', { cause: inner }), {
      code: 'E',
      map: new Map([[1, 2n]]),
    });
    const all = new AggregateError([thrown, 'text', undefined], 'all');
    const carried = [receive(encodeThrown(1, all, MOST)), read(wire.encodeThrown(1, all, true))].map(
      ([frame]) => reviveThrown(frame as ErrorFrame, origin, '') as AggregateError,
    );
    for (const error of carried) {
      expect(error).to.be.instanceOf(AggregateError);
      expect(error.errors.slice(1)).to.deep.equal(['text', undefined]);
      const [first] = error.errors as [RangeError & { code: string; map: Map<number, bigint> }];
      expect(first).to.be.instanceOf(RangeError).and.to.include({ message: 'outer', code: 'E' });
      expect(first.map).to.deep.equal(new Map([[1, 2n]]));
      expect(first.cause)
        .to.be.instanceOf(TypeError)
        .and.to.deep.include({ message: 'inner', when: new Date(3) });
      expect(error.stack).to.include('codec.spec.ts').and.to.include('at peer "server"');
    }
    for (const value of [undefined, null, 0, '', false, 5n, { a: 1 }]) {
      const [frame] = receive(encodeThrown(1, value, MOST)) as [ErrorFrame];
      expect(reviveThrown(frame, origin, '')).to.deep.equal(value);
    }
    const [failed] = receive(encodeThrown(1, new NetError('NOT_SENT', 'gone'), MOST)) as [ErrorFrame];
    expect(reviveThrown(failed, origin, ''))
      .to.be.instanceOf(NetError)
      .and.to.include({ code: 'NOT_SENT', ran: 'yes' });
  });

  it('keep the class of an error that is too large, and cut its text', () => {
    const [frame] = receive(encodeThrown(1, new RangeError('x'.repeat(100_000)), 65_536)) as [ErrorFrame];
    const error = reviveThrown(frame, origin, '') as Error;
    expect(error).to.be.instanceOf(RangeError);
    expect(error.message).to.have.length.below(40_000);
  });

  it('count the same credit for a value of a stream', () => {
    for (const value of [undefined, 'ä', [new Uint8Array(10), 5n]]) {
      const outgoing = encodeNext(1, undefined, value, MOST);
      const [there] = receive(outgoing) as unknown as { size: number }[];
      const [here] = read(outgoing) as unknown as { size: number }[];
      expect([there!.size, here!.size]).to.deep.equal([sizeOf(outgoing), sizeOf(outgoing)]);
    }
  });

  it('read a request and an event of a page the fast way', () => {
    const [request] = receive(
      encodeRequest(7, 'a.b', [1, 'x'], undefined, undefined, MOST, ',"headers":{"t":1}'),
    );
    expect(request).to.deep.equal({ type: 'request', id: 7, tag: 'a.b', args: [1, 'x'], headers: { t: 1 } });
    const [event] = receive(encodeWithValue('{"type":"event","name":"n","sequence":3', [1], 'payload', MOST));
    expect(event).to.deep.equal({ type: 'event', name: 'n', sequence: 3, value: [1] });
  });

  it('fail one frame whose value cannot be made, and end the connection for what is none', () => {
    const meta = (note: unknown): string => JSON.stringify({ values: { value: note }, v: 1 });
    for (const note of [
      ['alien'],
      [['custom', 'Alien']],
      ['bigint'],
      ['URL'],
      [['custom', 'Uint8Array']],
      ['toString'],
    ]) {
      const [frame] = read(`{"type":"result","id":1,"meta":${meta(note)},"value":"?"}`);
      expect(frame, JSON.stringify(note)).to.include({ type: 'unreadable', of: 'result', id: 1 });
    }
    for (const path of ['__proto__.x', 'constructor.prototype.x', 'value.a.b', '']) {
      const values = JSON.stringify({ values: { [path]: ['undefined'] }, v: 1 });
      const [frame] = read(`{"type":"result","id":1,"meta":${values},"value":{}}`);
      expect(frame).to.include({ type: 'unreadable' });
    }
    expect(({} as { x?: unknown }).x).to.equal(undefined);
    for (const text of ['nonsense', '[]', '5', 'null'])
      expect(() => read(text), text).to.throw('not a JSON object');
  });
});
