import { MOST_TRACE, isTraceparent } from './beside.ts';
import { isPresenceFrame } from './presence-frames.ts';
import type { PresenceFrame } from './presence-frames.ts';
import { isRevokedFrame } from './revoked-frame.ts';
import { isCount, isFields, isId, isString, isTagList, LONGEST_TAG } from './shapes.ts';
import type { Fields } from './shapes.ts';
import { MOST_BINARIES } from './binary.ts';
import type { ErrorBasics } from './values/error-classes.ts';
import type {
  Frame,
  Limits,
  UnreadableFrame,
  WireCause,
  WireError,
  WireFailure,
  WireValue,
} from './frames.ts';
import type { Meta } from './values/meta.ts';
import { DEEPEST_FRAME } from './values/plain.ts';

/** Hand-written checks of shape. Everything from the wire is `unknown` until one of them has checked it. */

/** A limit: a positive whole number. */
function isLimit(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0;
}

/** Every peer accepts at least this many bytes in one message, so that each necessary message fits. */
export const LEAST_MESSAGE = 65_536;

export function isLimits(value: unknown): value is Limits {
  if (!isFields(value)) return false;
  const { message, calls, streams = 1, running = 1, subscriptions = 0, load = true } = value;
  return (
    [message, calls, streams, running].every(isLimit) &&
    (message as number) >= LEAST_MESSAGE &&
    isCount(subscriptions) &&
    load === true
  );
}

/**
 * Whether arrays and objects are nested at most `DEEPEST_FRAME` deep. It visits containers only, so the length of text is free.
 */
export function isShallow(value: unknown, depth = 0): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (depth >= DEEPEST_FRAME) return false;
  if (Array.isArray(value)) return value.every((item) => isShallow(item, depth + 1));
  return Object.values(value).every((item) => isShallow(item, depth + 1));
}

const GOAWAY_REASONS = new Set<unknown>(['stopped', 'duplicate', 'idle']);

/** The longest name of an event, in characters. */
export const LONGEST_EVENT_NAME = 256;

export function isEventName(value: unknown): value is string {
  return isString(value, LONGEST_EVENT_NAME) && value !== '';
}

/** Whether `value` is a frame that this version knows, in the right shape. */
export function isFrame(value: Fields): value is Fields & Frame {
  // It may be anything. The type makes the compiler ask for a case for each frame.
  const kind = value['type'] as Frame['type'];
  if (holdsValues(kind) && value['meta'] !== undefined && !isMeta(value['meta'])) return false;
  switch (kind) {
    case 'request':
      return (
        isId(value['id']) &&
        isString(value['tag'], LONGEST_TAG) &&
        Array.isArray(value['args']) &&
        (value['kwargs'] === undefined || isFields(value['kwargs'])) &&
        (value['deadline'] === undefined || isDuration(value['deadline'])) &&
        (value['streams'] === undefined || isPositions(value['streams'], value['args'].length)) &&
        isBeside(value)
      );
    case 'result':
      return isId(value['id']) && (value['stream'] === undefined || value['stream'] === true);
    case 'next':
    case 'complete':
      return isId(value['id']) && isArg(value['arg']);
    case 'cancel':
      return (
        isId(value['id']) && isArg(value['arg']) && (value['late'] === undefined || value['late'] === true)
      );
    case 'credit':
      return isId(value['id']) && isArg(value['arg']) && isLimit(value['count']) && isCount(value['bytes']);
    case 'error':
      return isId(value['id']) && isArg(value['arg']) && isOutcome(value);
    case 'functions':
      return isTagList(value['added'], LONGEST_TAG) && isTagList(value['removed'], LONGEST_TAG);
    case 'load':
      return isString(value['tag'], LONGEST_TAG) && isLoad(value);
    case 'goaway':
      return isCount(value['last']) && GOAWAY_REASONS.has(value['reason']);
    case 'revoked':
      return isRevokedFrame(value);
    case 'event':
      return isEventName(value['name']) && isId(value['sequence']) && isBeside(value);
    case 'subscribe':
      return isId(value['id']) && isEventName(value['name']);
    case 'subscribed':
      return isId(value['id']) && isCount(value['sequence']);
    case 'unsubscribe':
      return isEventName(value['name']);
    default:
      kind satisfies PresenceFrame['type'];
      return isPresenceFrame(value);
  }
}

