/** The shapes of frames, described a second time and apart from the guards, so that a hole in the guards cannot hide itself. */

export type Fields = Record<string, unknown>;

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const strings = (value: unknown, longest = Infinity): boolean =>
  Array.isArray(value) && value.every((each) => typeof each === 'string' && each.length <= longest);

const absentOr = (value: unknown, is: (value: unknown) => boolean): boolean =>
  value === undefined || is(value);

const isCause = (value: unknown): boolean => isObject(value) && absentOr(value['error'], isError);

function isError(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { name, message, stack, classes, properties, cause, errors } = value;
  return (
    typeof name === 'string' &&
    typeof message === 'string' &&
    absentOr(stack, (each) => typeof each === 'string') &&
    absentOr(classes, (each) => strings(each)) &&
    absentOr(properties, isObject) &&
    absentOr(cause, isCause) &&
    absentOr(errors, (each) => Array.isArray(each) && each.every((one) => isCause(one)))
  );
}

const isName = (value: unknown): boolean =>
  typeof value === 'string' && value.length > 0 && value.length <= 256;

const isTrace = (value: unknown): boolean =>
  typeof value === 'string'
    ? /^[\da-f]{2}-[\da-f]{32}-[\da-f]{16}-[\da-f]{2}$/.test(value)
    : isObject(value) && Object.values(value).every((each) => typeof each === 'string');

const list = (value: unknown, is: (value: unknown) => boolean): boolean =>
  Array.isArray(value) && value.length <= 1_024 && value.every((each) => is(each));

const isPeerId = (value: unknown): boolean => typeof value === 'string' && /^[\w-]{1,64}$/.test(value);

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;

const isDigest = (value: unknown): boolean =>
  typeof value === 'string' && value.length > 0 && value.length <= 64;

const isMark = (value: unknown): boolean =>
  isObject(value) &&
  [value['id'], value['incarnation']].every((each) => isPeerId(each)) &&
  [value['started'], value['version']].every((each) => isCount(each));

const isWord = ({ peer, by, turn }: Fields): boolean => isMark(peer) && isPeerId(by) && isTurn(turn);
const isTurn = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value) && value >= 0;

function isMember(value: unknown): boolean {
  if (!isObject(value) || !isMark(value)) return false;
  const { addresses, name, group, host, hub, pid, functions } = value;
  return (
    list(
      addresses,
      (address) =>
        isObject(address) &&
        typeof address['host'] === 'string' &&
        Number.isSafeInteger(address['port']) &&
        absentOr(address['tag'], (tag) => /^[\w-]{22}$/.test(tag as string)),
    ) &&
    strings([name, group, host], 256) &&
    typeof hub === 'boolean' &&
    Number.isSafeInteger(pid) &&
    isDigest(functions)
  );
}

/** Frames that are about no call and no subscription. */
const WITHOUT_ID = new Set([
  ...[
    'functions',
    'load',
    'goaway',
    'revoked',
    'event',
    'unsubscribe',
    'joined',
    'left',
    'accused',
    'have',
    'digest',
  ],
  ...['summary', 'difference', 'offered', 'wanted', 'lists', 'list'],
]);

export const shapes: Record<string, (frame: Fields) => boolean> = {
  request: ({ tag, args, kwargs, deadline, headers, trace }) =>
    typeof tag === 'string' &&
    Array.isArray(args) &&
    absentOr(headers, isObject) &&
    absentOr(trace, isTrace) &&
    absentOr(kwargs, isObject) &&
    absentOr(deadline, (each) => typeof each === 'number' && each >= 0 && each < Infinity),
  result: () => true,
  cancel: () => true,
  error: ({ error, thrown, failure }) =>
    [error, thrown, failure].filter((each) => each !== undefined).length === 1 &&
    absentOr(error, isError) &&
    absentOr(thrown, isObject) &&
    absentOr(
      failure,
      (each) =>
        isObject(each) &&
        typeof each['code'] === 'string' &&
        typeof each['message'] === 'string' &&
        ['no', 'yes', 'unknown'].includes(each['ran'] as string),
    ),
  functions: ({ added, removed }) => strings(added, 1024) && strings(removed, 1024),
  load: ({ tag, running, waiting, yours, limit }) =>
    strings([tag], 1024) &&
    ([running, waiting, yours, limit].every((each) => each === undefined) ||
      ([running, waiting, yours, limit].every((each) => isCount(each)) && (limit as number) > 0)),
  event: ({ name, sequence }) => isName(name) && Number.isSafeInteger(sequence) && (sequence as number) > 0,
  subscribe: ({ name }) => isName(name),
  subscribed: ({ sequence }) => Number.isSafeInteger(sequence) && (sequence as number) >= 0,
  unsubscribe: ({ name }) => isName(name),
  goaway: ({ last, reason }) =>
    Number.isSafeInteger(last) &&
    (last as number) >= 0 &&
    ['stopped', 'duplicate', 'idle'].includes(reason as string),
  revoked: ({ passes }) =>
    list(
      passes,
      (each) => isObject(each) && /^[\w-]{16}$/.test(each['id'] as string) && isCount(each['exp']),
    ),
  joined: ({ members }) => list(members, isMember),
  left: ({ peer, why }) => isMark(peer) && ['stopped', 'refused', 'lost'].includes(why as string),
  accused: (frame) => isWord(frame),
  have: (frame) => isWord(frame),
  digest: ({ digest }) => isDigest(digest),
  summary: ({ fingerprints, more }) =>
    list(fingerprints, isDigest) && absentOr(more, (each) => each === true),
  difference: ({ offered, wanted }) => list(offered, isDigest) && list(wanted, isDigest),
  offered: ({ fingerprints }) => list(fingerprints, isDigest),
  wanted: ({ fingerprints }) => list(fingerprints, isDigest),
  lists: ({ digests }) => list(digests, isDigest),
  list: ({ digest, tags, more }) =>
    isDigest(digest) &&
    absentOr(tags, (each) => strings(each, 1024)) &&
    absentOr(more, (each) => each === true),
};

export function isWellShaped(frame: unknown): boolean {
  if (!isObject(frame) || !Object.hasOwn(frame, 'type')) return false;
  const { type, id } = frame;
  if (typeof type !== 'string' || !Object.hasOwn(shapes, type) || !shapes[type]!(frame)) return false;
  return WITHOUT_ID.has(type) || (Number.isSafeInteger(id) && (id as number) > 0);
}
