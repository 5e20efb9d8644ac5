import { deepStrictEqual } from 'node:assert/strict';

import { expect } from 'chai';
import * as fc from 'fast-check';

import { DEEPEST, plainText } from '../../src/wire/values/plain.ts';

const isPlain = (value: unknown): boolean => plainText(value) !== undefined;

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
  it('survive JSON unchanged', () => {
    let plain = 0;
    fc.assert(
      fc.property(anything, (value) => {
        if (plainText(value) === undefined) return;
        plain += 1;
        deepStrictEqual(JSON.parse(JSON.stringify(value)), value);
      }),
      { numRuns: 2_000 },
    );
    // A property that looks at nothing would hold.
    expect(plain).to.be.above(100);
  });

  it('are all values that JSON itself produces', () => {
    // Written and read once, as fast-check's own values may hold -0, which `JSON.stringify` never writes.
    fc.assert(fc.property(fc.jsonValue(), (value) => isPlain(JSON.parse(JSON.stringify(value)))));
  });

  it('include objects without a prototype', () => {
    const bare = Object.assign(Object.create(null), { a: 1 }) as unknown;
    expect(isPlain(bare)).to.equal(true);
  });

  it('include one object in two places, which is not a cycle', () => {
    const shared = { a: 1 };
    expect(isPlain([shared, shared])).to.equal(true);
  });

  it(`may be nested ${DEEPEST} deep and no deeper`, () => {
    for (const wrap of [(inner: unknown) => [inner], (inner: unknown) => ({ inner })]) {
      expect(isPlain(nest(DEEPEST, wrap))).to.equal(true);
      expect(isPlain(nest(DEEPEST + 1, wrap))).to.equal(false);
    }
  });

  it('are detected without overflowing the stack', () => {
    const deep = nest(100_000);
    expect(isPlain(deep)).to.equal(false);
  });
});
