import { NetError, isNetErrorCode } from '../base/errors.ts';
import type { NetErrorCode, NetErrorDetails } from '../base/errors.ts';
import { peerLine } from '../base/peer-line.ts';
import type { Named } from '../base/peer-line.ts';
import type { StreamReader } from '../calls/streams/stream-reader.ts';
import type { StreamWriter } from '../calls/streams/stream-writer.ts';
import type { ErrorFrame } from '../wire/frames.ts';
import { reviveThrown } from '../wire/values/failure.ts';
import type { PageLink } from './link.ts';
import type { PageSource } from './source.ts';

/** One call on its way, from the promise that the user holds to the answer. */
export interface PageCall {
  readonly tag: string;
  readonly args: readonly unknown[];
  /** How long it may take, in ms. For a stream: how long its reader may wait for a value. */
  readonly time: number;
  /** When it fails at the latest, in ms on `performance.now()`. Each value of a stream moves it. */
  deadline: number;
  readonly beside: string;
  /** The arguments that are streams, by position. */
  readonly given: ReadonlyMap<number, PageSource> | undefined;
  /** Settles the user's promise. Failures go through it too. */
  readonly resolve: (value: unknown) => void;
  release: (() => void) | undefined;
  /** Undefined while it waits, and after it has settled. */
  link: PageLink | undefined;
  id: number;
  settled: boolean;
  reader: StreamReader | undefined;
  writers: Map<number, StreamWriter> | undefined;
}

const TICK = Promise.resolve();

/**
 * Fails a call with what `make` returns. The promise of the user is resolved with an async function, so that the engine can find
 * out which function waits, and only then: `calls/caller/call-failure.ts` says more.
 */
export function failCall({ reader, resolve }: PageCall, make: (site: string) => unknown): void {
  const later = async (): Promise<never> => {
    await TICK;
    await TICK;
    // A function may throw any value, and it is passed on as it is.
    // oxlint-disable-next-line only-throw-error
    throw make(waiting());
  };
  if (reader) reader.fail(later);
  else resolve(later());
}

/** The lines of a stack that tell which functions of the user wait. V8 has `at async`, Firefox `async*`. */
function waiting(): string {
  const { stack = '' } = new Error();
  return stack
    .split('\n')
    .filter((line) => /^\s*(?:at async |async\*)/.test(line))
    .join('\n');
}

export function failWith(
  call: PageCall,
  code: NetErrorCode,
  message: string,
  details: NetErrorDetails = {},
): void {
  failCall(call, (site) => failure(code, message, { tag: call.tag, ...details }, site));
}

/** @param site the lines of the stack that tell who waits */
function failure(code: NetErrorCode, message: string, details: NetErrorDetails, site: string): NetError {
  const error = new NetError(code, message, details);
  error.stack = `${error.name}: ${message}${site && `\n${site}`}`;
  return error;
}

/** Fails a call with the frame that answers it. */
export function failWithFrame(call: PageCall, frame: ErrorFrame, server: Named): void {
  failCall(call, (site) => reviveFailure(frame, server, call.tag, site));
}

/** What an error frame stands for. */
export function reviveFailure(frame: ErrorFrame, server: Named, tag: string, site = ''): unknown {
  if (!frame.failure) return reviveThrown(frame, server, site);
  const { code, ran, message } = frame.failure;
  const known = isNetErrorCode(code) ? code : 'BAD_REQUEST';
  return failure(known, message, { ran, peer: server.id, tag }, site);
}

/** The message of a call that was sent and not answered. */
export function lostMessage(server: Named): string {
  return `the connection to ${peerLine(server)} was lost before it answered`;
}
