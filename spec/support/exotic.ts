import { runInNewContext } from 'node:vm';

import * as fc from 'fast-check';

import { rich } from './rich.ts';

/** Values as only tests, attackers and unlucky users make them. Each is a recipe: a fresh value for each use. */

export type Recipe = () => unknown;

class Boom extends Error {}

const boom = (): never => {
  throw new Boom('boom');
};

/** Throws at the nth time and from then on. */
const fails = (after: number, value: unknown): (() => unknown) => {
  let times = 0;
  return () => ((times += 1) > after ? boom() : value);
};

const traps = [
  'get',
  'has',
  'ownKeys',
  'getPrototypeOf',
  'getOwnPropertyDescriptor',
  'set',
  'defineProperty',
];

const throwingProxy = fc
  .tuple(fc.subarray(traps, { minLength: 1 }), fc.constantFrom('object', 'array', 'error', 'function', 'map'))
  .map(([chosen, of]): Recipe => {
    const handler = Object.fromEntries(chosen.map((trap) => [trap, boom]));
    const target = { object: { a: 1 }, array: [1], error: new Error('e'), function: () => 1, map: new Map() }[
      of
    ];
    return () => new Proxy(target as object, handler);
  });

const revokedProxy = fc
  .constantFrom<() => object>(
    () => ({}),
    () => [],
    () => () => 1,
    () => new Error('e'),
  )
  .map((make): Recipe => () => {
    const { proxy, revoke } = Proxy.revocable(make(), {});
    revoke();
    return proxy;
  });

const KEYS: PropertyKey[] = [
  ...['then', 'toJSON', 'constructor', 'name', 'message', 'stack', 'cause', 'code', 'errors', 'length', 'a'],
  ...['__proto__', 'return', 'next', 'done', 'value', 'source', 'byteLength', 'buffer', 'size'],
  ...[Symbol.asyncIterator, Symbol.iterator, Symbol.toPrimitive, Symbol.toStringTag, Symbol.species],
];

const HOLDERS: (() => object)[] = [
  ...[() => ({}), () => [1, 2], () => new Error('e'), () => new Date(0), () => new Map([[1, 2]]), () => /a/],
  ...[
    () => new Set([1]),
    () => Uint8Array.of(1),
    () => Promise.resolve(1),
    () => new AggregateError([1], 'm'),
  ],
  ...[() => () => 1, () => new URL('http://a/'), () => new DOMException('m', 'AbortError')],
];

const trapped = (inner: fc.Arbitrary<Recipe>): fc.Arbitrary<Recipe> =>
  fc
    .tuple(fc.constantFrom(...HOLDERS), fc.constantFrom(...KEYS), fc.nat(3), fc.boolean(), inner)
    .map(([make, key, after, enumerable, other]): Recipe => () => {
      const get = fails(after, other());
      try {
        return Object.defineProperty(make(), key, { get, enumerable, configurable: true });
      } catch {
        return make();
      }
    });

const thenable = (inner: fc.Arbitrary<Recipe>): fc.Arbitrary<Recipe> =>
  fc.tuple(fc.nat(4), inner).map(([kind, other]): Recipe => () => {
    const then = (resolve: (value: unknown) => void, reject: (error: unknown) => void): void => {
      if (kind === 0) return;
      if (kind === 1) boom();
      if (kind === 2) reject(other());
      resolve(other());
      if (kind === 4) resolve(1);
    };
    // oxlint-disable-next-line unicorn/no-thenable
    return kind === 3 ? Object.assign(Promise.resolve(1), { then }) : { then };
  });

const iterable = (inner: fc.Arbitrary<Recipe>): fc.Arbitrary<Recipe> =>
  fc.tuple(fc.nat(6), fc.nat(2), inner).map(([kind, after, other]): Recipe => () => {
    let left = after;
    const step = (): unknown => {
      if (left > 0) {
        left -= 1;
        return { done: false, value: 1 };
      }
      if (kind === 0) return undefined;
      if (kind === 1)
        return {
          get done() {
            return boom();
          },
        };
      if (kind === 2)
        return {
          done: false,
          get value() {
            left = -1;
            return boom();
          },
        };
      if (kind === 3) return boom();
      return left-- < -3 || kind === 4 ? { done: true, value: other() } : { done: false, value: other() };
    };
    const iterator = {
      next: kind === 5 ? step : async () => step(),
      get return() {
        return kind === 6 ? boom() : undefined;
      },
    };
    return { [Symbol.asyncIterator]: () => (kind === 0 && after === 0 ? undefined : iterator) };
  });

