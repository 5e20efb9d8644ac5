import * as fc from 'fast-check';

/** Every kind of value that can be carried, within each other. */

const key = fc.oneof(
  { weight: 4, arbitrary: fc.string({ maxLength: 4 }) },
  fc.constantFrom(
    '__proto__',
    'constructor',
    'prototype',
    'a.b',
    'a\\',
    '\\.',
    '',
    '0',
    '-1',
    'length',
    'then',
  ),
);

const pattern = fc
  .tuple(
    fc.constantFrom('', 'a', 'a/b', '[a/]\\/', '(?<n>.)+?', '\\u{1F600}', '\n'),
    fc.subarray(['d', 'g', 'i', 'm', 's', 'u', 'y']),
  )
  .map(([source, flags]) => new RegExp(source, flags.join('')));

const url = fc.webUrl({ withFragments: true, withQueryParameters: true }).map((text) => new URL(text));

/** Views at any place of their memory, empty ones too. */
export const bytes: fc.Arbitrary<ArrayBuffer | ArrayBufferView> = fc
  .tuple(
    fc.uint8Array({ maxLength: 64 }),
    fc.nat(16),
    fc.constantFrom(
      Buffer,
      ArrayBuffer,
      DataView,
      Uint8Array,
      Uint8ClampedArray,
      Int8Array,
      Uint16Array,
      Int16Array,
      Uint32Array,
      Int32Array,
      Float32Array,
      Float64Array,
      BigUint64Array,
      BigInt64Array,
    ),
  )
  .map(([content, skip, Kind]) => {
    if (Kind === ArrayBuffer) return content.slice().buffer;
    if (Kind === Buffer) return Buffer.from(content.slice().buffer, Math.min(skip, content.length));
    const size = 'BYTES_PER_ELEMENT' in Kind ? Kind.BYTES_PER_ELEMENT : 1;
    const memory = new ArrayBuffer(size * 4 + Math.floor(content.length / size) * size);
    new Uint8Array(memory).set(content.subarray(0, memory.byteLength - size * 4), size * 4);
    const View = Kind as typeof DataView;
    const elements = (memory.byteLength - size * (skip % 4)) / size;
    return new View(memory, size * (skip % 4), elements);
  });

const error = (inner: fc.Arbitrary<unknown>): fc.Arbitrary<Error> =>
  fc
    .record(
      {
        Class: fc.constantFrom(Error, TypeError, RangeError, AggregateError),
        message: fc.string(),
        cause: inner,
        code: inner,
        properties: fc.dictionary(fc.constantFrom('detail', 'when', 'a.b'), inner, { noNullPrototype: true }),
      },
      { requiredKeys: ['Class', 'message'] },
    )
    .map(({ Class, message, code, properties, ...rest }) => {
      const options = 'cause' in rest ? { cause: rest.cause } : undefined;
      const made =
        Class === AggregateError
          ? new AggregateError(Object.values(properties ?? {}), message, options)
          : new (Class as ErrorConstructor)(message, options);
      // Properties that are undefined are as good as none, and are not carried.
      const kept = Object.entries(properties ?? {}).filter(([, value]) => value !== undefined);
      made.stack = `${made.name}: ${message}\n    at somewhere (file:///there.js:1:1)`;
      return Object.assign(made, Object.fromEntries(kept), code !== undefined && { code });
    });

const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, depthSize: 'small', withCrossShrink: true },
    fc.oneof(
      fc.string({ unit: 'binary', maxLength: 8 }),
      fc.double(),
      fc.constantFrom(undefined, null, true, false, NaN, Infinity, -Infinity, -0, 0),
      fc.bigInt(),
      // Two that are invalid are never the same to `deepStrictEqual`.
      fc.date({ noInvalidDate: true }),
      pattern,
      url,
    ),
    bytes,
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(key, tie('value'), { maxKeys: 5, noNullPrototype: true }),
    fc.array(tie('value'), { maxLength: 5 }).map((items) => new Set(items)),
    fc.array(fc.tuple(tie('value'), tie('value')), { maxLength: 5 }).map((pairs) => new Map(pairs)),
    error(tie('value')),
  ),
}));

export const rich = value;
