import { expect } from 'chai';
import * as fc from 'fast-check';

import { encodeRequest, encodeResult, encodeThrown } from '../../src/wire/codec.ts';
import type { Outgoing } from '../../src/wire/outgoing.ts';
import { LONGEST_BIGINT } from '../../src/wire/values/meta.ts';
import { annotations, KINDS, NASTY_KEYS, tree } from '../support/annotations.ts';
import { revive, survive } from '../support/revive.ts';
import type { Fields, Received } from '../support/revive.ts';
import { rich } from '../support/rich.ts';
import { rounds } from '../support/rounds.ts';

const split = (outgoing: Outgoing): { text: string; binaries: readonly Uint8Array[] } =>
  typeof outgoing === 'string' ? { text: outgoing, binaries: [] } : outgoing;

describe('annotations from a stranger', function () {
  // Some seconds of honest work; more where other work shares the machine.
  this.timeout(rounds(60_000, 0));

  it('become values, an unreadable frame or a BadFrame: any annotations of any value', () => {
    const came = { bad: 0, unreadable: 0, values: 0 };
    const frame = fc.record({ values: annotations, value: tree, binary: fc.constantFrom(0, 0, 0, 1, 2) });
    fc.assert(
      fc.property(frame, fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 2 }), (each, binaries) => {
        const { values, value, binary } = each as { values: Fields; value: unknown; binary: number };
        const result = revive(values, value, { binary }, binaries);
        came[typeof result === 'object' ? 'values' : (result as 'bad' | 'unreadable')] += 1;
      }),
      { numRuns: rounds(2_000, 100_000) },
    );
    for (const [outcome, times] of Object.entries(came)) expect(times, outcome).to.be.above(40);
  });

  it('become values, an unreadable frame or a BadFrame: real ones with characters changed, lost or added', () => {
    let through = 0;
    const word = fc.constantFrom(
      ...KINDS,
      ...NASTY_KEYS,
      '.',
      '\\\\',
      '"',
      '[',
      ']',
      '{',
      '}',
      ',',
      '0',
      '-',
      'null',
    );
    const edit = fc.tuple(fc.nat(), fc.nat(3), word);
    const make = fc.constantFrom<(value: unknown) => Outgoing>(
      (value) => encodeResult(1, value),
      (value) => encodeRequest(1, 't', [value], 5),
      (value) => encodeThrown(1, Object.assign(new Error('x'), { value }), false),
    );
    fc.assert(
      fc.property(make, rich, fc.array(edit, { minLength: 1, maxLength: 2 }), (encode, value, edits) => {
        let { text, binaries } = split(encode([value, NaN]));
        for (const [where, length, instead] of edits) {
          const at = where % (text.length + 1);
          text = text.slice(0, at) + instead + text.slice(at + length);
        }
        const frames = survive(text, binaries);
        if (frames !== 'bad' && frames[0]?.type !== 'unreadable') through += 1;
      }),
      { numRuns: rounds(1_500, 50_000) },
    );
    expect(through, 'frames that were let in').to.be.above(100);
  });

  it('are ignored in frames without values', () => {
    const text = '{"type":"cancel","id":1,"meta":{"values":{"id":["undefined"]}}}';
    expect((survive(text) as Received[])[0]).to.include({ type: 'cancel', id: 1 });
  });

  it('set own keys only, even one called __proto__', () => {
    const text = `{"type":"result","id":1,"meta":{"values":{"value.__proto__.a":["number"]}},"value":{"__proto__":{"a":"NaN"}}}`;
    const [frame] = survive(text) as Received[];
    const { value } = frame as { value: object };
    expect(Object.getPrototypeOf(value)).to.equal(Object.prototype);
    expect(Object.getOwnPropertyDescriptor(value, '__proto__')?.value).to.deep.equal({ a: NaN });
  });

  const COUNT = 50_000;
  const dates = Array.from({ length: COUNT }, () => '2020-01-01T00:00:00.000Z');
  const bombs: [what: string, make: () => [values: unknown, value: unknown]][] = [
    [
      'values of a long list',
      () => [Object.fromEntries(dates.map((_, index) => [`value.${index}`, ['Date']])), dates],
    ],
    [
      // Where somebody who looks a value up by its place walks the set each time.
      'values of a large set',
      () => [{ value: ['set', Object.fromEntries(dates.map((_, index) => [index, ['Date']]))] }, dates],
    ],
    [
      'values of a large set that was made already',
      () => [
        Object.fromEntries([['value', ['set']], ...dates.map((_, index) => [`value.${index}`, ['Date']])]),
        dates,
      ],
    ],
    [
      'values far down',
      () => {
        const levels = 250;
        let deep: unknown = dates;
        for (let level = 0; level < levels; level += 1) deep = [deep];
        const prefix = `value.${'0.'.repeat(levels)}`;
        const paths = dates.slice(0, COUNT / 10).map((_, index) => [`${prefix}${index}`, ['Date']]);
        return [Object.fromEntries(paths), deep];
      },
    ],
    [
      'patterns that take long to compile',
      () => {
        const patterns = Array.from({ length: 10_000 }, () => `/${'\\p{L}'.repeat(20)}/v`);
        return [Object.fromEntries(patterns.map((_, index) => [`value.${index}`, ['regexp']])), patterns];
      },
    ],
    [
      'long numbers',
      () => {
        const numbers = Array.from({ length: 100 }, () => '9'.repeat(LONGEST_BIGINT));
        return [Object.fromEntries(numbers.map((_, index) => [`value.${index}`, ['bigint']])), numbers];
      },
    ],
  ];
  for (const [what, make] of bombs) {
    it(`take time in proportion to the text, and not to its square: ${what}`, () => {
      const [values, value] = make();
      const text = JSON.stringify({ type: 'result', id: 1, value, meta: { values } });
      const time = (run: () => unknown): number => {
        const begun = performance.now();
        run();
        return performance.now() - begun;
      };
      const parse = Math.max(1, ...[1, 2, 3].map(() => time(() => JSON.parse(text))));
      const read = Math.min(...[1, 2, 3].map(() => time(() => survive(text))));
      // Usually two to ten times.
      expect(read / parse).to.be.below(200);
    });
  }
});
