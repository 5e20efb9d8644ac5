import { TRACEPARENT_LENGTH, UNTRACED, isTraceparent } from './beside.ts';
import type { CallMeta, WireTrace } from './beside.ts';
import { copied } from './engine.ts';
import type { Frame, RequestFrame } from './frames.ts';
import { LONGEST_EVENT_NAME, isBeside, isShallow } from './guards.ts';
import { passOn, passesOn } from './unread/passed-on.ts';
import { LONGEST_TAG, isFields } from './shapes.ts';
import { DEEPEST_FRAME } from './values/plain.ts';

/** The fast way to read the frames that nearly all messages consist of. */

export const REQUEST = '{"type":"request","id":';
export const RESULT = '{"type":"result","id":';
export const EVENT = '{"type":"event","name":';
export const VALUE = ',"value":';
const SEQUENCE = '","sequence":';
const TAG = ',"tag":"';
const ARGS = ',"args":';
const KWARGS = ',"kwargs":{}';
const DEADLINE = ',"deadline":';
const TRACE = ',"trace":"';
const HEADERS = ',"headers":{';
const TRACES = ',"trace":{';

/** Every level of nesting takes two characters, so a text of at most this length cannot be nested too deep. */
export const SURELY_SHALLOW = 2 * DEEPEST_FRAME;

/** Characters of a message that a slice of it may keep in memory. */
const SHORT = 4_096;

/** A whole number with at most this many digits is always exact. */
const MOST_DIGITS = 15;

/**
 * Reads the frames of calls and events in exactly the form in which `codec.ts` writes them. Only arguments, result and payload
 * are parsed as JSON; the rest is compared. If those parts are valid JSON, the whole line is, with just these fields. Undefined
 * for every other line, which then takes the general path.
 */
export function decodeUsual(text: string, start: number, end: number): Frame | undefined {
  if (text.charCodeAt(end - 1) !== 125 /* } */) return undefined;
  if (text.startsWith(RESULT, start)) return decodeUsualResult(text, start + RESULT.length, end - 1);
  if (text.startsWith(REQUEST, start)) return decodeUsualRequest(text, start + REQUEST.length, end - 1);
  if (text.startsWith(EVENT, start)) return decodeUsualEvent(text, start + EVENT.length, end - 1);
  return undefined;
}

function decodeUsualResult(text: string, start: number, end: number): Frame | undefined {
  const after = endOfDigits(text, start, end);
  if (after === start || !text.startsWith(VALUE, after)) return undefined;
  const id = digits(text, start, after);
  const from = after + VALUE.length;
  if (id === 0) return undefined;
  if (from < end && endOfDigits(text, from, end) === end)
    return { type: 'result', id, value: digits(text, from, end) };
  const value = parsed(text.slice(from, end));
  return value === undefined ? undefined : { type: 'result', id, value };
}

function decodeUsualRequest(text: string, start: number, end: number): Frame | undefined {
  const idEnd = endOfDigits(text, start, end);
  if (idEnd === start || !text.startsWith(TAG, idEnd)) return undefined;
  const id = digits(text, start, idEnd);
  const tagFrom = idEnd + TAG.length;
  const tag = literal(text, tagFrom, LONGEST_TAG);
  if (id === 0 || tag === undefined) return undefined;
  const after = tagFrom + tag.length + 1;
  const trace = traceAt(text, after);
  const besideEnd = after + lengthOf(trace);
  const isBare = text.startsWith(ARGS, besideEnd);
  if (!isBare && !hasFields(text, after)) return undefined;
  const argsFrom = isBare ? besideEnd + ARGS.length : after;
  // Look at the end of the frame, and only as far as a deadline can reach: a search backwards would walk all frames before this
  // one.
  const from = beginOfDigits(text, argsFrom, end);
  const rest = from === end ? end : from - DEADLINE.length;
  const tail = rest - KWARGS.length;
  if (tail < argsFrom || !text.startsWith(KWARGS, tail)) return undefined;
  if (rest !== end && (!text.startsWith(DEADLINE, rest) || endOfDigits(text, from, end) !== end))
    return undefined;
  if (passesOn(tag)) {
    const request = passOn(id, tag, text.slice(idEnd, end + 1), tail - idEnd);
    if (request) {
      if (rest !== end) request.deadline = digits(text, from, end);
      return request;
    }
  }
  if (!isBare) {
    const beside = fieldsOf(text, after, tail, 'args');
    if (!beside || !Array.isArray(beside.args)) return undefined;
    const request = { type: 'request', id, tag, ...(beside as Pick<RequestFrame, 'args'>) } as const;
    return rest === end ? request : { ...request, deadline: digits(text, from, end) };
  }
  const args = parsed(text.slice(argsFrom, tail));
  if (!Array.isArray(args)) return undefined;
  if (trace === undefined) {
    if (rest === end) return { type: 'request', id, tag, args };
    return { type: 'request', id, tag, args, deadline: digits(text, from, end) };
  }
  if (rest === end) return { type: 'request', id, tag, args, trace };
  return { type: 'request', id, tag, args, deadline: digits(text, from, end), trace };
}

