import { Alarm } from '../base/time/alarm.ts';
import type { Clock } from '../base/time/clock.ts';
import { LONGEST_TIMER } from '../base/time/clock.ts';
import type { NetError, NetErrorCode, NetErrorDetails } from '../base/errors.ts';
import { peerLine } from '../base/peer-line.ts';
import { whenAborted } from '../base/time/when-aborted.ts';
import { StreamReader } from '../calls/streams/stream-reader.ts';
import type {
  CancelFrame,
  CompleteFrame,
  CreditFrame,
  ErrorFrame,
  NextFrame,
  ResultFrame,
} from '../wire/frames.ts';
import { isStream, shapeOf } from '../base/value-shape.ts';
import type { Outgoing } from '../wire/outgoing.ts';
import { encodeRequest } from './codec/frames.ts';
import { failCall, failWith, failWithFrame, lostMessage } from './call.ts';
import type { PageCall } from './call.ts';
import type { PageLink } from './link.ts';
import type { PagePeer } from './page-types.ts';
import { sendArgument, whyUnsendable } from './streams.ts';
import { PageSource } from './source.ts';

/** Calls that may wait here for a connection, or for room at the server. */
const MOST_WAITING = 65_536;

/** Its timers do not keep a Node process alive: the open socket does. */
export const pageClock: Clock = {
  now: () => performance.now(),
  setTimeout(callback, milliseconds) {
    const timer = setTimeout(callback, Math.min(milliseconds, LONGEST_TIMER)) as unknown;
    (timer as Partial<NodeJS.Timeout>).unref?.();
    return timer;
  },
  clearTimeout: (timer) => clearTimeout(timer as number),
};

export type AnswerFrame = ResultFrame | NextFrame | CompleteFrame | ErrorFrame | CreditFrame | CancelFrame;

/** Every call of the page that has not settled. */
export class OutgoingCalls {
  /** Why no call can be made any more. */
  over: NetError | undefined;
  /** Why there is no connection, for messages. */
  trouble = '';
  readonly #alarm = new Alarm(pageClock, () => this.#expire());
  readonly #waiting = new Set<PageCall>();
  readonly #pending = new Map<number, PageCall>();
  /** Cancelled requests, until the server says that their function has settled: they keep their places. */
  readonly #abandoned = new Set<number>();
  /** Open streams of these calls. */
  #streams = 0;
  #last = 0;
  #link: PageLink | undefined;
  #server: PagePeer | undefined;

  /** Requests without an answer. */
  get size(): number {
    return this.#pending.size;
  }

  /** @param plain called when the result turns out not to be a stream */
  call(
    tag: string,
    args: readonly unknown[],
    time: number,
    signal: AbortSignal | undefined,
    beside: string,
    plain?: () => void,
  ): Promise<unknown> {
    const promise = new Promise(keepResolve);
    const resolve = plain ? resolveAndTell(lastResolve, plain) : lastResolve;
    const deadline = performance.now() + time;
    const call: PageCall = {
      ...{ tag, args, time, deadline, beside, given: streamsAmong(args), resolve },
      ...{
        release: undefined,
        link: undefined,
        id: 0,
        settled: false,
        reader: undefined,
        writers: undefined,
      },
    };
    if (this.over) {
      const { code, message, cause } = this.over;
      this.#fail(call, code, message, { ran: 'no', cause });
    } else if (signal?.aborted) {
      this.#settle(call);
      failCall(call, () => signal.reason);
    } else if (time <= 0) {
      this.#fail(call, 'DEADLINE_EXCEEDED', 'the deadline has passed', { ran: 'no' });
    } else if (this.#waiting.size === 0 && this.#hasRoom(call)) {
      if (signal) this.#watch(call, signal);
      this.#transmit(call, time);
    } else if (this.#waiting.size >= MOST_WAITING) {
      this.#fail(call, 'OVERLOADED', `${MOST_WAITING} calls wait already; make fewer at a time`);
    } else {
      if (signal) this.#watch(call, signal);
      this.#waiting.add(call);
      this.#alarm.wakeBy(call.deadline);
    }
    return promise;
  }

