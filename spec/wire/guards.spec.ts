import { expect } from 'chai';

import { isFrame, isKnownType, isLimits, isShallow } from '../../src/wire/guards.ts';
import { isFields, isId, isString, isTagList } from '../../src/wire/shapes.ts';
import { DEEPEST_FRAME } from '../../src/wire/values/plain.ts';

type Fields = Record<string, unknown>;

const request = { type: 'request', id: 1, tag: 'tag', args: [] };
const failure = { code: 'REFUSED', ran: 'no', message: 'draining' };
const error = { name: 'Error', message: 'no' };
const mark = { id: 'a', incarnation: 'b', started: 1_790_000_000_000, version: 3 };
const address = { host: '10.0.0.5', port: 4000 };
const about = { name: 'n', group: 'main', hub: false, pid: 7, host: 'h', functions: 'Jl5Y3cXqC0tWm9aE' };
const member = { ...mark, addresses: [address], ...about };
const word = { peer: mark, by: 'c', turn: 0 };
const fingerprint = 'mD0bnUbSz-Xq7ZkV';

const times = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);

const changed = (fields: Fields, changes: Fields): Fields => ({ ...fields, ...changes });

const frames: Fields[] = [
  request,
  { ...request, kwargs: { a: 1 }, deadline: 0 },
  { ...request, tag: '', deadline: 0.5, more: 'is ignored' },
  { type: 'result', id: 1 },
  { type: 'result', id: Number.MAX_SAFE_INTEGER, value: null },
  { type: 'cancel', id: 1 },
  { type: 'error', id: 1, failure },
  { type: 'error', id: 1, thrown: {} },
  { type: 'error', id: 1, thrown: { value: 0 } },
  { type: 'error', id: 1, error },
  {
    type: 'error',
    id: 1,
    error: {
      ...error,
      stack: 's',
      classes: ['A', 'Error'],
      code: { a: 1 },
      properties: {},
      cause: { error },
    },
  },
  { type: 'error', id: 1, error: { ...error, cause: {}, errors: [{ value: 1 }, { error }, {}] } },
  { type: 'functions', added: [], removed: ['x'.repeat(1024)] },
  { type: 'goaway', last: 0, reason: 'stopped' },
  { type: 'goaway', last: 5, reason: 'duplicate' },
  { type: 'goaway', last: 5, reason: 'idle' },
  { type: 'revoked', passes: [] },
  { type: 'revoked', passes: times(1_024, { id: 'x'.repeat(16), exp: 0, more: 1 }) },
  { type: 'joined', members: [] },
  {
    type: 'joined',
    members: [
      { ...member, addresses: [], more: 1 },
      { ...member, addresses: [{ ...address, tag: 'x'.repeat(22), more: 1 }] },
      { ...member, started: 0, version: 0, name: '', group: '', host: '', hub: true, pid: -1 },
    ],
  },
  { type: 'joined', members: times(1_024, { ...member, addresses: times(16, address) }) },
  { type: 'left', peer: mark, why: 'stopped' },
  { type: 'left', peer: mark, why: 'refused' },
  { type: 'left', peer: mark, why: 'lost', more: 1 },
  { type: 'accused', ...word },
  { type: 'have', ...word, turn: Number.MAX_SAFE_INTEGER },
  { type: 'accused', ...word, turn: 1.5 },
  { type: 'digest', digest: 'x'.repeat(64) },
  { type: 'summary', fingerprints: [] },
  { type: 'summary', fingerprints: times(1_024, fingerprint), more: true },
  { type: 'difference', offered: [], wanted: [] },
  { type: 'difference', offered: times(1_024, fingerprint), wanted: times(1_024, fingerprint) },
  { type: 'offered', fingerprints: times(1_024, fingerprint) },
  { type: 'wanted', fingerprints: [fingerprint] },
  { type: 'lists', digests: times(1_024, about.functions) },
  { type: 'list', digest: about.functions },
  { type: 'list', digest: about.functions, tags: [] },
  { type: 'list', digest: about.functions, tags: ['x'.repeat(1024)], more: true },
  { type: 'load', tag: 'x'.repeat(1024), running: 1, waiting: 0, yours: 1, limit: 1 },
  { type: 'load', tag: 'x', running: 0, waiting: 1, yours: 1, limit: 0 },
  { type: 'load', tag: '' },
  { type: 'subscribe', id: 1, name: '*' },
  { type: 'subscribe', id: Number.MAX_SAFE_INTEGER, name: 'x'.repeat(256) },
  { type: 'subscribed', id: 1, sequence: 0 },
  { type: 'unsubscribe', name: '__proto__' },
  { type: 'event', name: 'job.done', sequence: 1 },
  { type: 'event', name: 'job.done', sequence: Number.MAX_SAFE_INTEGER, value: null },
];

