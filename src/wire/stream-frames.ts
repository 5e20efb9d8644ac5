import { encodeWithValue } from './codec.ts';
import type { Outgoing } from './outgoing.ts';

/** Writes the frames of streams, and `cancel`, as text. `frames.ts` explains `arg`. */

/** The function returned a stream. */
export function encodeStreamResult(id: number): string {
  return `{"type":"result","id":${id},"stream":true}`;
}

/**
 * @param most bytes that the other side accepts
 * @throws NotSerializable naming the place in the value; TooLarge
 */
export function encodeNext(
  id: number,
  arg: number | undefined,
  value: unknown,
  stacks: boolean,
  most = Infinity,
): Outgoing {
  return withOptionalValue(head('next', id, arg), value, stacks, most);
}

/** @throws NotSerializable naming the place in the value; TooLarge */
export function encodeComplete(
  id: number,
  arg: number | undefined,
  value: unknown,
  stacks: boolean,
  most = Infinity,
): Outgoing {
  return withOptionalValue(head('complete', id, arg), value, stacks, most);
}

export function encodeCredit(id: number, arg: number | undefined, count: number, bytes: number): string {
  return `${head('credit', id, arg)},"count":${count},"bytes":${bytes}}`;
}

export function encodeCancel(id: number, arg?: number): string {
  return `${head('cancel', id, arg)}}`;
}

/** The deadline of the request has passed. */
export function encodeLateCancel(id: number): string {
  return `${head('cancel', id, undefined)},"late":true}`;
}

function head(type: string, id: number, arg: number | undefined): string {
  return arg === undefined ? `{"type":"${type}","id":${id}` : `{"type":"${type}","id":${id},"arg":${arg}`;
}

function withOptionalValue(start: string, value: unknown, stacks: boolean, most: number): Outgoing {
  return value === undefined ? `${start}}` : encodeWithValue(start, value, 'value', stacks, most);
}
