import type { Arrivals } from '../binary.ts';
import type { RequestFrame } from '../frames.ts';
import type { Meta } from '../values/meta.ts';

/** Leaves requests unread that the thread of a function reads. */

const NONE: ReadonlySet<string> = new Set();

const tags = new Set<string>();

/** The tags whose requests are passed on. While there are none, a request pays one comparison for this. */
let active: ReadonlySet<string> = NONE;

/** From now on, requests with this tag are passed on. Whoever gets one and needs its arguments reads it with `readPassedOn`. */
export function passOnRequests(tag: string): void {
  tags.add(tag);
  active = tags;
}

export function passesOn(tag: string): boolean {
  return active.size > 0 && active.has(tag);
}

/** Runs `read` so that it reads every request. */
export function readingAll<T>(read: () => T): T {
  const before = active;
  active = NONE;
  try {
    return read();
  } finally {
    active = before;
  }
}

const STREAMS = '"streams":';

/** For all requests: an array for each costs more than it says. Nobody changes them. */
const NO_ARGS: never[] = [];
const NO_BINARIES: readonly Uint8Array[] = [];

/** @param argsEnd where the arguments end in `rest`. Undefined if the request may have streams: those are not passed on */
export function passOn(id: number, tag: string, rest: string, argsEnd: number): RequestFrame | undefined {
  const at = rest.indexOf(STREAMS);
  if (at >= 0 && at < argsEnd) return undefined;
  return { type: 'request', id, tag, args: NO_ARGS, passedOn: { rest, binaries: NO_BINARIES } };
}

/**
 * The same for a request whose text was read, because it has more than plain values. Its values are made by the thread.
 * @param head how `codec.ts` begins the line. A line of another writer is not passed on
 */
export function passOnRead(
  request: RequestFrame & { meta?: Meta },
  head: string,
  line: string,
  arrivals: Arrivals,
): RequestFrame | undefined {
  const { id, tag, streams, deadline, meta } = request;
  if (streams || !line.startsWith(`${head},`)) return undefined;
  const binaries = meta?.binary ? arrivals.take(meta.binary) : NO_BINARIES;
  const passedOn = { rest: line.slice(head.length), binaries };
  return { type: 'request', id, tag, args: NO_ARGS, passedOn, ...(deadline !== undefined && { deadline }) };
}