const ofError = (fields: Fields): Fields => ({ type: 'error', id: 1, error: { ...error, ...fields } });

const wrongDigests = ['', 'x'.repeat(65), 5, null, undefined, [fingerprint]];

/** The same with a field of its mark missing or wrong. */
const wrongMarks = (fields: Fields): Fields[] =>
  Object.entries({
    id: ['', 'a:1', 'x'.repeat(65), 5, undefined],
    incarnation: ['', 7, null, undefined],
    started: [-1, 0.5, '1', undefined],
    version: [-1, 0.5, null, undefined],
  }).flatMap(([field, values]) => values.map((value) => ({ ...fields, [field]: value })));

const wrongLoads = Object.entries({
  tag: [5, 'x'.repeat(1025)],
  running: [-1],
  waiting: [0.5],
  yours: ['1', undefined],
  limit: [-1, 0.5, undefined],
}).flatMap(([field, values]) =>
  values.map((value) =>
    Object.assign({ type: 'load', tag: 'x', running: 1, waiting: 0, yours: 1, limit: 1 }, { [field]: value }),
  ),
);

const refused: Fields[] = [
  {},
  { type: 'Request' },
  { type: 'toString', id: 1 },
  { type: ['cancel'], id: 1 },
  ...[0, -1, 1.5, 2 ** 53, '1', null, undefined, NaN].map((id) => ({ type: 'cancel', id })),
  { ...request, id: 0 },
  { type: 'subscribe', id: 0, name: 'x' },
  { type: 'subscribe', name: 'x' },
  { type: 'subscribe', id: 1, name: '' },
  { type: 'subscribe', id: 1, name: 'x'.repeat(257) },
  { type: 'subscribe', id: 1, name: ['x'] },
  ...wrongLoads,
  { type: 'load' },
  { type: 'subscribed', id: 1 },
  { type: 'subscribed', id: 1, sequence: -1 },
  { type: 'subscribed', id: 1, sequence: 0.5 },
  { type: 'unsubscribe' },
  { type: 'unsubscribe', name: null },
  { type: 'event', name: 'x', sequence: 0 },
  { type: 'event', name: 'x', sequence: 2 ** 53 },
  { type: 'event', name: 'x', sequence: '1' },
  { type: 'event', name: '', sequence: 1 },
  { type: 'event', sequence: 1 },
  { ...request, tag: 1 },
  { ...request, tag: 'x'.repeat(1025) },
  { ...request, args: undefined },
  { ...request, args: { length: 0 } },
  { ...request, kwargs: null },
  { ...request, kwargs: [] },
  { ...request, deadline: null },
  { ...request, deadline: -1 },
  { ...request, deadline: '5' },
  { type: 'result', id: '1' },
  { type: 'error', id: 1 },
  { type: 'error', id: 0, failure },
  { type: 'error', id: 1, error, thrown: {} },
  { type: 'error', id: 1, error, failure },
  { type: 'error', id: 1, thrown: {}, failure },
  { type: 'error', id: 1, thrown: null },
  { type: 'error', id: 1, thrown: [] },
  { type: 'error', id: 1, error: null },
  { type: 'error', id: 1, failure: { ...failure, ran: 'maybe' } },
  { type: 'error', id: 1, failure: { ...failure, code: 5 } },
  { type: 'error', id: 1, failure: { ...failure, message: undefined } },
  ofError({ name: 5 }),
  ofError({ message: undefined }),
  ofError({ stack: ['at'] }),
  ofError({ classes: 'Error' }),
  ofError({ classes: [''] }),
  ofError({ classes: [5] }),
  ofError({ properties: [] }),
  ofError({ cause: null }),
  ofError({ cause: [] }),
  ofError({ cause: { error: null } }),
  ofError({ cause: { error: { name: 'Error' } } }),
  ofError({ errors: {} }),
  ofError({ errors: [null] }),
  ofError({ errors: [{ error: 'x' }] }),
  ofError({ cause: { error: { ...error, cause: { error: { ...error, classes: [null] } } } } }),
  { type: 'functions', added: [] },
  { type: 'functions', added: [''], removed: [] },
  { type: 'functions', added: [1], removed: [] },
  { type: 'functions', added: 'tag', removed: [] },
  { type: 'functions', added: [], removed: ['x'.repeat(1025)] },
  { type: 'revoked' },
  { type: 'revoked', passes: {} },
  { type: 'revoked', passes: times(1_025, { id: 'x'.repeat(16), exp: 1 }) },
  ...[
    { id: 'x'.repeat(15), exp: 1 },
    { id: ['x'.repeat(16)], exp: 1 },
    { id: 'x'.repeat(16), exp: -1 },
    null,
  ].map((pass) => ({ type: 'revoked', passes: [pass] })),
  { type: 'goaway', last: -1, reason: 'stopped' },
  { type: 'goaway', last: 0.5, reason: 'stopped' },
  { type: 'goaway', last: 0, reason: 'bored' },
  { type: 'goaway', last: 0 },
  { type: 'peers', peers: [] },
  { type: 'joined' },
  { type: 'joined', members: {} },
  { type: 'joined', members: times(1_025, member) },
  ...[null, [], {}, mark, ...wrongMarks(member)].map((each) => ({ type: 'joined', members: [each] })),
  ...[
    { addresses: undefined },
    { addresses: '10.0.0.5:4000' },
    { addresses: times(17, address) },
    ...[
      null,
      '10.0.0.5:4000',
      { host: '10.0.0.5' },
      { host: '', port: 1 },
      { host: 'x'.repeat(256), port: 1 },
      { host: 5, port: 1 },
      ...[0, -1, 65_536, 1.5, '4000', null].map((port) => ({ host: '10.0.0.5', port })),
      ...['', 'x'.repeat(21), 'x'.repeat(23), '='.repeat(22), 5, null].map((tag) =>
        changed(address, { tag }),
      ),
    ].map((each) => ({ addresses: [each] })),
    ...['name', 'group', 'host'].flatMap((field) =>
      ['x'.repeat(257), 5, null, undefined].map((value) => ({ [field]: value })),
    ),
    ...[0, 'true', undefined].map((hub) => ({ hub })),
    ...[1.5, '7', null, undefined].map((pid) => ({ pid })),
    ...wrongDigests.map((functions) => ({ functions })),
  ].map((fields) => ({ type: 'joined', members: [member, { ...member, ...fields }] })),
  ...['crashed', 'unreachable', 'replaced', '', null, undefined].map((why) =>
    changed({ type: 'left', peer: mark }, { why }),
  ),
  ...['left', 'accused', 'have'].flatMap((type) =>
    [null, [], 'a', ...wrongMarks(mark)].map((peer) => changed(word, { type, why: 'lost', peer })),
  ),
  ...['accused', 'have'].flatMap((type) =>
    ['', 'a:1', 5, null, undefined].map((by) => changed(word, { type, by })),
  ),
  ...['accused', 'have'].flatMap((type) =>
    [-1, Infinity, NaN, '1', null, undefined].map((turn) => changed(word, { type, turn })),
  ),
  ...wrongDigests.flatMap((digest) => [
    { type: 'digest', digest },
    { type: 'list', digest },
    { type: 'summary', fingerprints: [fingerprint, digest] },
    { type: 'offered', fingerprints: [digest] },
    { type: 'wanted', fingerprints: [digest] },
    { type: 'difference', offered: [digest], wanted: [] },
    { type: 'difference', offered: [], wanted: [digest] },
    { type: 'lists', digests: [digest] },
  ]),
  ...[undefined, null, fingerprint, { length: 0 }, times(1_025, fingerprint)].flatMap((list) => [
    { type: 'summary', fingerprints: list },
    { type: 'offered', fingerprints: list },
    { type: 'wanted', fingerprints: list },
    { type: 'difference', offered: list, wanted: [] },
    { type: 'difference', offered: [], wanted: list },
    { type: 'lists', digests: list },
  ]),
  ...[false, 1, 'true', null].flatMap((more) => [
    { type: 'summary', fingerprints: [], more },
    { type: 'list', digest: about.functions, tags: [], more },
  ]),
  ...[null, 'tag', {}, [''], [5], ['x'.repeat(1025)]].map((tags) =>
    changed({ type: 'list', digest: about.functions }, { tags }),
  ),
];

