import { expect } from 'chai';
import * as fc from 'fast-check';

import { BadFrame } from '../../src/wire/bad-frame.ts';
import { Arrivals, MOST_BINARIES } from '../../src/wire/binary.ts';
import { decodeMessage, encodeThrown, encodeRequest, encodeResult } from '../../src/wire/codec.ts';
import { reviveThrown } from '../../src/wire/values/failure.ts';
import type { Frame, UnreadableFrame } from '../../src/wire/frames.ts';
import { isFrame } from '../../src/wire/guards.ts';
import { LONGEST_BIGINT, LONGEST_PATTERNS } from '../../src/wire/values/meta.ts';
import type { Outgoing } from '../../src/wire/outgoing.ts';
import { KINDS, NASTY_KEYS, annotations, tree } from '../support/annotations.ts';
import { rich } from '../support/rich.ts';

/**
 * What a stranger's annotations and bytes may come to: values in their places, an `unreadable` frame, or a BadFrame.
 * Never another error, a changed prototype, or a long time.
 */

type Fields = Record<string, unknown>;
type Received = Frame | UnreadableFrame;

const BUILT_IN = [Object, Array, Function, Error, String, Map, Set, Date, RegExp, URL, Uint8Array, Buffer];
const fingerprint = (): string =>
  BUILT_IN.map(({ prototype }) =>
    Reflect.ownKeys(prototype as object)
      .map(String)
      .join(),
  ).join(';');
const untouched = fingerprint();

const MOST = 32 * 1024 * 1024;

/** What comes of a text message and the binary ones before it. Fails on whatever may not happen. */
function survive(text: string, binaries: readonly Uint8Array[] = []): Received[] | 'bad' {
  const frames: Received[] = [];
  try {
    const arrivals = new Arrivals(MOST);
    for (const binary of binaries) arrivals.add(binary);
    decodeMessage(text, { frame: (frame) => frames.push(frame) }, false, arrivals);
  } catch (error) {
    if (!(error instanceof BadFrame)) throw error;
    return 'bad';
  }
  if (fingerprint() !== untouched) expect.fail('a prototype was changed');
  for (const frame of frames) {
    if (frame.type === 'unreadable') {
      expect(frame.message).to.match(/^it[s]? /);
      continue;
    }
    if (!isFrame(frame as unknown as Fields)) expect.fail('a frame lost its shape');
    // What is let in as an error must also be fit to be put together.
    if (frame.type === 'error') reviveThrown(frame, { name: 'stranger', id: 'x' }, '');
  }
  return frames;
}

/** The same for a result with this meta and value. */
function revive(values: unknown, value: unknown, more: object = {}, binaries: Uint8Array[] = []): unknown {
  const frames = survive(
    JSON.stringify({ type: 'result', id: 1, value, meta: { values, ...more } }),
    binaries,
  );
  if (frames === 'bad') return 'bad';
  const [frame] = frames;
  return frame?.type === 'result' ? { value: frame.value } : frame?.type;
}

const split = (outgoing: Outgoing): { text: string; binaries: readonly Uint8Array[] } =>
  typeof outgoing === 'string' ? { text: outgoing, binaries: [] } : outgoing;