function decodeUsualEvent(text: string, start: number, end: number): Frame | undefined {
  if (text.charCodeAt(start) !== 34 /* " */) return undefined;
  const name = literal(text, start + 1, LONGEST_EVENT_NAME);
  if (name === undefined || name === '') return undefined;
  const nameEnd = start + 1 + name.length;
  if (!text.startsWith(SEQUENCE, nameEnd)) return undefined;
  const from = nameEnd + SEQUENCE.length;
  const after = endOfDigits(text, from, end);
  if (after === from) return undefined;
  const sequence = digits(text, from, after);
  if (sequence === 0) return undefined;
  const trace = traceAt(text, after);
  const besideEnd = after + lengthOf(trace);
  if (!text.startsWith(VALUE, besideEnd)) {
    if (!hasFields(text, after)) return undefined;
    const beside = fieldsOf(text, after, end, 'value');
    return beside && { type: 'event', name, sequence, ...beside };
  }
  const value = parsed(text.slice(besideEnd + VALUE.length, end));
  if (value === undefined) return undefined;
  return trace === undefined
    ? { type: 'event', name, sequence, value }
    : { type: 'event', name, sequence, value, trace };
}

/** The `traceparent` if one begins here, and nothing else belongs to the trace; `false` if that is said. */
function traceAt(text: string, start: number): string | false | undefined {
  if (text.startsWith(UNTRACED, start)) return false;
  if (!text.startsWith(TRACE, start)) return undefined;
  const from = start + TRACE.length;
  const to = from + TRACEPARENT_LENGTH;
  if (text.charCodeAt(to) !== 34 /* " */) return undefined;
  const found = text.slice(from, to);
  if (!isTraceparent(found)) return undefined;
  return text.length > SHORT ? copied(found) : found;
}

function lengthOf(trace: string | false | undefined): number {
  if (trace === undefined) return 0;
  return trace === false ? UNTRACED.length : TRACE.length + TRACEPARENT_LENGTH + 1;
}

/** Whether an object begins here that stands before the arguments or the value. */
function hasFields(text: string, start: number): boolean {
  return text.startsWith(HEADERS, start) || text.startsWith(TRACES, start);
}

interface Beside {
  headers?: CallMeta;
  trace?: WireTrace;
}

/**
 * The fields of this part of the text, if they are `headers`, `trace` and the last one, in the right shape. A quotation mark
 * within a JSON text does not tell where a field ends, so they are parsed together.
 */
function fieldsOf<Last extends 'args' | 'value'>(
  text: string,
  start: number,
  end: number,
  last: Last,
): (Beside & { [key in Last]: unknown }) | undefined {
  const fields = parsed(`{${text.slice(start + 1, end)}}`);
  if (!isFields(fields) || !isBeside(fields) || !Object.hasOwn(fields, last)) return undefined;
  for (const name of Object.keys(fields)) {
    if (name !== 'headers' && name !== 'trace' && name !== last) return undefined;
  }
  return fields as Beside & { [key in Last]: unknown };
}

let lastLiteral = '';

/**
 * The JSON string whose first character is at `start`, if it has no escapes and no characters that need one. Undefined for any
 * other string, and for one that is too long.
 */
function literal(text: string, start: number, longest: number): string | undefined {
  // The tag is usually the same as in the last call.
  const { length } = lastLiteral;
  if (text.charCodeAt(start + length) === 34 /* " */ && text.startsWith(lastLiteral, start)) {
    return length <= longest ? lastLiteral : undefined;
  }
  const end = text.indexOf('"', start);
  if (end < 0 || end - start > longest) return undefined;
  const found = text.slice(start, end);
  // oxlint-disable-next-line no-control-regex
  if (/[\u0000-\u001f\\]/.test(found)) return undefined;
  // A slice would keep the whole message in memory while the call runs; a copy does not.
  lastLiteral = text.length > SHORT ? copied(found) : found;
  return lastLiteral;
}

/** Where the whole number that begins at `start` ends; `start` if there is none, or one that may be inexact. */
function endOfDigits(text: string, start: number, end: number): number {
  let at = start;
  while (at < end) {
    const code = text.charCodeAt(at);
    if (code < 48 || code > 57) break;
    at += 1;
  }
  // JSON has no leading zeros.
  if (at - start > MOST_DIGITS || (at - start > 1 && text.charCodeAt(start) === 48)) return start;
  return at;
}

/** Where the digits before `end` begin; `end` if there are none. It reads one digit more than a number may have, at most. */
function beginOfDigits(text: string, start: number, end: number): number {
  let at = end;
  while (at > start && end - at <= MOST_DIGITS) {
    const code = text.charCodeAt(at - 1);
    if (code < 48 || code > 57) break;
    at -= 1;
  }
  return at;
}

function digits(text: string, start: number, end: number): number {
  let number = 0;
  for (let at = start; at < end; at += 1) number = number * 10 + text.charCodeAt(at) - 48;
  return number;
}

/** The value; undefined if the text is not JSON, or nested too deep. */
function parsed(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return text.length <= SURELY_SHALLOW || isShallow(value, 1) ? value : undefined;
}
