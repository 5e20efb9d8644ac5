import { expect } from 'chai';
import * as fc from 'fast-check';

import { BadFrame } from '../../src/wire/bad-frame.ts';
import { decodeMessage } from '../../src/wire/codec.ts';
import { reviveThrown } from '../../src/wire/values/failure.ts';
import type { Frame, UnreadableFrame } from '../../src/wire/frames.ts';
import { isWellShaped, shapes } from '../support/frame-shapes.ts';
import type { Fields } from '../support/frame-shapes.ts';

/** A stranger's bytes must become frames of the right shape, or a BadFrame. */

const BUILT_IN = [Object.prototype, Array.prototype, Function.prototype, Error.prototype, String.prototype];
const fingerprint = (): string =>
  BUILT_IN.map((prototype) => Reflect.ownKeys(prototype).map(String).join()).join(';');
const untouched = fingerprint();

/** Decodes; returns how many frames came. Fails on whatever may not happen. */
function survive(text: string): number {
  const frames: (Frame | UnreadableFrame)[] = [];
  for (const newerVersion of [false, true]) {
    try {
      decodeMessage(text, { frame: (frame) => frames.push(frame) }, newerVersion);
    } catch (error) {
      if (!(error instanceof BadFrame)) throw error;
    }
  }
  for (const frame of frames) {
    if (!isWellShaped(frame)) expect.fail(`let in: ${JSON.stringify(frame).slice(0, 200)}`);
    // A frame that is accepted as an error must also be fit to be revived.
    if (frame.type === 'error') reviveThrown(frame, { name: 'stranger', id: 'x' }, '');
  }
  if (fingerprint() !== untouched) expect.fail('a prototype was changed');
  return frames.length;
}

const error = {
  name: 'TypeError',
  message: 'm',
  stack: 's',
  classes: ['TypeError'],
  code: 'E',
  properties: { a: 1 },
};
const TRACEPARENT = `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`;
const mark = { id: 'a', incarnation: 'b', started: 1_790_000_000_000, version: 1 };
const valid: Fields[] = [
  { type: 'request', id: 1, tag: 'tag', args: [1, { a: [null] }], kwargs: { b: 2 }, deadline: 30_000 },
  { type: 'request', id: 9, tag: 'tag', headers: { a: [1] }, trace: { traceparent: 'x' }, args: [] },
  { type: 'result', id: 2, value: { a: [1, 'x', null] } },
  { type: 'cancel', id: 3 },
  { type: 'error', id: 4, failure: { code: 'REFUSED', ran: 'no', message: 'draining' } },
  { type: 'error', id: 5, error: { ...error, cause: { error }, errors: [{ value: 1 }, { error }, {}] } },
  { type: 'error', id: 6, thrown: { value: 0 } },
  { type: 'functions', added: ['a'], removed: ['b'] },
  { type: 'load', tag: 'a', running: 1, waiting: 2, yours: 3, limit: 1 },
  { type: 'load', tag: 'a' },
  { type: 'goaway', last: 7, reason: 'stopped' },
  { type: 'event', name: 'job.done', sequence: 42, value: { id: 'x' } },
  { type: 'event', name: 'job.done', sequence: 43, headers: { a: 1 }, trace: TRACEPARENT, value: 1 },
  { type: 'subscribe', id: 8, name: '*' },
  { type: 'subscribed', id: 8, sequence: 0 },
  { type: 'unsubscribe', name: 'job.done' },
  { type: 'goaway', last: 7, reason: 'idle' },
  { type: 'revoked', passes: [{ id: 'q83v7wEjRWeJq83v', exp: 1_790_028_800 }] },
  {
    type: 'joined',
    members: [
      {
        ...mark,
        addresses: [{ host: '10.0.0.5', port: 4000, tag: 'x'.repeat(22) }],
        ...{ name: 'n', group: 'main', hub: false, pid: 7, host: 'h', functions: 'Jl5Y3cXqC0tWm9aE' },
      },
    ],
  },
  { type: 'left', peer: mark, why: 'lost' },
  { type: 'accused', peer: mark, by: 'c', turn: 1 },
  { type: 'have', peer: mark, by: 'c', turn: 2 },
  { type: 'digest', digest: 'd' },
  { type: 'summary', fingerprints: ['f', 'g'], more: true },
  { type: 'difference', offered: ['f'], wanted: ['g'] },
  { type: 'offered', fingerprints: ['f'] },
  { type: 'wanted', fingerprints: ['f'] },
  { type: 'lists', digests: ['d'] },
  { type: 'list', digest: 'd', tags: ['a'], more: true },
];

const NASTY_KEYS = ['__proto__', 'constructor', 'prototype', 'toString', 'then', 'length', 'hasOwnProperty'];
const field = fc.constantFrom(
  ...[
    ...new Set(valid.flatMap((frame) => Object.keys(frame))),
    ...Object.keys(error),
    'cause',
    'errors',
    'value',
  ],
  ...NASTY_KEYS,
);
const word = fc.constantFrom(
  ...Object.keys(shapes),
  ...NASTY_KEYS,
  'stopped',
  'no',
  'DOMException',
  'NetError',
  '',
);

/** JSON built of the words that mean something here, so that it gets past the first check. */
const { tree } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.oneof(
      word,
      fc.integer({ min: -1, max: 5 }),
      fc.double(),
      fc.boolean(),
      fc.constant(null),
      fc.string(),
    ),
    fc.array(tie('tree'), { maxLength: 4 }),
    fc.array(fc.tuple(field, tie('tree')), { maxLength: 8 }).map((entries) => Object.fromEntries(entries)),
  ),
}));