describe('annotations from a stranger', function () {
  // Some seconds of honest work; more where other work shares the machine.
  this.timeout(60_000);

  it('become values, an unreadable frame or a BadFrame: any annotations of any value', () => {
    const came = { bad: 0, unreadable: 0, values: 0 };
    const frame = fc.record({ values: annotations, value: tree, binary: fc.constantFrom(0, 0, 0, 1, 2) });
    fc.assert(
      fc.property(frame, fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 2 }), (each, binaries) => {
        const { values, value, binary } = each as { values: Fields; value: unknown; binary: number };
        const result = revive(values, value, { binary }, binaries);
        came[typeof result === 'object' ? 'values' : (result as 'bad' | 'unreadable')] += 1;
      }),
      { numRuns: 5_000 },
    );
    for (const [outcome, times] of Object.entries(came)) expect(times, outcome).to.be.above(100);
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
      { numRuns: 3_000 },
    );
    expect(through, 'frames that were let in').to.be.above(100);
  });

  const refused: [what: string, values: unknown, value: unknown, outcome?: string][] = [
    ['no annotations at all', undefined, 1, 'bad'],
    ['annotations that are a list', [], 1, 'bad'],
    ['an entry that is no list', { value: 'Date' }, '2020'],
    ['an empty entry', { value: [] }, 1],
    ['an unknown kind', { value: ['Temporal.Instant'] }, '2020'],
    ['a kind that is a name from Object.prototype', { value: ['constructor'] }, 1],
    ['a class', { value: [['class', 'Object']] }, {}],
    ['a typed array as superjson has it', { value: [['typed-array', 'Float64Array']] }, 1e9],
    ['a kind of bytes that is none', { value: [['custom', 'Object']] }, 0],
    ['bytes that did not come', { value: [['custom', 'Buffer']] }, 0],
    ['a path to the frame itself', { '': ['undefined'] }, 1],
    ['a path to a field of the frame that is no value', { id: ['undefined'] }, 1],
    ['a path to the type', { type: ['undefined'] }, 1],
    ['a path that leads nowhere', { 'value.a': ['undefined'] }, { b: 1 }],
    ['a path through a string', { 'value.0': ['undefined'] }, 'text'],
    ['a path beyond a list', { 'value.1': ['undefined'] }, [1]],
    ['a path to the length of a list', { 'value.length': ['undefined'] }, [1]],
    ['an index with a leading zero', { 'value.00': ['undefined'] }, [1]],
    ['a path through a prototype', { 'value.__proto__.polluted': ['undefined'] }, {}],
    ['a path through a constructor', { 'value.constructor.prototype': ['undefined'] }, {}],
    ['a path to an inherited method', { 'value.toString': ['undefined'] }, {}],
    ['a path with an escape of nothing', { 'value.\\a': ['undefined'] }, { '\\a': 1 }],
    ['a path into what was made already', { value: ['set'], 'value.0': ['Date'] }, ['2020']],
    ['two annotations of one value', { 'value.0': ['bigint'], value: ['set', { '0': ['bigint'] }] }, ['1']],
    ['annotations within what is no container', { value: ['Date', { '0': ['Date'] }] }, '2020'],
    ['a number that is none of the four', { value: ['number'] }, '1'],
    ['a bigint that is a number', { value: ['bigint'] }, 1],
    ['a bigint in hexadecimal', { value: ['bigint'] }, '0x10'],
    ['a bigint that is empty', { value: ['bigint'] }, ''],
    ['a bigint of a million digits', { value: ['bigint'] }, '9'.repeat(1_000_000)],
    ['a bigint one digit too long', { value: ['bigint'] }, '9'.repeat(LONGEST_BIGINT + 1)],
    ['a date that is a number', { value: ['Date'] }, 5],
    ['a date of a million characters', { value: ['Date'] }, '2'.repeat(1_000_000)],
    ['a pattern that does not compile', { value: ['regexp'] }, '/(/'],
    ['a flag that is none', { value: ['regexp'] }, '/a/zz'],
    ['a pattern without its slashes', { value: ['regexp'] }, 'a'],
    [
      'a pattern that takes long to compile',
      { value: ['regexp'] },
      `/${'\\p{L}'.repeat(LONGEST_PATTERNS)}/v`,
    ],
    ['a URL that is none', { value: ['URL'] }, 'nothing'],
    ['a set of a string', { value: ['set'] }, 'abc'],
    ['a map of what are no pairs', { value: ['map'] }, [[1, 2], [3]]],
    ['an error that is a list', { value: ['Error'] }, []],
    ['an error without a message', { value: ['Error'] }, { name: 'Error' }],
    [
      'an error with a message that is none',
      { value: ['Error', { message: ['bigint'] }] },
      { name: 'E', message: '1' },
    ],
  ];
  for (const [what, values, value, outcome = 'unreadable'] of refused) {
    it(`are refused: ${what}`, () => {
      expect(revive(values, value)).to.equal(outcome);
    });
  }

  it('are refused when they would change anything around the values', () => {
    const frames: Fields[] = [
      { type: 'request', id: 1, tag: 't', args: [1], meta: { values: { args: ['set'] } } },
      {
        type: 'request',
        id: 1,
        tag: 't',
        args: [1],
        kwargs: {},
        meta: { values: { kwargs: ['undefined'] } },
      },
      { type: 'request', id: 1, tag: 't', args: [1], meta: { values: { tag: ['undefined'] } } },
      { type: 'error', id: 1, thrown: { value: 1 }, meta: { values: { thrown: ['undefined'] } } },
      { type: 'error', id: 1, error: { name: 'E', message: '1' }, meta: { values: { error: ['Error'] } } },
      {
        type: 'error',
        id: 1,
        error: { name: 'E', message: '1' },
        meta: { values: { 'error.message': ['bigint'] } },
      },
      {
        type: 'error',
        id: 1,
        failure: { code: 'x', ran: 'no', message: '' },
        meta: { values: { 'failure.code': ['undefined'] } },
      },
    ];
    // Nor what the frame has beside them and nobody knows.
    frames.push({
      type: 'result',
      id: 1,
      value: 1,
      more: { a: 1 },
      meta: { values: { 'more.a': ['undefined'] } },
    });
    for (const frame of frames) {
      const [received] = survive(JSON.stringify(frame)) as Received[];
      expect(received, JSON.stringify(frame)).to.include({ type: 'unreadable', of: frame['type'], id: 1 });
    }
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

describe('bytes from a stranger that belong to values', () => {
  const one = { value: [['custom', 'Uint8Array']] };
  const data = Uint8Array.of(1, 2, 3);

  const outcomes: [
    what: string,
    values: unknown,
    value: unknown,
    binary: unknown,
    sent: number,
    outcome: string,
  ][] = [
    ['too few came', one, 0, 2, 1, 'bad'],
    ['too many came', one, 0, 1, 2, 'bad'],
    ['none was asked for', one, 0, undefined, 1, 'bad'],
    ['a count is negative', one, 0, -1, 0, 'bad'],
    ['a count is no whole number', one, 0, 0.5, 0, 'bad'],
    ['a count is beyond what a frame may take', one, 0, MOST_BINARIES + 1, 1, 'bad'],
    ['a count is text', one, 0, '1', 1, 'bad'],
    ['an index is too high', one, 1, 1, 1, 'unreadable'],
    ['an index is negative', one, -1, 1, 1, 'unreadable'],
    ['an index is no whole number', one, 0.5, 1, 1, 'unreadable'],
    ['an index is text', one, '0', 1, 1, 'unreadable'],
    ['the elements do not come out even', { value: [['custom', 'Uint16Array']] }, 0, 1, 1, 'unreadable'],
    ['the kind has no name', { value: [['custom']] }, 0, 1, 1, 'unreadable'],
    [
      'two values want the same',
      { 'value.0': [['custom', 'Buffer']], 'value.1': [['custom', 'Buffer']] },
      [0, 0],
      1,
      1,
      'unreadable',
    ],
  ];
  for (const [what, values, value, binary, sent, outcome] of outcomes) {
    it(`are refused when ${what}`, () => {
      const binaries = Array.from({ length: sent }, () => data);
      expect(revive(values, value, { binary }, binaries)).to.equal(outcome);
    });
  }

  it('are refused when their sum and the text exceed the limit of a message', () => {
    const arrivals = new Arrivals(100);
    arrivals.add(new Uint8Array(60));
    expect(() => arrivals.add(new Uint8Array(41))).to.throw(BadFrame);
    const others = new Arrivals(100);
    others.add(new Uint8Array(60));
    expect(() => others.begin('x'.repeat(41))).to.throw(BadFrame);
  });

  it('are refused when they are too many', () => {
    const arrivals = new Arrivals(MOST);
    for (let index = 0; index < MOST_BINARIES; index += 1) arrivals.add(new Uint8Array(0));
    expect(() => arrivals.add(new Uint8Array(0))).to.throw(BadFrame);
  });
});
