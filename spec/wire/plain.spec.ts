import { deepStrictEqual } from 'node:assert/strict';

import { expect } from 'chai';
import * as fc from 'fast-check';

import { DEEPEST, findUnplain, isPlain } from '../../src/wire/plain.ts';

function nest(levels: number, wrap: (inner: unknown) => unknown = (inner) => [inner]): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level += 1) value = wrap(value);
  return value;
}

const anything = fc.anything({
  withBigInt: true,
  withBoxedValues: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withSparseArray: true,
  withTypedArray: true,
});

describe('plain values', () => {
  it('come back from JSON as they went in', () => {
    let plain = 0;
    fc.assert(
      fc.property(anything, (value) => {
        if (!isPlain(value)) return;
        plain += 1;
        deepStrictEqual(JSON.parse(JSON.stringify(value)), value);
      }),
      { numRuns: 2_000 },
    );
    // A property that looks at nothing would hold.
    expect(plain).to.be.above(100);
  });

  it('are all that JSON itself produces', () => {
    // Written and read once, as fast-check's own values may hold -0, which `JSON.stringify` never writes.
    fc.assert(fc.property(fc.jsonValue(), (value) => isPlain(JSON.parse(JSON.stringify(value)))));
  });

  it('are those, and only those, in which nothing unplain is found', () => {
    fc.assert(
      fc.property(anything, (value) => {
        expect(findUnplain(value, 'value') === undefined).to.equal(isPlain(value));
      }),
      { numRuns: 2_000 },
    );
  });

  it('include objects without a prototype', () => {
    const bare = Object.assign(Object.create(null), { a: 1 }) as unknown;
    expect(isPlain(bare)).to.equal(true);
    expect(findUnplain(bare, 'value')).to.equal(undefined);
  });

  it('include the same object at two places, which is no cycle', () => {
    const shared = { a: 1 };
    expect(isPlain([shared, shared])).to.equal(true);
    expect(findUnplain([shared, { shared }], 'value')).to.equal(undefined);
  });

  it(`may be nested ${DEEPEST} deep and no deeper`, () => {
    for (const wrap of [(inner: unknown) => [inner], (inner: unknown) => ({ inner })]) {
      expect(isPlain(nest(DEEPEST, wrap))).to.equal(true);
      expect(isPlain(nest(DEEPEST + 1, wrap))).to.equal(false);
    }
    expect(findUnplain(nest(DEEPEST), 'value')).to.equal(undefined);
    expect(findUnplain(nest(DEEPEST + 1), 'value')?.what).to.equal(`nested deeper than ${DEEPEST}`);
  });

  it('are looked for without overflowing the stack', () => {
    const deep = nest(100_000);
    expect(isPlain(deep)).to.equal(false);
    expect(findUnplain(deep, 'value')?.what).to.equal(`nested deeper than ${DEEPEST}`);
  });
});

describe('a value that cannot be carried', () => {
  class User {
    save = 1;
  }
  class Rows extends Array<number> {}

  const refused: [name: string, value: unknown, path: string, what: string][] = [
    ['undefined', undefined, '', 'undefined'],
    ['NaN', NaN, '', 'NaN'],
    ['Infinity', -Infinity, '', '-Infinity'],
    ['minus zero', -0, '', '-0'],
    ['a bigint', 1n, '', 'a bigint'],
    ['a symbol', Symbol('s'), '', 'a symbol'],
    ['a named function', User, '', 'a function (User)'],
    ['a nameless function', (() => () => {})(), '', 'a function'],
    ['undefined in an object', { a: undefined }, '.a', 'undefined'],
    ['undefined in an array', [1, undefined], '[1]', 'undefined'],
    // oxlint-disable-next-line no-sparse-arrays
    ['a hole', [1, , 3], '[1]', 'a hole in an array'],
    ['a Date', { when: new Date(0) }, '.when', 'an instance of Date'],
    ['a Map', [new Map()], '[0]', 'an instance of Map'],
    ['bytes', { a: new Uint8Array(1) }, '.a', 'an instance of Uint8Array'],
    ['a class instance', new User(), '', 'an instance of User'],
    ['a class of arrays', { rows: Rows.of(1, 2) }, '.rows', 'an instance of Rows'],
    ['a boxed number', Object(1), '', 'an instance of Number'],
    [
      'an object whose prototype has no name',
      Object.create(Object.create(null)),
      '',
      'an instance of a class',
    ],
    ['a key that is no identifier', { 'a b': { '0': NaN } }, '["a b"]["0"]', 'NaN'],
    ['a key with a quote', { 'a"b': NaN }, '["a\\"b"]', 'NaN'],
  ];

  for (const [name, value, path, what] of refused) {
    it(`is refused with its place and kind: ${name}`, () => {
      expect(isPlain(value)).to.equal(false);
      expect(findUnplain(value, 'args[0]')).to.deep.equal({ path: `args[0]${path}`, what });
    });
  }

  it('is found below an own key __proto__', () => {
    const value = JSON.parse('{"__proto__":{"polluted":true}}') as Record<string, { polluted: unknown }>;
    value['__proto__']!.polluted = NaN;
    expect(findUnplain(value, 'args[0]')).to.deep.equal({ path: 'args[0].__proto__.polluted', what: 'NaN' });
  });

  it('is the first of several', () => {
    expect(findUnplain({ a: 1, b: [NaN], c: 1n }, 'result')?.path).to.equal('result.b[0]');
  });

  it('may be a cycle, which is named as one', () => {
    const cycle: Record<string, unknown> = { a: {} };
    (cycle['a'] as Record<string, unknown>)['back'] = cycle;
    expect(isPlain(cycle)).to.equal(false);
    expect(findUnplain(cycle, 'args[1]')).to.deep.equal({
      path: 'args[1].a.back',
      what: 'a reference back to a value that contains it',
    });
  });
});
