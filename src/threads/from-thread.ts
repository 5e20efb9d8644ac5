import type { ForwardHouse, ForwardedCall } from '../calls/callee/threads.ts';
import { Call } from '../calls/caller/call.ts';
import type { OutgoingCalls } from '../calls/caller/outgoing-calls.ts';
import { sentOver } from '../calls/caller/sent-calls.ts';
import type { CallerFrame } from '../connection/messages.ts';
import { readFrame } from '../wire/unread/read-passed-on.ts';
import { Parcel } from '../wire/outgoing.ts';
import type { Outgoing } from '../wire/outgoing.ts';
import { RESULT } from '../wire/usual-frames.ts';
import type { CallsForThreads } from './calls-for-threads.ts';
import type { Job } from './job.ts';
import { Numbers } from './numbers.ts';
import type { ThreadLink } from './port-socket.ts';

/** What happened in a thread, by the lines that came from it. */
export interface Happened {
  job(id: number): Job | undefined;
  /** The call has settled, and its slot is free. */
  settled(job: Job): void;
  /** The thread has come to a call that was taken back. */
  skipped(id: number): void;
  /** A line that is no frame. */
  told(line: string): void;
}

const STREAM = ',"stream":true}';

/** Reads what comes from a thread. Answers to forwarded calls are not read: only their number is replaced. */
export class FromThread {
  readonly #link: ThreadLink;
  readonly #calls: OutgoingCalls;
  readonly #outgoing: CallsForThreads;
  readonly #happened: Happened;
  readonly #numbers = new Numbers();

  /** @param outgoing makes the calls that the thread asks for */
  constructor(link: ThreadLink, calls: OutgoingCalls, outgoing: CallsForThreads, happened: Happened) {
    this.#outgoing = outgoing;
    this.#link = link;
    this.#calls = calls;
    this.#happened = happened;
  }

  /** A line begins at `start` of the text, and ends at `end`. */
  line(text: string, start: number, end: number, binaries: readonly Uint8Array[]): void {
    if (text.startsWith(RESULT, start)) {
      const id = this.#numbers.begin(text, start + RESULT.length).next();
      this.#answer(RESULT, id, text, start, this.#numbers.at - 1, end, binaries);
    } else {
      this.#other(text.slice(start, end), binaries);
    }
  }

  #other(line: string, binaries: readonly Uint8Array[]): void {
    const first = line.charCodeAt(0);
    if (first === 45 /* - */) {
      this.#happened.skipped(Number(line.slice(1)));
      return;
    }
    if (first === 64 /* @ */) {
      const at = line.indexOf(' ');
      this.#outgoing.request(this.#link, line.slice(1, at), line.slice(at + 1), binaries);
      return;
    }
    const [head, type, id] = /^(\{"type":"(\w+)","id":)(\d+)/.exec(line)?.slice(1) ?? [];
    if (head === undefined) {
      this.#happened.told(line);
      return;
    }
    const after = head.length + id!.length;
    const isOfArgument = line.startsWith(',"arg":', after);
    const isOfCaller = type === 'cancel' || type === 'credit';
    if (isOfCaller !== isOfArgument) this.#outgoing.frame(this.#link, readFrame(line, binaries));
    else if (type === 'error' && !isOfArgument)
      this.#answer(head, Number(id), line, 0, after, line.length, binaries);
    else
      this.#read(
        line,
        binaries,
        type === 'complete' && !isOfArgument ? this.#happened.job(Number(id)) : undefined,
      );
  }

  /** @param head the line up to the number of the call, which ends at `after` */
  #answer(
    head: string,
    id: number,
    text: string,
    start: number,
    after: number,
    end: number,
    binaries: readonly Uint8Array[],
  ): void {
    const job = this.#happened.job(id);
    if (!job) return;
    const isStream = end - after === STREAM.length && text.startsWith(STREAM, after);
    const { forwarded: call, house } = job;
    if (call && !isStream) {
      this.#happened.settled(job);
      job.forget();
      const line = head + call.id + text.slice(after, end);
      const answer: Outgoing = binaries.length === 0 ? line : new Parcel(line, binaries);
      house!.answered(call, answer);
      return;
    }
    if (call) this.#beginStream(job, call, house!);
    this.#read(text.slice(start, end), binaries, isStream ? undefined : job);
  }

  /** A forwarded call returned a stream. From here on it is a call of this thread, whose result is passed on. */
  #beginStream(job: Job, call: ForwardedCall, house: ForwardHouse): void {
    // From now on the end of the call ends the stream.
    job.forget();
    const { record } = this.#link;
    const resolve = (stream: unknown): void => house.streamed(call, stream as AsyncIterable<unknown>);
    job.call = new Call(
      record,
      job.tag,
      [],
      Infinity,
      Infinity,
      resolve,
      undefined,
      undefined,
      undefined,
      '',
      0,
      undefined,
    );
    job.call.id = job.id;
    job.call.link = this.#link;
    sentOver(this.#link).pending.add(job.call);
  }

  /** @param last the job that the frame settles */
  #read(line: string, binaries: readonly Uint8Array[], last: Job | undefined): void {
    const frame = readFrame(line, binaries) as CallerFrame;
    if (last) this.#happened.settled(last);
    this.#calls.receive({ type: 'frames.received', link: this.#link, frames: [frame] });
  }
}
