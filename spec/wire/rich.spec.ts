import { expect } from 'chai';
import { deserialize, serialize } from 'superjson';
import type { SuperJSONResult } from 'superjson';

import { encodeRequest, encodeResult, encodeThrown } from '../../src/wire/codec.ts';
import type { ErrorFrame, RequestFrame, ResultFrame } from '../../src/wire/frames.ts';
import { DEEPEST_META, LONGEST_BIGINT, LONGEST_PATTERNS } from '../../src/wire/values/meta.ts';
import { MOST_BINARIES } from '../../src/wire/binary.ts';
import { messageOf } from '../../src/base/text.ts';
import { stackOf } from '../../src/base/unforeseen.ts';
import { NotSerializable } from '../../src/wire/values/not-serializable.ts';
import { DEEPEST } from '../../src/wire/values/plain.ts';
import { receive, textOf } from '../support/codec.ts';

/** Through a real frame, as a result. */
function carry<T>(value: T): T {
  const [frame] = receive(encodeResult(1, value));
  expect(frame).to.have.property('type', 'result');
  return (frame as ResultFrame).value as T;
}

interface WithMeta extends Record<string, SuperJSONResult['json']> {
  meta: NonNullable<SuperJSONResult['meta']>;
}

function carryArguments(...args: unknown[]): unknown[] {
  const [frame] = receive(encodeRequest(1, 'tag', args, undefined));
  return (frame as RequestFrame).args;
}

function nest(levels: number, wrap: (inner: unknown) => unknown, innermost: unknown = 1): unknown {
  let value = innermost;
  for (let level = 0; level < levels; level += 1) value = wrap(value);
  return value;
}

describe('a value that JSON cannot express', () => {
  const values: [name: string, value: unknown][] = [
    ['NaN', NaN],
    ['Infinity', Infinity],
    ['-Infinity', -Infinity],
    ['minus zero', -0],
    ['a bigint', -(2n ** 80n)],
    ['a Date', new Date(1e12)],
    ['a Date before the year 0', new Date(-1e14)],
    ['an invalid Date', new Date(NaN)],
    ['a Set', new Set([1, 'a', new Date(0), undefined])],
    ['a Map', new Map<unknown, unknown>([[{ a: 1n }, new Map([[new Date(0), NaN]])]])],
    ['a RegExp', /a.\/b\n/giu],
    ['a URL', new URL('https://user:pass@example.com:1/a?b#c')],
    ['undefined in an object', { a: undefined }],
    ['undefined in an array', [undefined, 1, undefined]],
    ['a key with dots and backslashes', { 'a.b\\.c\\': NaN, '': { '': -0 }, '0': 1n }],
    ['an own key constructor', { constructor: { prototype: 1n } }],
    ['an Infinity within much that is plain', { a: [1, { b: 'c' }], d: [[Infinity]], e: null }],
  ];
  for (const [name, value] of values) {
    it(`arrives unchanged: ${name}`, () => {
      expect(carry(value)).to.deep.equal(value);
      expect(carryArguments('plain', value)).to.deep.equal(['plain', value]);
    });

    // It refuses such keys in its paths.
    if (name.includes('constructor')) continue;
    it(`is written in the form that superjson reads, and read in the form that it writes: ${name}`, () => {
      const { meta, ...json } = JSON.parse(textOf(encodeResult(1, value))) as WithMeta;
      expect(deserialize({ json, meta })).to.deep.equal({ type: 'result', id: 1, value });
      if (name === 'an invalid Date') return;
      const theirs = serialize({ type: 'result', id: 1, value });
      const frame = { ...(theirs.json as object), meta: theirs.meta };
      expect(receive(JSON.stringify(frame))).to.deep.equal([{ type: 'result', id: 1, value }]);
    });
  }

  it('keeps an own key __proto__ as data', () => {
    const value = JSON.parse('{"__proto__":{"polluted":1}}') as Record<string, Record<string, unknown>>;
    value['__proto__']!['polluted'] = NaN;
    const carried = carry(value);
    expect(Object.keys(carried)).to.deep.equal(['__proto__']);
    expect(Object.getPrototypeOf(carried)).to.equal(Object.prototype);
    expect(Object.getOwnPropertyDescriptor(carried, '__proto__')?.value).to.deep.equal({ polluted: NaN });
  });

  it('leaves the given value unchanged', () => {
    const inner = Object.freeze({ when: new Date(0), list: Object.freeze([undefined, 1n]) });
    carry(Object.freeze([inner]));
    expect(inner).to.deep.equal({ when: new Date(0), list: [undefined, 1n] });
  });

  it('arrives twice when it is in two places', () => {
    const shared = { when: new Date(0) };
    const [a, b] = carry([shared, shared]) as [object, object];
    expect(a).to.deep.equal(b);
    expect(a).not.to.equal(b);
  });
});