const show = (value: unknown): string => {
  const text = JSON.stringify(value, (_, each: unknown) =>
    typeof each === 'number' && !Number.isFinite(each) ? String(each) : each,
  );
  return text.length > 90 ? `${text.slice(0, 90)}…` : text;
};

describe('the shape of a frame', () => {
  for (const frame of frames) {
    it(`is right: ${show(frame)}`, () => {
      expect(isFrame(frame)).to.equal(true);
      expect(isKnownType(frame['type'])).to.equal(true);
    });
  }

  for (const frame of refused) {
    it(`is wrong: ${show(frame)}`, () => {
      expect(isFrame(frame)).to.equal(false);
    });
  }
});

describe('the checks of single values', () => {
  it('accept objects as fields, but no arrays and no null', () => {
    expect([{}, Object.create(null)].map((value) => isFields(value))).to.deep.equal([true, true]);
    expect([[], null, 'x', undefined, 1].some((value) => isFields(value))).to.equal(false);
  });

  it('accept positive safe integers as ids', () => {
    expect([1, Number.MAX_SAFE_INTEGER].every((value) => isId(value))).to.equal(true);
    expect([0, -1, 1.5, Infinity, 2 ** 53, '1', 1n].some((value) => isId(value))).to.equal(false);
  });

  it('limit the length of strings', () => {
    expect(isString('abc', 3)).to.equal(true);
    expect(isString('abcd', 3)).to.equal(false);
    expect(isString(['a'], 3)).to.equal(false);
  });

  it('accept lists of non-empty strings of limited length as tags', () => {
    expect(isTagList([], 3)).to.equal(true);
    expect(isTagList(['a', '__proto__'], 9)).to.equal(true);
    expect(isTagList(['abcd'], 3)).to.equal(false);
    expect(isTagList([''], 3)).to.equal(false);
    expect(isTagList([null], 3)).to.equal(false);
    expect(isTagList('abc', 3)).to.equal(false);
  });

  it('accept positive whole numbers as limits', () => {
    expect(isLimits({ message: 65_536, calls: 1 })).to.equal(true);
    expect(isLimits({ message: 65_536, calls: 1, subscriptions: 0 })).to.equal(true);
    expect(isLimits({ message: 65_536, calls: 1, load: true })).to.equal(true);
    expect(isLimits({ message: 65_536, calls: 1, load: false })).to.equal(false);
    expect(isLimits({ message: 65_536, calls: 1, subscriptions: -1 })).to.equal(false);
    expect(isLimits({ message: 65_536, calls: 1, subscriptions: '1' })).to.equal(false);
    for (const wrong of [0, -1, 1.5, null, '1', undefined]) {
      expect(isLimits({ message: 65_536, calls: wrong })).to.equal(false);
      expect(isLimits({ message: 65_535, calls: 1 })).to.equal(false);
      expect(isLimits({ message: wrong, calls: 1 })).to.equal(false);
    }
    expect(isLimits([1, 1])).to.equal(false);
    expect(isLimits(null)).to.equal(false);
  });

  it('count arrays and objects alike for the depth, and stop at the limit', () => {
    let value: unknown = 'text';
    for (let level = 0; level < DEEPEST_FRAME; level += 1)
      value = level % 2 ? [0, value] : { a: 0, b: value };
    expect(isShallow(value)).to.equal(true);
    expect(isShallow([value])).to.equal(false);
    for (let level = 0; level < 100_000; level += 1) value = [value];
    expect(isShallow(value)).to.equal(false);
  });
});
