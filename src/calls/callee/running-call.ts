import type { Clock } from '../../base/time/clock.ts';
import { LONGEST_TIMER } from '../../base/time/clock.ts';
import { beginTracking, endTracking } from '../context.ts';
import type { OuterCall } from '../context.ts';
import { NetError } from '../../base/errors.ts';
import type { RemotePeer } from '../../presence/set/remote-peer.ts';
import { NO_META, readTrace } from '../../wire/beside.ts';
import type { CallMeta, TraceContext, WireTrace } from '../../wire/beside.ts';
import type { RequestFrame } from '../../wire/frames.ts';
import type { CallEnd } from '../call-end.ts';
import type { Link } from '../../connection/link/link.ts';
import type { StreamReader } from '../streams/stream-reader.ts';
import type { StreamWriter } from '../streams/stream-writer.ts';
import type { Withdrawable } from './threads.ts';
import type { Turns } from './turns.ts';

/** What all calls that run here share. */
export interface RunningCallHouse {
  readonly clock: Clock;
  remotePeer(link: Link): RemotePeer;
  /** Looks whether the call has ended, where a function that computes keeps the news of it from arriving. */
  readonly poll: ((call: RunningCall) => void) | undefined;
  /** This many arguments that are streams, of a call on this link, have ended. */
  ended(link: Link, streams: number): void;
}

/** A call of another peer whose function has not settled. It is also the context that the function can ask for. */
export class RunningCall implements OuterCall {
  readonly link: Link;
  readonly id: number;
  readonly tag: string;
  /** When its request was read, on the clock. */
  readonly receivedAt: number;
  /** Whether it was entered into the storage that follows a function across its waits. */
  tracked = false;
  settled = false;
  bare = false;
  /** The writer of its result, when that is a stream. */
  writer: StreamWriter | undefined;
  /** The readers of its arguments that are streams, by position. */
  readers: Map<number, StreamReader> | undefined;
  /** Where it has a place while its function runs; undefined for a function without a limit. */
  turns: Turns | undefined;
  /** Set while it waits for a place, or for the answer of a thread. */
  waitsFor: Withdrawable | undefined;
  /** Why nobody waits for it any more; undefined while the caller waits. */
  ended: NetError | undefined;
  /** The call as hooks see it; they may change its meta. */
  hooked: { readonly meta: CallMeta } | undefined;
  /** What the function, and each step of its stream, runs inside. */
  enter: (<T>(step: () => T) => T) | undefined;
  /** Somebody wants to know how it ends. */
  onEnd: ((end: CallEnd) => void) | undefined;

  readonly #house: RunningCallHouse;
  readonly #headers: CallMeta | undefined;
  /** What the calls made inside it take over; those who watch calls may change it. */
  travels: WireTrace | undefined;
  /** On the clock. */
  #deadlineAt: number;
  #abort: AbortController | undefined;
  #timer: unknown;

  constructor(house: RunningCallHouse, link: Link, request: RequestFrame, receivedAt: number) {
    this.#house = house;
    this.link = link;
    // Not the request itself: the arguments may be large, and need not live as long as the call.
    this.id = request.id;
    this.tag = request.tag;
    this.#headers = request.headers;
    this.travels = request.trace;
    this.receivedAt = receivedAt;
    this.#deadlineAt = receivedAt + (request.deadline ?? Infinity);
  }

  get caller(): RemotePeer {
    return this.#house.remotePeer(this.link);
  }

  /** Until when its caller waits, on the clock. */
  get deadlineAt(): number {
    return this.#deadlineAt;
  }

  get deadline(): number {
    return Math.max(0, this.#deadlineAt - this.#house.clock.now());
  }

  get meta(): CallMeta {
    return this.hooked?.meta ?? this.#headers ?? NO_META;
  }

  get trace(): TraceContext | undefined {
    return readTrace(this.travels);
  }

  /** Made on demand, because most functions never ask for it. */
  get signal(): AbortSignal {
    this.#house.poll?.(this);
    if (!this.#abort) {
      this.#abort = new AbortController();
      if (this.ended) this.#abort.abort(this.ended);
      else this.#watchDeadline();
    }
    return this.#abort.signal;
  }

  /** Ends the call, because nobody waits for it any more. */
  end(reason: NetError): void {
    if (this.ended || this.settled) return;
    this.ended = reason;
    this.#clearTimer();
    for (const reader of this.readers?.values() ?? []) reader.fail(() => Promise.reject(reason));
    this.#abort?.abort(reason);
    // These come last. They settle the call: one ends a result that is a stream, the other a call that has not started.
    this.writer?.stop();
    this.waitsFor?.withdraw();
  }

  /** The result is a stream. The deadline of the call does not apply to it. */
  becomeStream(writer: StreamWriter): void {
    this.writer = writer;
    this.#deadlineAt = Infinity;
    this.#clearTimer();
  }

  /** Its function goes on after its return, and finds the call in the storage. */
  track(): void {
    this.tracked = true;
    beginTracking();
  }

  /** @param forget the function did not go on after all */
  untrack(forget: boolean): void {
    this.tracked = false;
    endTracking(forget);
  }

  settle(): void {
    this.settled = true;
    this.#clearTimer();
    if (!this.readers) return;
    this.#house.ended(this.link, this.readers.size);
    // A function that still reads an argument after the answer gets the values that have arrived, and then this error.
    for (const reader of this.readers.values()) {
      reader.fail(() => Promise.reject(new NetError('CANCELLED', `the call to ${this.tag} has ended`)));
    }
  }

  #watchDeadline(): void {
    if (this.#deadlineAt === Infinity || this.settled) return;
    const { clock } = this.#house;
    const passed = (): void => {
      if (this.#deadlineAt - clock.now() > 0) this.#watchDeadline();
      else
        this.end(
          new NetError('DEADLINE_EXCEEDED', 'the deadline passed, and the caller no longer waits', {
            tag: this.tag,
          }),
        );
    };
    this.#timer = clock.setTimeout(passed, Math.min(Math.ceil(this.deadline), LONGEST_TIMER));
  }

  #clearTimer(): void {
    if (this.#timer === undefined) return;
    this.#house.clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
