import { expect } from 'chai';
import * as fc from 'fast-check';

import { FairQueue } from '../../src/calls/callee/fair-queue.ts';

type Step =
  | { push: 'a' | 'b' | 'c'; times: number }
  | { take: number }
  | { putBack: true }
  | { remove: number };

const OWNERS = { a: { name: 'a' }, b: { name: 'b' }, c: { name: 'c' } };

interface Item {
  owner: object;
  n: number;
}

/** The same in the plainest way: lists of items by owner, the owner that is next first. */
class Model {
  lists: Item[][] = [];

  push(item: Item): void {
    const list = this.lists.find(([first]) => first!.owner === item.owner);
    if (list) list.push(item);
    else this.lists.push([item]);
  }

  putBack(item: Item): void {
    const list = this.lists.find(([first]) => first!.owner === item.owner);
    if (list) list.unshift(item);
    else this.lists.push([item]);
  }

  take(): Item | undefined {
    const list = this.lists.shift();
    const item = list?.shift();
    if (list && list.length > 0) this.lists.push(list);
    return item;
  }

  remove(item: Item): boolean {
    const was = this.lists.some((list) => list.includes(item));
    this.lists = this.lists
      .map((list) => list.filter((each) => each !== item))
      .filter((list) => list.length > 0);
    return was;
  }
}

describe('a fair queue', () => {
  it('behaves like lists of items whose owners take turns', () => {
    const step: fc.Arbitrary<Step> = fc.oneof(
      fc.record({ push: fc.constantFrom('a', 'b', 'c'), times: fc.integer({ min: 1, max: 400 }) }),
      fc.record({ take: fc.integer({ min: 1, max: 700 }) }),
      fc.constant({ putBack: true as const }),
      fc.record({ remove: fc.nat() }),
    );
    const check = (steps: Step[]): void => {
      const queue = new FairQueue<Item>();
      const model = new Model();
      let made: Item[] = [];
      let taken: Item | undefined;
      for (const each of steps) {
        if ('push' in each) {
          for (let time = 0; time < each.times; time += 1) {
            const item = { owner: OWNERS[each.push], n: made.length };
            made.push(item);
            queue.push(item.owner, item);
            model.push(item);
          }
        } else if ('take' in each) {
          for (let time = 0; time < each.take; time += 1) {
            expect(queue.peek()).to.equal(model.lists[0]?.[0]);
            taken = queue.take();
            if (taken !== model.take()) expect.fail(`took ${JSON.stringify(taken)}`);
          }
        } else if ('remove' in each) {
          const item = made[each.remove % Math.max(1, made.length)];
          if (item) expect(queue.remove(item.owner, item)).to.equal(model.remove(item));
        } else if (taken) {
          queue.putBack(taken.owner, taken);
          model.putBack(taken);
          taken = undefined;
        }
        expect(queue.size).to.equal(model.lists.flat().length);
        expect(queue.all()).to.have.members(model.lists.flat());
        made = model.lists.flat().length === 0 ? [] : made;
      }
    };
    fc.assert(fc.property(fc.array(step, { maxLength: 30 }), check), { numRuns: 60 });
  });
});