const asText = (value: unknown): string => JSON.stringify(value);

describe('bytes from a stranger', function () {
  // Some seconds of honest work; more where other work shares the machine.
  this.timeout(120_000);

  it('are read when they are valid', () => {
    for (const frame of valid) expect(survive(asText(frame)), asText(frame)).to.equal(2);
  });

  it('become frames or a BadFrame: any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => void survive(text)),
      { numRuns: 3_000 },
    );
  });

  it('become frames or a BadFrame: any JSON, one or more per message', () => {
    const lines = fc.array(fc.json(), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(lines, (each) => void survive(each.join('\n'))),
      { numRuns: 2_000 },
    );
  });

  it('become frames or a BadFrame: valid frames with characters changed, lost, doubled or added', () => {
    const edit = fc.tuple(
      fc.nat(),
      fc.nat(3),
      fc.oneof(fc.string({ unit: 'binary-ascii', maxLength: 3 }), word),
    );
    let through = 0;
    fc.assert(
      fc.property(
        fc.constantFrom(...valid),
        fc.array(edit, { minLength: 1, maxLength: 3 }),
        (frame, edits) => {
          let text = asText(frame);
          for (const [where, length, instead] of edits) {
            const at = where % (text.length + 1);
            text = text.slice(0, at) + instead + text.slice(at + length);
          }
          through += survive(text);
        },
      ),
      { numRuns: 4_000 },
    );
    expect(through, 'frames that were let in').to.be.above(50);
  });

  it('become frames or a BadFrame: valid frames with any replaced fields', () => {
    let through = 0;
    fc.assert(
      fc.property(
        fc.constantFrom(...valid),
        fc.array(fc.tuple(field, tree), { maxLength: 3 }),
        (frame, fields) => {
          // Defined, not assigned: assigning `__proto__` would change the prototype of the test's own object.
          const changed = Object.fromEntries([...Object.entries(frame), ...fields]);
          through += survive(asText(changed));
        },
      ),
      { numRuns: 4_000 },
    );
    expect(through, 'frames that were let in').to.be.above(200);
  });

  it('become frames or a BadFrame: errors with any causes and properties', () => {
    let through = 0;
    fc.assert(
      fc.property(tree, tree, fc.array(word, { maxLength: 3 }), (properties, cause, classes) => {
        const wire = { ...error, classes: classes.filter(Boolean), properties, cause };
        through += survive(asText({ type: 'error', id: 1, error: wire }));
      }),
      { numRuns: 3_000 },
    );
    expect(through, 'frames that were let in').to.be.above(200);
  });

  it('never change a prototype through the keys __proto__ and constructor', () => {
    const poison = '{"polluted":true,"type":"cancel","id":1,"error":{"name":"E","message":"m"}}';
    const texts = NASTY_KEYS.flatMap((key) => [
      `{"${key}":${poison}}`,
      `{"type":"${key}","id":1}`,
      `{"type":"cancel","id":1,"${key}":${poison}}`,
      `{"type":"request","id":1,"tag":"${key}","args":[{"${key}":${poison}}],"kwargs":{"${key}":${poison}}}`,
      `{"type":"result","id":1,"value":{"${key}":{"${key}":${poison}}}}`,
      `{"type":"error","id":1,"thrown":{"${key}":${poison}}}`,
      `{"type":"error","id":1,"error":{"name":"${key}","message":"m","classes":["${key}"],"properties":{"${key}":${poison}}}}`,
      `{"type":"error","id":1,"error":{"name":"E","message":"m","cause":{"${key}":${poison}}}}`,
      `{"type":"functions","added":["${key}"],"removed":["${key}"]}`,
    ]);
    for (const text of texts) survive(text);
    expect(({} as Fields)['polluted']).to.equal(undefined);
    expect((new Error('x') as unknown as Fields)['polluted']).to.equal(undefined);
  });

  const DEEP = 100_000;
  const nests: [name: string, open: string, close: string][] = [
    ['arrays', '[', ']'],
    ['objects', '{"a":', '}'],
    ['keys __proto__', '{"__proto__":', '}'],
    ['causes', '{"error":{"name":"E","message":"m","cause":', '}}'],
    ['errors of errors', '{"error":{"name":"E","message":"m","errors":[', ']}}'],
  ];
  for (const [name, open, close] of nests) {
    it(`are refused when they nest ${DEEP} ${name}`, () => {
      const deep = `${open.repeat(DEEP)}{}${close.repeat(DEEP)}`;
      const around = [
        deep,
        `{"type":"request","id":1,"tag":"t","args":[${deep}]}`,
        `{"type":"result","id":1,"value":${deep}}`,
        `{"type":"error","id":1,"error":{"name":"E","message":"m","cause":${deep}}}`,
        `{"type":"error","id":1,"error":{"name":"E","message":"m","errors":[${deep}]}}`,
        `{"type":"pause","value":${deep}}`,
        // Never closed at all.
        open.repeat(DEEP),
      ];
      for (const text of around) expect(survive(text)).to.equal(0);
    });
  }

  it('are refused when they are only line breaks', () => {
    expect(survive('\n'.repeat(DEEP))).to.equal(0);
  });
});