  opened(link: PageLink, server: PagePeer): void {
    this.#link = link;
    this.#server = server;
    this.#last = 0;
    this.#abandoned.clear();
    this.pump();
  }

  /** Sends the calls that waited for room. */
  pump(): void {
    for (const call of this.#waiting) {
      if (!this.#hasRoom(call)) break;
      this.#waiting.delete(call);
      this.#transmit(call, Math.max(0, call.deadline - performance.now()));
    }
  }

  received(frame: AnswerFrame): void {
    const call = this.#pending.get(frame.id);
    if (!call) {
      const isLast =
        (frame.type === 'result' && !frame.stream) || frame.type === 'complete' || frame.type === 'error';
      if (isLast && this.#abandoned.delete(frame.id)) this.pump();
      return;
    }
    switch (frame.type) {
      case 'result':
        if (frame.stream) this.#openStream(call);
        else {
          this.#settle(call);
          call.resolve(frame.value);
        }
        break;
      case 'error':
        this.#settle(call);
        failWithFrame(call, frame, this.#server!);
        break;
      case 'next':
        call.reader?.push(frame.value, frame.size);
        break;
      case 'complete':
        this.#settle(call);
        call.reader?.complete(frame.value);
        break;
      case 'credit':
        call.writers?.get(frame.arg!)?.credit(frame.count, frame.bytes);
        this.#stays(call);
        break;
      case 'cancel':
        call.writers?.get(frame.arg!)?.stop();
    }
    if (this.#waiting.size > 0) this.pump();
  }

  /** The server stops, and takes no call with a higher id than this. */
  refused(last: number): void {
    const text = `${peerLine(this.#server!)} is stopping`;
    for (const call of this.#pending.values()) if (call.id > last) this.#fail(call, 'REFUSED', text);
  }

  lost(): void {
    const message = this.#server && lostMessage(this.#server);
    this.#link = undefined;
    for (const call of this.#pending.values()) {
      this.#fail(call, 'CONNECTION_LOST', message!, call.reader && { ran: 'yes' });
    }
  }

  /** No call is made any more, and those that wait are not sent. */
  stop(why: NetError): void {
    this.over = why;
    for (const call of this.#waiting)
      this.#fail(call, why.code, why.message, { ran: 'no', cause: why.cause });
    if (this.#pending.size === 0) this.#alarm.clear();
  }

  #hasRoom({ given }: PageCall): boolean {
    const link = this.#link;
    if (!link || link.leaving || link.congested) return false;
    const { calls, streams = Infinity } = link.limits;
    if (this.#pending.size + this.#abandoned.size >= calls) return false;
    return !given || this.#streams === 0 || this.#streams + given.size <= streams;
  }

  #transmit(call: PageCall, left: number): void {
    const link = this.#link!;
    const { tag, args, given, beside } = call;
    const id = this.#last + 1;
    const most = link.limits.message;
    // Streams among the arguments may take longer than the call's deadline, and the server cannot know how long.
    const deadline = left < Infinity && !given ? Math.ceil(left) : undefined;
    let request: Outgoing;
    try {
      const sent = given ? args.map((arg, at) => (given.has(at) ? null : arg)) : args;
      request = encodeRequest(id, tag, sent, deadline, given && [...given.keys()], most, beside);
    } catch (error) {
      const { code, why, cause } = whyUnsendable(error, most, 'the request is');
      this.#fail(call, code, why, cause === undefined ? {} : { cause });
      return;
    }
    this.#last = id;
    call.id = id;
    call.link = link;
    this.#pending.set(id, call);
    this.#alarm.wakeBy(call.deadline);
    link.send(request);
    if (!given) return;
    this.#streams += given.size;
    call.writers = new Map();
    for (const [arg, source] of given) {
      const writer = sendArgument(link, id, arg, source, () => this.#stays(call));
      call.writers.set(arg, writer);
      writer.start();
    }
  }

  /** The call is not silent: values of its arguments are on their way. */
  #stays(call: PageCall): void {
    if (!call.reader && !call.settled) this.#allow(call, call.time);
  }

  #openStream(call: PageCall): void {
    const { id, link } = call;
    if (call.reader) return;
    this.#streams += 1;
    call.reader = new StreamReader({
      credit: (count, bytes) => call.link?.tell({ type: 'credit', id, count, bytes }),
      cancel: () => {
        if (call.settled) return;
        this.#withdraw(call);
        this.pump();
      },
      waiting: (is) => {
        if (!call.settled) this.#allow(call, is ? call.time : Infinity);
      },
    });
    this.#allow(call, Infinity);
    if (link) call.resolve(call.reader);
  }

  /** Lets the call take this many ms more; Infinity while nobody waits for it. */
  #allow(call: PageCall, time: number): void {
    call.deadline = performance.now() + time;
    this.#alarm.wakeBy(call.deadline);
  }

  #watch(call: PageCall, signal: AbortSignal): void {
    call.release = whenAborted(signal, (reason) => {
      if (call.settled) return;
      this.#withdraw(call);
      failCall(call, () => reason);
      this.pump();
    });
  }

  #expire(): void {
    const now = performance.now();
    let next = Infinity;
    for (const call of [...this.#pending.values(), ...this.#waiting]) {
      if (call.deadline > now) {
        next = Math.min(next, call.deadline);
        continue;
      }
      const { link, reader } = call;
      this.#withdraw(call, true);
      const server = this.#server ? peerLine(this.#server) : 'the server';
      const what = reader ? 'sent nothing more of the stream' : 'did not answer';
      const unsent = link ? '' : `; the call was not sent${this.trouble && `: ${this.trouble}`}`;
      const text = `${server} ${what} before the deadline${unsent} (${call.tag})`;
      failWith(call, 'DEADLINE_EXCEEDED', text, { ran: reader ? 'yes' : link ? 'unknown' : 'no' });
    }
    this.#alarm.wakeBy(next);
    this.pump();
  }

  /** Takes an unanswered call out. The function of a call that was sent may run on, and keeps its place. */
  #withdraw(call: PageCall, late?: true): void {
    const { link, id } = call;
    this.#settle(call);
    if (!link) return;
    this.#abandoned.add(id);
    link.tell({ type: 'cancel', id, late });
  }

  #fail(call: PageCall, code: NetErrorCode, message: string, details?: NetErrorDetails): void {
    this.#settle(call);
    failWith(call, code, `${message} (${call.tag})`, { peer: this.#server?.id, ...details });
  }

  /** Runs exactly once for each call, however it ends. */
  #settle(call: PageCall): void {
    const { given, writers, link, reader } = call;
    call.settled = true;
    call.link = undefined;
    call.release?.();
    this.#waiting.delete(call);
    if (writers) for (const writer of writers.values()) writer.stop();
    else if (given) for (const source of given.values()) source.end();
    if (!link) return;
    this.#pending.delete(call.id);
    this.#streams -= (given?.size ?? 0) + (reader ? 1 : 0);
  }
}

let lastResolve: (value: unknown) => void;

/** One function for all promises: a new one for each call would cost an object. */
function keepResolve(resolve: (value: unknown) => void): void {
  lastResolve = resolve;
}

/** Tells `plain` when the value is final: failures are promises, and streams go on. */
function resolveAndTell(resolve: (value: unknown) => void, plain: () => void) {
  return (value: unknown): void => {
    if (shapeOf(value) === 'value') plain();
    resolve(value);
  };
}

/** The streams among the arguments, by position; undefined when there are none, as in most calls. */
function streamsAmong(args: readonly unknown[]): Map<number, PageSource> | undefined {
  let found: Map<number, PageSource> | undefined;
  for (let at = 0; at < args.length; at += 1) {
    if (isStream(args[at])) (found ??= new Map()).set(at, new PageSource(args[at] as AsyncIterable<unknown>));
  }
  return found;
}
