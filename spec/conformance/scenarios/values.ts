import { expect } from 'chai';

import type { Scenario } from '../scenario.ts';
import { call } from '../scenario.ts';
import type { Told } from '../values.ts';

const PLAIN: Told[] = [
  null,
  true,
  false,
  0,
  -1,
  0.1,
  1e300,
  5e-324,
  9_007_199_254_740_991,
  -9_007_199_254_740_991,
  '',
  'text',
  'ü 😀 \u0000 \u2028 " \\ \n',
  '\ud800',
  [],
  {},
  [[], [null, [1]]],
  { 'a.b': { 'c\\d': [1, { '': 'empty' }] }, values: 0, meta: { binary: 1 } },
];

const bytes = (kind: string, hex: string): Told => ({ $: 'bytes', kind, hex });

/** By capability. */
const RICH: { [kind: string]: Told[] } = {
  undefined: [{ $: 'undefined' }, [{ $: 'undefined' }], { a: { $: 'undefined' } }],
  number: ['NaN', 'Infinity', '-Infinity', '-0'].map((text) => ({ $: 'number', text })),
  bigint: [
    ...['0', '5', '-9007199254740993', '123456789012345678901234567890', '9'.repeat(16_000)].map((text) => ({
      $: 'bigint',
      text,
    })),
  ],
  date: ['1970-01-01T00:00:00.000Z', '2026-02-28T23:59:59.999Z', '0099-01-01T00:00:00.001Z'].map((text) => ({
    $: 'date',
    text,
  })),
  invalidDate: [{ $: 'date', text: 'Invalid Date' }],
  regexp: [{ $: 'regexp', source: 'a\\/b(?<c>.)', flags: 'giu' }],
  url: [{ $: 'url', text: 'https://user@example.com:8080/a?b=c#d' }],
  set: [
    { $: 'set', items: [] },
    { $: 'set', items: ['a', 'b'] },
    { 'a.b': [{ $: 'set', items: [1, 2, 'x'] }] },
  ],
  map: [
    { $: 'map', entries: [] },
    {
      $: 'map',
      entries: [
        ['a', 1],
        [2, { $: 'map', entries: [[null, [true]]] }],
      ],
    },
  ],
  error: [
    {
      $: 'error',
      name: 'RangeError',
      message: 'far',
      code: 'E_FAR',
      properties: { by: { $: 'bigint', text: '7' } },
      cause: { $: 'error', name: 'TypeError', message: 'why' },
    },
  ],
  bytes: [
    ...['Uint8Array', 'ArrayBuffer', 'DataView', 'Uint8ClampedArray'].map((kind) => bytes(kind, '00ff80')),
    bytes('Uint8Array', ''),
    ...[
      'Int8Array',
      'Uint16Array',
      'Int16Array',
      'Uint32Array',
      'Int32Array',
      'Float32Array',
      'Float64Array',
    ].map((kind) => bytes(kind, '000000000000f03f')),
    ...['BigUint64Array', 'BigInt64Array'].map((kind) => bytes(kind, 'ffffffffffffff7f')),
    [bytes('Uint8Array', '01'), { a: bytes('Uint8Array', '02'), b: bytes('DataView', '03') }, 'not bytes'],
    bytes('Uint8Array', 'ab'.repeat(200_000)),
  ],
  buffer: [bytes('Buffer', '00ff80'), bytes('Buffer', '')],
};

/** Several at once, inside each other. */
const TOGETHER: Told = {
  'in a': { $: 'map', entries: [['set', { $: 'set', items: [{ $: 'bigint', text: '1' }] }]] },
  'in.b': [{ $: 'date', text: '1970-01-01T00:00:00.000Z' }, bytes('Uint8Array', '01'), { $: 'undefined' }],
};

export const values: Scenario[] = [
  {
    title: 'plain values arrive as they were sent',
    run: async (pair) => {
      expect(await call(pair, 'std.echo', [PLAIN])).to.deep.equal(PLAIN);
      expect(await call(pair, 'std.all', PLAIN)).to.deep.equal(PLAIN);
    },
  },
  {
    title: 'nothing is nothing',
    run: async (pair) => {
      const nothing = pair.caller.capabilities.has('none') ? null : { $: 'undefined' };
      expect(await call(pair, 'std.nothing')).to.deep.equal(nothing);
    },
  },
  ...Object.entries(RICH).map(([kind, each]): Scenario => ({
    title: `values of the kind ${kind} arrive as they were sent`,
    caller: [`values.${kind}`],
    callee: [`values.${kind}`],
    run: async (pair) => {
      const needed = kind === 'error' ? each.slice(0, 1) : each;
      expect(sorted(await call(pair, 'std.echo', [needed]))).to.deep.equal(sorted(needed));
      expect(sorted(await call(pair, 'std.all', needed))).to.deep.equal(sorted(needed));
    },
  })),
  {
    title: 'values of several kinds arrive within each other',
    caller: ['bigint', 'date', 'set', 'map', 'bytes', 'undefined'].map((kind) => `values.${kind}`),
    callee: ['bigint', 'date', 'set', 'map', 'bytes', 'undefined'].map((kind) => `values.${kind}`),
    run: async (pair) => {
      expect(await call(pair, 'std.echo', [TOGETHER])).to.deep.equal(TOGETHER);
    },
  },
];

/** Some languages keep no order in a set. */
function sorted(told: Told): Told {
  if (typeof told !== 'object' || told === null) return told;
  if (Array.isArray(told)) return told.map(sorted);
  const inner = Object.fromEntries(Object.entries(told).map(([key, each]) => [key, sorted(each)]));
  if (inner['$'] === 'set') (inner['items'] as unknown[]).sort((a, b) => (String(a) < String(b) ? -1 : 1));
  return inner;
}
