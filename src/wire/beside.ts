import { plainText } from './values/plain.ts';
import { TooLarge } from './too-large.ts';

/**
 * What travels beside the arguments of a call or the payload of an event: the user's `meta`, in the field `headers`, and the
 * trace that it belongs to. (The field `meta` of a frame is taken: it describes values that JSON cannot represent.)
 */

/**
 * A small object that travels with a call or an event: plain JSON values, at most 4,096 characters of JSON.
 *
 * @example
 * const meta: CallMeta = { tenant: 'acme', roles: ['reader'] };
 * await peer.call('report.make', [], { meta });
 */
export type CallMeta = Readonly<Record<string, unknown>>;

/**
 * The trace that a call or an event belongs to, by the names of W3C: `traceparent`, `tracestate`, `baggage`.
 *
 * @example
 * const trace: TraceContext | undefined = current().trace;
 * console.log(trace?.['traceparent']); // 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
 */
export type TraceContext = Readonly<Record<string, string>>;

/**
 * The trace as it is on the wire. A text is a `traceparent` alone, which is what most traces consist of. `false` says that it is
 * decided that the call belongs to no trace, so that nobody further on begins one.
 */
export type WireTrace = string | TraceContext | false;

/** Characters of the JSON of a `meta`. */
export const MOST_META = 4_096;

/** Characters of a `tracestate`, as W3C asks for at least. A longer one is left out. */
const MOST_STATE = 512;

/** Characters of all fields of a trace together: baggage may have 8,192 by W3C, and costs that with every call. */
export const MOST_TRACE = 4_096;

/** Characters of a `traceparent` of version 00. */
export const TRACEPARENT_LENGTH = 55;

/** Before the arguments or the value of what is decided to belong to no trace. */
export const UNTRACED = ',"trace":false';

const TRACEPARENT = /^[\da-f]{2}-[\da-f]{32}-[\da-f]{16}-[\da-f]{2}$/;

/** What a call or an event has that was given none. */
export const NO_META: CallMeta = Object.freeze({});

/**
 * The part of a frame with meta and trace, to be put before `args` or `value`; empty when there are none.
 * @throws TypeError for a `meta` that is not a small plain object of JSON values
 */
export function encodeBeside(meta: CallMeta | undefined, trace: WireTrace | undefined): string {
  let text = '';
  if (meta !== undefined && meta !== NO_META) {
    const json = metaText(meta);
    if (json !== '{}') text = `,"headers":${json}`;
  }
  return trace === undefined ? text : text + traceText(trace);
}

function metaText(meta: unknown): string {
  let text: string | undefined;
  try {
    text = typeof meta === 'object' && !Array.isArray(meta) ? plainText(meta, MOST_META) : undefined;
  } catch (error) {
    if (!TooLarge.is(error)) throw error;
    text = ' '.repeat(MOST_META + 1);
  }
  if (text === undefined || text === 'null') {
    throw new TypeError(
      "meta: give a plain object whose values JSON can represent, such as { token: 'abc' }; undefined, dates and class instances are not among them",
    );
  }
  if (text.length <= MOST_META) return text;
  throw new TypeError(
    `meta: its JSON has more than ${MOST_META} characters; send large values as arguments instead`,
  );
}

/** A call must not fail because of its trace. */
function traceText(trace: WireTrace): string {
  if (trace === false) return UNTRACED;
  try {
    if (typeof trace === 'string') return isTraceparent(trace) ? `,"trace":"${trace}"` : '';
    return textOf(trace);
  } catch {
    // Whoever sets a trace may set anything, also what throws when it is read.
    return '';
  }
}

/** A part of a trace that is wrong or too long is left out. */
function textOf(trace: TraceContext): string {
  if (isOnlyTraceparent(trace)) return `,"trace":"${trace['traceparent']}"`;
  const { traceparent, tracestate, ...others } = trace;
  const kept: Record<string, string> = {};
  if (isTraceparent(traceparent)) kept['traceparent'] = traceparent;
  if (typeof tracestate === 'string' && tracestate.length <= MOST_STATE) kept['tracestate'] = tracestate;
  for (const [name, value] of Object.entries(others)) {
    const isKept = typeof value === 'string' && name !== '__proto__';
    if (isKept && JSON.stringify({ ...kept, [name]: value }).length <= MOST_TRACE) kept[name] = value;
  }
  return isEmpty(kept) ? '' : `,"trace":${JSON.stringify(kept)}`;
}

function isOnlyTraceparent(trace: TraceContext): boolean {
  for (const name in trace) if (name !== 'traceparent') return false;
  return isTraceparent(trace['traceparent']);
}

function isEmpty(object: object): boolean {
  for (const _ in object) return false;
  return true;
}

export function isTraceparent(text: unknown): text is string {
  return typeof text === 'string' && text.length === TRACEPARENT_LENGTH && TRACEPARENT.test(text);
}

/** The trace as users get it. */
export function readTrace(trace: WireTrace | undefined): TraceContext | undefined {
  return typeof trace === 'string' ? { traceparent: trace } : trace || undefined;
}

/** The id in a `traceparent`: 32 characters. */
export function traceId(trace: WireTrace | undefined): string | undefined {
  return /^[\da-f]{2}-([\da-f]{32})-/.exec(readTrace(trace)?.traceparent ?? '')?.[1];
}
