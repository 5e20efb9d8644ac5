import type { Frame } from './frames.ts';
import { LONGEST_EVENT_NAME, LONGEST_TAG, isShallow } from './guards.ts';
import { DEEPEST_FRAME } from './values/plain.ts';

/** The fast way to read the frames that nearly all messages consist of. */

export const REQUEST = '{"type":"request","id":';
export const RESULT = '{"type":"result","id":';
export const EVENT = '{"type":"event","name":';
export const VALUE = ',"value":';
const SEQUENCE = '","sequence":';
const TAG = ',"tag":"';
const ARGS = '","args":';
const KWARGS = ',"kwargs":{}';
const DEADLINE = ',"deadline":';

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
  const after = endOfDigits(text, start, end);
  if (after === start || !text.startsWith(TAG, after)) return undefined;
  const id = digits(text, start, after);
  const tagFrom = after + TAG.length;
  const tag = literal(text, tagFrom, LONGEST_TAG);
  if (id === 0 || tag === undefined) return undefined;
  const argsFrom = tagFrom + tag.length + ARGS.length;
  if (!text.startsWith(ARGS, tagFrom + tag.length)) return undefined;
  // Look at the end of the frame, and only as far as a deadline can reach: a search backwards would walk all frames before this
  // one.
  const from = beginOfDigits(text, argsFrom, end);
  const rest = from === end ? end : from - DEADLINE.length;
  const tail = rest - KWARGS.length;
  if (tail < argsFrom || !text.startsWith(KWARGS, tail)) return undefined;
  if (rest !== end && (!text.startsWith(DEADLINE, rest) || endOfDigits(text, from, end) !== end))
    return undefined;
  const args = parsed(text.slice(argsFrom, tail));
  if (!Array.isArray(args)) return undefined;
  if (rest === end) return { type: 'request', id, tag, args };
  return { type: 'request', id, tag, args, deadline: digits(text, from, end) };
}

function decodeUsualEvent(text: string, start: number, end: number): Frame | undefined {
  if (text.charCodeAt(start) !== 34 /* " */) return undefined;
  const name = literal(text, start + 1, LONGEST_EVENT_NAME);
  if (name === undefined || name === '') return undefined;
  const nameEnd = start + 1 + name.length;
  if (!text.startsWith(SEQUENCE, nameEnd)) return undefined;
  const from = nameEnd + SEQUENCE.length;
  const after = endOfDigits(text, from, end);
  if (after === from || !text.startsWith(VALUE, after)) return undefined;
  const sequence = digits(text, from, after);
  if (sequence === 0) return undefined;
  const value = parsed(text.slice(after + VALUE.length, end));
  return value === undefined ? undefined : { type: 'event', name, sequence, value };
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
  lastLiteral = text.length > SHORT ? Buffer.from(found).toString() : found;
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
