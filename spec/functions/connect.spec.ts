import { expect } from 'chai';

import { connected } from '../../src/index.ts';
import type { Peer, RemotePeer } from '../../src/index.ts';
import { encodeTag, readableTag } from '../../src/base/tag.ts';
import { MemoryNetwork } from '../../src/testing.ts';
import { failure, Stage } from '../support/peers.ts';

const MODULE = 'app-net/spec/functions/connect.spec';

describe('connect', () => {
  const stage = new Stage();
  let here: Peer;
  let there: Peer;
  let toHere: RemotePeer;

  before(async () => {
    const { a, b, toA } = await stage.pair({ network: new MemoryNetwork() });
    [here, there, toHere] = [a, b, toA];
  });

  after(() => stage.clear());

  describe('as a decorator', () => {
    it('connects a static method under the names of module, class and method', async () => {
      class Greeter {
        static greeting = 'hello';
        @here.connect() static greet(this: typeof Greeter, name: string): string {
          return `${this.greeting}, ${name}`;
        }
      }
      expect(Greeter.greet('here')).to.equal('hello, here');
      const greet = connected(Greeter.greet);
      expect(greet).to.equal(Greeter.greet);
      expect(readableTag(greet.tag)).to.equal(`${MODULE}.Greeter.greet`);
      expect(greet.tag).to.equal(encodeTag(MODULE, 'Greeter.greet'));
      // `this` is the class there, too.
      expect(await there.remote<(name: string) => string>(greet.tag).on(toHere)('there')).to.equal(
        'hello, there',
      );
    });

    it('connects under a tag given by hand, with options', async () => {
      class Named {
        @here.connect('named.one', { idempotent: true }) static one(): number {
          return 1;
        }
        @here.connect({ replace: true }) static two(): number {
          return 2;
        }
      }
      expect(connected(Named.one).tag).to.equal('named.one');
      expect(await toHere.call('named.one')).to.equal(1);
      expect(await toHere.call(connected(Named.two).tag)).to.equal(2);
    });

    it('connects the method with the changes of other decorators', async () => {
      const twice = (method: (x: number) => number) =>
        function outer(x: number): number {
          return 2 * method(x);
        };
      class Wrapped {
        @twice @here.connect('wrapped') static inner(x: number): number {
          return x + 1;
        }
      }
      expect(Wrapped.inner(1)).to.equal(4);
      expect(await toHere.call('wrapped', [1])).to.equal(4);
    });

    it('connects a generator as a stream', async () => {
      class Counter {
        static step = 2;
        @here.connect('counter') static async *count(to: number): AsyncGenerator<number> {
          for (let index = 0; index < to; index += this.step) yield index;
        }
      }
      const values: number[] = [];
      for await (const value of there.remote<typeof Counter.count>('counter').on(toHere)(5))
        values.push(value);
      expect(values).to.deep.equal([0, 2, 4]);
    });

    it('gives methods of one name in two classes two tags, with and without inheritance', () => {
      class A {
        @here.connect() static same(): void {}
      }
      class B extends A {
        @here.connect() static override same(): void {}
      }
      const tags = [A.same, B.same].map((method) => readableTag(connected(method).tag));
      expect(tags).to.deep.equal([`${MODULE}.A.same`, `${MODULE}.B.same`]);
    });

    const refused: [string, () => unknown, string][] = [
      [
        'a method of instances',
        () =>
          class X {
            // @ts-expect-error not static
            @here.connect() method(): void {}
          },
        'is not static',
      ],
      [
        'a private method',
        () =>
          class X {
            // @ts-expect-error private
            @here.connect() static #method(): void {}
            static use = (): void => X.#method();
          },
        'is private',
      ],
      [
        'a field',
        () =>
          class X {
            // @ts-expect-error no method
            @here.connect() static field = 1;
          },
        'this is a field',
      ],
      [
        'a class',
        () => {
          // @ts-expect-error no method
          @here.connect()
          class X {}
          return X;
        },
        'this is a class',
      ],
      [
        'a class without a name, when there is no tag',
        () =>
          class {
            @here.connect() static method(): void {}
          },
        'the class is an expression',
      ],
      [
        'a symbol, when there is no tag',
        () => {
          class X {
            @here.connect() static [Symbol.for('x')](): void {}
          }
          return X;
        },
        'the method has no name',
      ],
      [
        'being written without parentheses',
        () =>
          class X {
            // @ts-expect-error it is called with a method and its context
            @here.connect static method(): void {}
          },
        'needs parentheses',
      ],
      [
        'the decorators of experimentalDecorators',
        () => (here.connect() as unknown as (target: object, key: string) => void)(class X {}, 'method'),
        'experimentalDecorators',
      ],
    ];
    for (const [what, act, text] of refused) {
      it(`refuses ${what}`, () => {
        expect(act).to.throw(TypeError, text);
      });
    }
  });

  describe('of an object', () => {
    it('connects each of its functions, and gives the object back', async () => {
      const math = { add: (x: number, y: number) => x + y, one: () => 1 };
      const result = here.connect(math, { prefix: 'math' });
      expect(result).to.equal(math);
      expect([result.add.tag, result.one.tag]).to.deep.equal(['math.add', 'math.one']);
      expect(result.add(1, 2)).to.equal(3);
      expect(await there.remote<typeof math.add>('math.add').on(toHere)(1, 2)).to.equal(3);
    });

    it('derives the tags from the file and the keys, without a prefix', () => {
      const { plus } = here.connect({ plus: (x: number) => x + 1 });
      expect(readableTag(plus.tag)).to.equal(`${MODULE}.plus`);
    });

    it('is `this` in its functions, in local and in remote calls', async () => {
      const account = {
        get: function get(this: object) {
          return Object.keys(this).toSorted();
        },
        set: (): void => {},
      };
      here.connect(account, { prefix: 'account' });
      expect(account.get()).to.deep.equal(['get', 'set']);
      expect(await toHere.call('account.get')).to.deep.equal(['get', 'set']);
    });

    it('may be everything that a module exports', async () => {
      const module = await import('../support/eventually.ts');
      here.connect(module, { prefix: 'module' });
      expect(await failure(toHere.call('module.eventually', [null, 0]))).to.be.instanceOf(TypeError);
    });

    it('connects all of them, or none', () => {
      here.connect('taken.second', () => 1);
      const record = { first: () => 1, second: () => 2 };
      expect(() => here.connect(record, { prefix: 'taken' })).to.throw(
        'two functions are connected as taken.second',
      );
      expect(here.disconnect(record)).to.equal(false);
      expect(() => here.connect('taken.first', () => 1)).not.to.throw();
    });

    it('is disconnected as a whole', async () => {
      const record = { a: () => 1, b: () => 2 };
      here.connect(record, { prefix: 'short' });
      expect(await toHere.call('short.a')).to.equal(1);
      expect(here.disconnect(record)).to.equal(true);
      expect(await failure(toHere.call('short.a'))).to.include({ code: 'NO_SUCH_TAG' });
      expect(here.disconnect(record)).to.equal(false);
    });

    class Store {
      read = (): number => 1;
    }
    const same = (): void => {};
    const refused: [string, object, string][] = [
      [
        'a property that is no function',
        { a: () => 1, pi: 3.14 },
        'the property pi must be a function, and is number',
      ],
      ['null', { nothing: null }, 'the property nothing must be a function, and is null'],
      [
        'objects in it',
        { geometry: { area: () => 1 } },
        'geometry must be a function, and is object; connect it separately',
      ],
      [
        'a getter',
        {
          get it() {
            return () => 1;
          },
        },
        'a getter',
      ],
      ['an instance of a class', new Store(), 'an instance of Store'],
      ['a Map', new Map(), 'an instance of Map'],
      ['an array', [() => 1], 'an array has no names'],
      ['nothing in it', {}, 'has no functions'],
      ['a class in it', { Store }, 'Store is a class'],
      ['one function twice', { one: same, two: same }, 'already connected as'],
    ];
    for (const [what, record, text] of refused) {
      it(`refuses ${what}`, () => {
        expect(() => here.connect(record as never, { prefix: `refused ${what}` })).to.throw(TypeError, text);
      });
    }

    it('says how to give a prefix when one is given as a tag', () => {
      expect(() => here.connect('a', { x() {} } as never)).to.throw(
        TypeError,
        "connect(object, { prefix: 'a' })",
      );
    });

    it('refuses a class that has no name', () => {
      expect(() => here.connect('a', class {} as never)).to.throw(
        TypeError,
        'connect: what was given is a class',
      );
    });

    it('refuses an invalid prefix, and the reserved one of the library', () => {
      expect(() => here.connect({ a: () => 1 }, { prefix: '' })).to.throw(
        TypeError,
        'prefix: give a non-empty string',
      );
      expect(() => here.connect({ a: () => 1 }, { prefix: 5 as never })).to.throw(
        TypeError,
        'prefix: give a non-empty string',
      );
      expect(() => here.connect({ a: () => 1 }, { prefix: 'net' })).to.throw(TypeError, 'begin with net.');
    });
  });

  it('refuses arguments that make no sense', () => {
    for (const args of [[5], [undefined], ['tag', 5], ['tag', undefined], [null], [undefined, () => 1]]) {
      expect(() => here.connect(...(args as [never])), String(args)).to.throw(
        TypeError,
        'the function is missing',
      );
    }
    expect(() => here.connect(() => 1, { replaced: true } as never)).to.throw(
      TypeError,
      'no option replaced',
    );
    expect(() => here.connect('x', () => 1, 5 as never)).to.throw(TypeError, 'options must be an object');
    expect(() => here.connect('x', () => 1, { idempotent: 1 } as never)).to.throw(
      TypeError,
      'idempotent: give true',
    );
    expect(() => here.connect('x', class X {} as never)).to.throw(TypeError, 'is a class');
    expect(() => here.connect(() => 1)).to.throw(TypeError, 'the function has no name');
  });

  it('knows which functions are connected', () => {
    expect(() => connected(function lonely() {})).to.throw(TypeError, 'lonely is not connected');
    const fn = here.connect('known', () => 1);
    expect(connected(fn)).to.equal(fn);
  });
});
