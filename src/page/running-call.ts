import { NetError } from '../base/errors.ts';
import type { StreamReader } from '../calls/streams/stream-reader.ts';
import type { StreamWriter } from '../calls/streams/stream-writer.ts';
import { NO_META } from '../wire/beside.ts';
import type { CallMeta } from '../wire/beside.ts';
import type { RequestFrame } from '../wire/frames.ts';
import type { PageLink } from './link.ts';
import { pageClock } from './outgoing.ts';
import type { PageCallContext, PagePeer } from './page-types.ts';

/** A call of the server whose function has not settled here. It is also the context that the function can ask for. */
export class RunningCall implements PageCallContext {
  readonly link: PageLink;
  readonly caller: PagePeer;
  readonly id: number;
  readonly tag: string;
  readonly meta: CallMeta;
  settled = false;
  /** Why nobody waits for it any more. */
  ended: NetError | undefined;
  writer: StreamWriter | undefined;
  /** The readers of its arguments that are streams, by position. */
  readonly readers = new Map<number, StreamReader>();
  #deadlineAt: number;
  #abort: AbortController | undefined;
  #timer: unknown;

  constructor(link: PageLink, caller: PagePeer, { id, tag, headers, deadline = Infinity }: RequestFrame) {
    this.link = link;
    this.caller = caller;
    this.id = id;
    this.tag = tag;
    this.meta = headers ?? NO_META;
    this.#deadlineAt = performance.now() + deadline;
  }

  get deadline(): number {
    return Math.max(0, this.#deadlineAt - performance.now());
  }

  /** Made on demand, because most functions never ask for it. */
  get signal(): AbortSignal {
    if (!this.#abort) {
      this.#abort = new AbortController();
      if (this.ended) this.#abort.abort(this.ended);
      else if (this.#deadlineAt < Infinity && !this.settled) {
        this.#timer = pageClock.setTimeout(() => this.end('DEADLINE_EXCEEDED'), Math.ceil(this.deadline));
      }
    }
    return this.#abort.signal;
  }

  /** Ends the call, because nobody waits for it any more. */
  end(code: keyof typeof REASONS): void {
    if (this.ended || this.settled) return;
    const reason = new NetError(code, REASONS[code], { tag: this.tag, peer: this.caller.id });
    this.ended = reason;
    pageClock.clearTimeout(this.#timer);
    this.#failReaders(reason);
    this.#abort?.abort(reason);
    // This comes last: it settles the call.
    this.writer?.stop();
  }

  /** The result is a stream. The deadline of the call does not apply to it. */
  becomeStream(writer: StreamWriter): void {
    this.writer = writer;
    this.#deadlineAt = Infinity;
    pageClock.clearTimeout(this.#timer);
  }

  settle(): void {
    this.settled = true;
    pageClock.clearTimeout(this.#timer);
    // A function that still reads an argument after the answer gets the values that have arrived, and then this error.
    this.#failReaders(new NetError('CANCELLED', 'the call has ended'));
  }

  #failReaders(reason: NetError): void {
    for (const reader of this.readers.values()) reader.fail(() => Promise.reject(reason));
  }
}

const REASONS = {
  CANCELLED: 'the caller cancelled the call',
  DEADLINE_EXCEEDED: 'the deadline has passed',
  CONNECTION_LOST: 'the connection to the caller was lost',
} as const;
