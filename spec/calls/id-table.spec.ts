import { expect } from 'chai';
import * as fc from 'fast-check';

import { IdTable } from '../../src/calls/id-table.ts';

interface Entry {
  id: number;
}

type Step = { add: number } | { delete: number } | { clear: true };

/** Does the same to a table and to a map, and compares them after each step. */
function compare(steps: readonly Step[], ids: Iterable<number>): void {
  const table = new IdTable<Entry>();
  const map = new Map<number, Entry>();
  for (const step of steps) {
    if ('clear' in step) {
      table.clear();
      map.clear();
    } else if ('delete' in step) {
      expect(table.delete(step.delete)).to.equal(map.delete(step.delete));
    } else if (!map.has(step.add)) {
      const entry = { id: step.add };
      table.add(entry);
      map.set(entry.id, entry);
    }
    expect(table.size).to.equal(map.size);
    for (const id of ids)
      if (table.get(id) !== map.get(id)) expect.fail(`${id} after ${JSON.stringify(step)}`);
  }
  expect(table.values()).to.have.ordered.members([...map.values()].toSorted((a, b) => a.id - b.id));
}

function stepsOf(id: fc.Arbitrary<number>): fc.Arbitrary<Step[]> {
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.record({ add: id }) },
    { weight: 4, arbitrary: fc.record({ delete: id }) },
    { weight: 1, arbitrary: fc.constant({ clear: true as const }) },
  );
  return fc.array(step, { maxLength: 200, size: 'max' });
}

describe('a table of calls by their ids', () => {
  it('behaves like a Map', () => {
    const ids = [...Array(100).keys()];
    fc.assert(fc.property(stepsOf(fc.constantFrom(...ids)), (steps) => compare(steps, ids)));
  });

  it('behaves like a Map with ids that fall on one slot', () => {
    // They share a slot even in the largest table of these steps: the upper bits of the product choose the slot.
    const ids: number[] = [];
    for (let id = 1; ids.length < 60; id += 1) if (Math.imul(id, 0x9e3779b1) >>> 24 === 7) ids.push(id);
    fc.assert(fc.property(stepsOf(fc.constantFrom(...ids)), (steps) => compare(steps, ids)));
  });

  it('behaves like a Map with the largest possible ids', () => {
    const ids = [...Array(40).keys()].map((index) => Number.MAX_SAFE_INTEGER - index * 2 ** 30);
    fc.assert(fc.property(stepsOf(fc.constantFrom(...ids)), (steps) => compare(steps, ids)));
  });

  it('holds a moving window of ids and one id that stays', () => {
    const table = new IdTable<Entry>();
    table.add({ id: 0 });
    for (let id = 1; id <= 100_000; id += 1) {
      table.add({ id });
      if (id > 500) expect(table.delete(id - 500)).to.equal(true);
    }
    expect(table.size).to.equal(501);
    expect(table.get(0)).to.deep.equal({ id: 0 });
    expect(table.values().map(({ id }) => id)).to.deep.equal([
      0,
      ...Array.from({ length: 500 }, (_, index) => 99_501 + index),
    ]);
  });
});
