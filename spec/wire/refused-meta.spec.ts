import { expect } from 'chai';

import { LONGEST_BIGINT, LONGEST_PATTERNS } from '../../src/wire/values/meta.ts';
import { revive, survive } from '../support/revive.ts';
import type { Fields, Received } from '../support/revive.ts';

describe('bad annotations from a stranger', () => {
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
});
