import { expect } from 'chai';

import type { CallSite } from '../../src/base/call-site.ts';
import { Registry } from '../../src/calls/callee/registry.ts';
import type { AnyFunction } from '../../src/base/function-types.ts';
import { encodeTag } from '../../src/base/tag.ts';

type Change = [added: string[], removed: string[]];

describe('the registry', () => {
  let registry: Registry;
  let changes: Change[];
  const here = { file: '/app/here.ts', line: 3, column: 7 };
  const there = { file: '/app/there.ts', line: 9, column: 1 };
  const one: AnyFunction = () => 1;
  const two: AnyFunction = () => 2;

  beforeEach(() => {
    changes = [];
    registry = new Registry((added, removed) => changes.push([added, removed]));
  });

  const add = (tag: string, run: AnyFunction = one, replace = false): void =>
    registry.add([{ tag, fn: run, self: undefined, place: here }], replace);

  const remove = (tag: string, fn: AnyFunction): boolean => registry.remove([{ tag, fn }]);

  it('finds a function by its tag', () => {
    add('one');
    expect(registry.get('one')).to.include({ tag: 'one', run: one, place: here });
    expect(registry.get('two')).to.equal(undefined);
    expect([registry.size, registry.tags()]).to.deep.equal([1, ['one']]);
  });

  describe('when a module is evaluated again', () => {
    const make = (): AnyFunction => () => 0;
    const put = (fn: AnyFunction, place: CallSite): void =>
      registry.add([{ tag: 'one', fn, self: undefined, place }], false);
    const changed = { ...here, line: 40 };

    it('replaces a function of the same name and file, later or with another query', async () => {
      put(make(), here);
      put(make(), { ...changed, query: '?t=1' });
      await Promise.resolve();
      const last = make();
      put(last, { ...changed, query: '?t=1' });
      expect(registry.get('one')?.run).to.equal(last);
      expect(changes).to.deep.equal([[['one'], []]]);
    });

    it('refuses another function of one evaluation, of another name and of another file', async () => {
      put(make(), here);
      expect(() => put(make(), changed)).to.throw('two functions');
      await Promise.resolve();
      expect(() => put(two, changed)).to.throw('two functions');
      expect(() => put(make(), there)).to.throw('two functions');
    });
  });

  it('finds nothing that belongs to Object.prototype', () => {
    for (const tag of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
      expect(registry.get(tag)).to.equal(undefined);
    }
  });

  it('accepts the names of Object.prototype as tags', () => {
    add('__proto__');
    expect(registry.get('__proto__')?.run).to.equal(one);
    expect(registry.tags()).to.deep.equal(['__proto__']);
    expect(remove('__proto__', one)).to.equal(true);
  });

  it('reports each change once', () => {
    add('one');
    add('one');
    add('two', two);
    remove('one', one);
    expect(changes).to.deep.equal([
      [['one'], []],
      [['two'], []],
      [[], ['one']],
    ]);
  });

  it('names both places when two functions want one tag, and keeps the first', () => {
    add(encodeTag('my-app/math', 'multiply'));
    expect(() =>
      registry.add(
        [{ tag: encodeTag('my-app/math', 'multiply'), fn: two, self: undefined, place: there }],
        false,
      ),
    ).to.throw(Error, /my-app\/math\.multiply: one at \/app\/here\.ts:3:7, another at \/app\/there\.ts:9:1/);
    expect(registry.get(encodeTag('my-app/math', 'multiply'))?.run).to.equal(one);
    expect(changes).to.have.length(1);
  });

  it('tells when it does not know a place', () => {
    add('one');
    expect(() => registry.add([{ tag: 'one', fn: two, self: undefined, place: undefined }], false)).to.throw(
      'another at an unknown place',
    );
  });

  it('replaces a function under a tag on request, without reporting a change', () => {
    add('one');
    add('one', two, true);
    expect(registry.get('one')?.run).to.equal(two);
    expect(changes).to.deep.equal([[['one'], []]]);
  });

  it('adds several functions at once and reports them once, or adds none of them', () => {
    const both = ['one', 'two'].map((tag) => ({ tag, fn: () => tag, self: undefined, place: here }));
    registry.add(both, false);
    expect(changes).to.deep.equal([[['one', 'two'], []]]);
    const three = { tag: 'three', fn: one, self: undefined, place: here };
    expect(() => registry.add([three, { ...three, tag: 'two' }], false)).to.throw('two functions');
    expect(registry.tags()).to.deep.equal(['one', 'two']);
    expect(registry.remove([...both, three])).to.equal(true);
    expect(changes.at(-1)).to.deep.equal([[], ['one', 'two']]);
  });

  it('calls a function with its object as `this`', () => {
    const self = { name: 'self' };
    const fn = function fn(this: typeof self, x: number) {
      return [this.name, x];
    } as AnyFunction;
    registry.add([{ tag: 'fn', fn, self, place: here }], false);
    expect(registry.get('fn')).to.include({ fn });
    expect((registry.get('fn')!.run as (x: number) => unknown)(5)).to.deep.equal(['self', 5]);
  });

  it('removes a function only under its own tag', () => {
    add('one');
    expect(remove('one', two)).to.equal(false);
    expect(remove('two', one)).to.equal(false);
    expect(registry.size).to.equal(1);
    expect(remove('one', one)).to.equal(true);
    expect(registry.size).to.equal(0);
    expect(remove('one', one)).to.equal(false);
  });
});

describe('the tags near an unknown one', () => {
  const withTags = (...tags: string[]): Registry => {
    const registry = new Registry(() => {});
    for (const tag of tags) registry.add([{ tag, fn: () => {}, self: undefined, place: undefined }], false);
    return registry;
  };

  it('are those that look like it, the nearest first', () => {
    const registry = withTags('divideAll', 'multiplyVals', 'multiplyValues', 'unrelated');
    expect(registry.near('multiplyValue')).to.deep.equal(['multiplyValues', 'multiplyVals']);
  });

  it('are at most three', () => {
    expect(withTags('sum1', 'sum2', 'sum3', 'sum4').near('sum')).to.have.length(3);
  });

  it('are none when nothing looks like it', () => {
    expect(withTags('multiply', 'divide').near('renderImage')).to.deep.equal([]);
  });

  it('are compared by the name of the function, not by its module, nor by upper and lower case', () => {
    const elsewhere = encodeTag('their-app/numbers', 'multiplyValues');
    expect(withTags(elsewhere).near(encodeTag('my-app/math', 'multiplyvalues'))).to.deep.equal([elsewhere]);
  });

  it('are found quickly among many long tags', () => {
    const registry = withTags(...Array.from({ length: 4_000 }, (_, index) => `${'x'.repeat(1_000)}${index}`));
    const start = performance.now();
    registry.near('x'.repeat(1_024));
    // About 1 ms; without the cuts it would be minutes.
    expect(performance.now() - start).to.be.below(2_000);
  });
});