/** Every type of frame, and whether frames of this type have values of users. */
const TYPES: { [Type in Frame['type']]: Type extends UnreadableFrame['of'] ? true : false } = {
  request: true,
  result: true,
  error: true,
  cancel: false,
  next: true,
  complete: true,
  credit: false,
  functions: false,
  load: false,
  goaway: false,
  revoked: false,
  joined: false,
  left: false,
  accused: false,
  have: false,
  digest: false,
  summary: false,
  difference: false,
  offered: false,
  wanted: false,
  lists: false,
  list: false,
  event: true,
  subscribe: false,
  subscribed: false,
  unsubscribe: false,
};

const KNOWN_TYPES = new Set<unknown>(Object.keys(TYPES));
const TYPES_WITH_VALUES = new Set<unknown>(
  Object.entries(TYPES).flatMap(([type, hasValues]) => (hasValues ? type : [])),
);

export function isKnownType(type: unknown): boolean {
  return KNOWN_TYPES.has(type);
}

/** Whether these are positions in a list of that length, in order and without duplicates. */
function isPositions(value: unknown, length: number): boolean {
  if (!Array.isArray(value)) return false;
  let last = -1;
  for (const position of value as unknown[]) {
    if (!Number.isSafeInteger(position) || (position as number) <= last) return false;
    last = position as number;
  }
  return last < length;
}

/** Whether the fields beside the value of a frame, `headers` and `trace`, are right or absent. */
export function isBeside({ headers, trace }: Fields): boolean {
  return (headers === undefined || isFields(headers)) && (trace === undefined || isWireTrace(trace));
}

function isWireTrace(value: unknown): boolean {
  if (value === false || isTraceparent(value)) return true;
  if (!isFields(value)) return false;
  let length = 0;
  for (const [name, field] of Object.entries(value)) {
    if (typeof field !== 'string') return false;
    length += name.length + field.length;
  }
  return length <= MOST_TRACE;
}

function isArg(value: unknown): boolean {
  return value === undefined || (Number.isSafeInteger(value) && (value as number) >= 0);
}

function isDuration(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

/** All four numbers, or none. */
function isLoad({ running, waiting, yours, limit }: Fields): boolean {
  const counts = [running, waiting, yours];
  if (limit === undefined) return counts.every((count) => count === undefined);
  return isCount(limit) && counts.every((count) => isCount(count));
}

function isOutcome(frame: Fields): boolean {
  const { error, thrown, failure } = frame;
  if (error !== undefined) return thrown === undefined && failure === undefined && isWireError(error);
  if (thrown !== undefined) return failure === undefined && isWireValue(thrown);
  return isWireFailure(failure);
}

/** Whether frames of this type have values of users, and so may have a `meta`. */
export function holdsValues(type: unknown): boolean {
  return TYPES_WITH_VALUES.has(type);
}

/** The contents of `values` are checked in `revive.ts`, which follows them. */
function isMeta(value: unknown): value is Meta {
  if (!isFields(value) || !isFields(value['values'])) return false;
  const { binary = 0 } = value;
  return Number.isSafeInteger(binary) && (binary as number) >= 0 && (binary as number) <= MOST_BINARIES;
}

function isWireValue(value: unknown): value is WireValue {
  return isFields(value);
}

function isWireFailure(value: unknown): value is WireFailure {
  return (
    isFields(value) &&
    typeof value['code'] === 'string' &&
    (value['ran'] === 'no' || value['ran'] === 'yes' || value['ran'] === 'unknown') &&
    typeof value['message'] === 'string'
  );
}

export function isErrorBasics(value: Fields): value is Fields & ErrorBasics {
  return (
    typeof value['name'] === 'string' &&
    typeof value['message'] === 'string' &&
    (value['stack'] === undefined || typeof value['stack'] === 'string') &&
    (value['classes'] === undefined || isTagList(value['classes'], LONGEST_TAG))
  );
}

function isWireError(value: unknown): value is WireError {
  return (
    isFields(value) &&
    isErrorBasics(value) &&
    (value['properties'] === undefined || isFields(value['properties'])) &&
    (value['cause'] === undefined || isWireCause(value['cause'])) &&
    (value['errors'] === undefined ||
      (Array.isArray(value['errors']) && value['errors'].every((cause) => isWireCause(cause))))
  );
}

function isWireCause(value: unknown): value is WireCause {
  if (!isFields(value)) return false;
  // JSON has no undefined: an annotation has put an undefined `error` there, and it is refused.
  return 'error' in value ? isWireError(value['error']) : isWireValue(value);
}