describe('a value that cannot be sent', () => {
  class User {
    save = 1;
  }
  class Rows extends Array<number> {}
  class Moment extends Date {}
  class Index extends Map {}
  class Bytes extends Uint8Array {}
  const given = new ArrayBuffer(8);
  structuredClone(given, { transfer: [given] });

  const refused: [name: string, value: unknown, path: string, what: string][] = [
    ['a symbol', Symbol('s'), '', 'a symbol'],
    ['a named function', User, '', 'a function (User)'],
    ['a nameless function', (() => () => {})(), '', 'a function'],
    // oxlint-disable-next-line no-sparse-arrays
    ['a hole', [1, , 3], '[1]', 'a hole in an array'],
    ['a hole after what is rich', [NaN, ...[], Array(3)], '[1][0]', 'a hole in an array'],
    ['a class instance', new User(), '', 'an instance of User'],
    ['a class of arrays', { rows: Rows.of(1, 2) }, '.rows', 'an instance of Rows'],
    ['a class of dates', [new Moment()], '[0]', 'an instance of Moment'],
    ['a class of maps', new Index(), '', 'an instance of Index'],
    ['a class of bytes', new Bytes(1), '', 'an instance of Bytes'],
    [
      'a generator',
      (function* () {})(),
      '',
      'a generator (use an async function* to send its values as a stream)',
    ],
    ['a promise', Promise.resolve(1), '', 'a promise (await it, and send its result)'],
    ['shared memory', new SharedArrayBuffer(1), '', 'an instance of SharedArrayBuffer'],
    ['memory that was given away', given, '', 'memory that was transferred elsewhere'],
    [
      'a Date with a property',
      Object.assign(new Date(0), { zone: 1 }),
      '',
      'a Date with an added property (zone)',
    ],
    ['a boxed number', Object(1), '', 'an instance of Number'],
    [
      'an object whose prototype has no name',
      Object.create(Object.create(null)),
      '',
      'an instance of a class',
    ],
    ['a key that is no identifier', { 'a b': { '0': Symbol('s') } }, '["a b"]["0"]', 'a symbol'],
    ['a key with a quote', { 'a"b': Symbol('s') }, '["a\\"b"]', 'a symbol'],
    [
      'a value of a Map',
      {
        map: new Map([
          ['a', 1],
          ['b', User as never],
        ]),
      },
      '.map.entries()[1][1]',
      'a function (User)',
    ],
    ['a key of a Map', new Map([[User, 1]]), '.entries()[0][0]', 'a function (User)'],
    ['a value of a Set', [new Set([1, { f: User }])], '[0].values()[1].f', 'a function (User)'],
    [
      'a bigint without end',
      10n ** BigInt(LONGEST_BIGINT),
      '',
      `a bigint of more than ${LONGEST_BIGINT} characters`,
    ],
    [
      'too much of regular expressions',
      [new RegExp('a'.repeat(LONGEST_PATTERNS)), /a/],
      '[1]',
      `a regular expression beyond the ${LONGEST_PATTERNS} characters that all of one message may have together`,
    ],
    [
      'too many bytes',
      Array.from({ length: MOST_BINARIES + 1 }, () => new Uint8Array(1)),
      `[${MOST_BINARIES}]`,
      `one more than the ${MOST_BINARIES} binary values that one message may have`,
    ],
  ];

  for (const [name, value, path, what] of refused) {
    it(`is refused with its path and kind: ${name}`, () => {
      expect(() => encodeRequest(1, 'tag', [value], undefined))
        .to.throw(NotSerializable, `args[0]${path} is ${what}, which cannot be sent`)
        .with.property('path', `args[0]${path}`);
    });
  }

  it('is found below an own key __proto__', () => {
    const value = JSON.parse('{"__proto__":{"polluted":true}}') as Record<string, { polluted: unknown }>;
    value['__proto__']!.polluted = Symbol('s');
    expect(() => encodeResult(1, value)).to.throw(NotSerializable, 'result.__proto__.polluted is a symbol');
  });

  it('is reported as the first of several', () => {
    const value = { a: 1, b: [() => {}], c: Symbol('s') };
    expect(() => encodeResult(1, value)).to.throw(NotSerializable, 'result.b[0] is a function');
  });

  it('may be a cycle, and is reported as one', () => {
    const cycle: Record<string, unknown> = { a: {} };
    (cycle['a'] as Record<string, unknown>)['back'] = cycle;
    const map = new Map<string, unknown>();
    map.set('self', [map]);
    const what = 'is a circular reference to a value that contains it';
    expect(() => encodeResult(1, cycle)).to.throw(NotSerializable, `result.a.back ${what}`);
    expect(() => encodeResult(1, map)).to.throw(NotSerializable, `result.entries()[0][1][0] ${what}`);
  });

  it(`may be too deep: more than ${DEEPEST}, and ${DEEPEST_META} of sets and maps`, () => {
    const array = (inner: unknown): unknown => [inner];
    const set = (inner: unknown): unknown => new Set([inner]);
    expect(carry(nest(DEEPEST, array, NaN))).to.deep.equal(nest(DEEPEST, array, NaN));
    expect(() => encodeResult(1, nest(DEEPEST + 1, array, NaN))).to.throw(NotSerializable, 'nested deeper');
    expect(() => encodeResult(1, nest(100_000, array, NaN))).to.throw(NotSerializable, 'nested deeper');
    expect(carry(nest(DEEPEST_META, set))).to.deep.equal(nest(DEEPEST_META, set));
    expect(() => encodeResult(1, nest(DEEPEST_META + 1, set))).to.throw(NotSerializable, 'nested deeper');
  });
});

