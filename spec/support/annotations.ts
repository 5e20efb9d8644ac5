import * as fc from 'fast-check';

/** Annotations that a stranger may send with a value: arbitrary ones, and those that are most likely to do harm. */

export const NASTY_KEYS = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'length',
  'then',
  'hasOwnProperty',
];
export const KINDS = [
  'undefined',
  'number',
  'bigint',
  'Date',
  'regexp',
  'URL',
  'set',
  'map',
  'Error',
  'class',
  'symbol',
];

const step = fc.oneof(
  fc.constantFrom(
    'args',
    'value',
    'error',
    'thrown',
    'kwargs',
    'type',
    'id',
    '0',
    '1',
    '00',
    '-1',
    '1e0',
    '',
  ),
  fc.constantFrom(
    'a',
    'cause',
    'properties',
    'message',
    'name',
    'classes',
    'errors',
    'a\\.b',
    '\\',
    ...NASTY_KEYS,
  ),
);
const path = fc.array(step, { maxLength: 5 }).map((steps) => steps.join('.'));
const leaf = fc.oneof(
  fc.constantFrom(null, true, 0, 1, -1, 1.5, 1e300, 4e9, '', 'NaN', '-0', '12', '0x10', '1e5', '/a/g', '/(/'),
  fc.constantFrom(
    'http://a/',
    'Invalid Date',
    '2020-01-01T00:00:00.000Z',
    '/a/zz',
    '/\\p{L}/v',
    ...NASTY_KEYS,
  ),
);
export const { tree, annotations } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    leaf,
    fc.array(tie('tree'), { maxLength: 3 }),
    fc.array(fc.tuple(step, tie('tree')), { maxLength: 4 }).map((entries) => Object.fromEntries(entries)),
    fc.record({ name: leaf, message: leaf, cause: tie('tree'), properties: tie('tree') }),
  ),
  annotations: fc
    .array(fc.tuple(path, tie('annotation')), { maxLength: 4 })
    .map((entries) => Object.fromEntries(entries)),
  annotation: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.tuple(fc.oneof(fc.constantFrom(...KINDS), fc.constantFrom(...NASTY_KEYS))),
    fc.tuple(
      fc.tuple(
        fc.constantFrom('custom', 'class', 'typed-array'),
        fc.constantFrom('Buffer', 'DataView', 'x', 'Float64Array'),
      ),
    ),
    fc.tuple(fc.constantFrom('set', 'map', 'Error'), tie('annotations')),
    tie('tree'),
  ),
}));