const big = 'x'.repeat(2 ** 19);
const zeros = '\u0000'.repeat(2 ** 17);
const shared = Array.from({ length: 40 }).reduce<unknown>((node) => [node, node], 1);
const large = fc.constantFrom<Recipe>(
  ...[() => big, () => zeros, () => shared, () => [new Date(), shared], () => new Uint8Array(2 ** 19)],
  ...[
    () => Array.from({ length: 1_000 }, () => big),
    () => new Error(big),
    () => Object.assign([], { length: 2 ** 31 }),
  ],
  ...[
    () => Object.assign(new RangeError('r'), { a: big, b: zeros, cause: new Error(zeros) }),
    () => 2n ** 200_000n,
  ],
  ...[
    () => ({ [big.slice(0, 2 ** 17)]: Array.from({ length: 500 }, () => NaN) }),
    () => Object.assign(() => 1, { a: big }),
  ],
  ...[
    () => {
      const deep: unknown[] = [];
      let at = deep;
      for (let level = 0; level < 2_000; level += 1) at.push((at = []));
      return deep;
    },
  ],
);

const odd = fc.constantFrom<Recipe>(
  ...[
    () => undefined,
    () => null,
    () => 0,
    () => '',
    () => false,
    () => NaN,
    () => Symbol('s'),
    () => () => 1,
  ],
  ...[
    () => new WeakMap(),
    () => Object(1n),
    () => Object.create(null),
    () => Object.create(Object.create(null)),
  ],
  ...[
    () => (function* () {})(),
    () => new SharedArrayBuffer(1),
    () => Promise.resolve(Symbol('s')),
    () => Object.assign([], { 1: 1 }),
  ],
  ...[
    () => {
      const cycle: Record<string, unknown> = {};
      cycle['a'] = cycle;
      return cycle;
    },
    () => Error.prototype,
  ],
  ...[() => Object.create(Error.prototype), () => new Proxy({}, { getPrototypeOf: () => Error.prototype })],
  () =>
    new (class extends Map {
      override get size(): number {
        return boom();
      }
    })(),
);

const foreign = fc
  .constantFrom(
    ...[
      'new Date(0)',
      'new Map([[1, /a/]])',
      '[1, { a: [] }]',
      'new AggregateError([new TypeError("t")], "m")',
    ],
    ...[
      'new Proxy({}, { get() { throw 1; } })',
      'const p = (async () => { throw null; })(); p.catch(() => {}); p',
      'Object.create({ toJSON: () => 1 })',
    ],
    ...[
      'new (class Date extends Date {})()',
      '(async function* () { yield 1; throw 2; })()',
      'new Uint8Array(3)',
    ],
  )
  .map((code): Recipe => () => {
    try {
      return runInNewContext(code);
    } catch (error) {
      return error;
    }
  });

const wraps: ((value: unknown) => unknown)[] = [
  ...[
    (value: unknown) => [1, value],
    (value: unknown) => ({ a: value }),
    (value: unknown) => new Set([value]),
  ],
  ...[(value: unknown) => new Map([[value, value]]), (value: unknown) => new Error('e', { cause: value })],
  ...[
    (value: unknown) => new AggregateError([value], 'm'),
    (value: unknown) => Object.assign(new Error('p'), { value }),
  ],
  ...[
    (value: unknown) => new Proxy({ value }, {}),
    (value: unknown) => ({
      when: new Date(0),
      get value() {
        return value;
      },
    }),
  ],
];

export const exotic: fc.Arbitrary<Recipe> = fc.letrec<{ value: Recipe }>((tie) => {
  const inner = tie('value');
  return {
    value: fc.oneof(
      { maxDepth: 3, depthSize: 'small' },
      { weight: 4, arbitrary: odd },
      {
        weight: 3,
        arbitrary: rich.map(
          (value): Recipe =>
            () =>
              value,
        ),
      },
      { weight: 4, arbitrary: fc.oneof(throwingProxy, revokedProxy, foreign) },
      { weight: 1, arbitrary: large },
      { weight: 4, arbitrary: trapped(inner) },
      { weight: 3, arbitrary: fc.oneof(thenable(inner), iterable(inner)) },
      {
        weight: 3,
        arbitrary: fc.tuple(fc.constantFrom(...wraps), inner).map(
          ([wrap, recipe]): Recipe =>
            () =>
              wrap(recipe()),
        ),
      },
    ),
  };
}).value;