describe('a value that cannot be carried', () => {
  /** Joined to text, it would be longer than the engine allows, after half a minute of work. */
  function doubling(): unknown[] {
    let list: unknown[] = ['x'];
    for (let depth = 0; depth < 32; depth += 1) list = [list, list];
    return list;
  }

  it('is named without turning what stands in the place of its name into text', () => {
    const named = Object.defineProperty(() => 1, 'name', { value: doubling() });
    class Odd {
      method(): void {}
    }
    Object.defineProperty(Odd, 'name', { value: doubling() });
    const before = process.cpuUsage();
    expect(() => encodeResult(1, named)).to.throw(NotSerializable, 'result is a function');
    expect(() => encodeResult(1, new Odd())).to.throw(NotSerializable, 'result is an instance of a class');
    expect(messageOf(doubling())).to.equal('something that is not an error was thrown');
    expect(process.cpuUsage(before).user / 1_000).to.be.below(200);
  });
  for (const field of ['name', 'message'] as const) {
    it(`is an error whose ${field} is not text: it goes without its stack, which the engine would begin with it`, () => {
      const odd = Object.defineProperty(new Error('e'), field, { value: doubling() });
      const before = process.cpuUsage();
      const [frame] = receive(encodeThrown(1, odd, true)) as [ErrorFrame];
      expect(frame.error).to.deep.equal(
        field === 'name' ? { name: 'Error', message: 'e' } : { name: 'Error', message: '' },
      );
      expect(stackOf(odd)).to.be.a('string');
      expect(process.cpuUsage(before).user / 1_000).to.be.below(200);
    });
  }
});
