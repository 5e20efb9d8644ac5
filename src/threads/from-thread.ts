import { Call } from '../calls/caller/call.ts';
import type { OutgoingCalls } from '../calls/caller/outgoing-calls.ts';
import { sentOver } from '../calls/caller/sent-calls.ts';
import type { CallerFrame } from '../connection/messages.ts';
import { readFrame } from '../wire/read-passed-on.ts';
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

  /** @param outgoing makes the calls that the thread asks for */
  constructor(link: ThreadLink, calls: OutgoingCalls, outgoing: CallsForThreads, happened: Happened) {
    this.#outgoing = outgoing;
    this.#link = link;
    this.#calls = calls;
    this.#happened = happened;
  }

  line(line: string, binaries: readonly Uint8Array[]): void {
    if (line.startsWith(RESULT)) {
      const numbers = new Numbers(line, RESULT.length);
      const id = numbers.next();
      this.#answer(RESULT, id, line, numbers.at - 1, binaries);
      return;
    }
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
    else if (type === 'error' && !isOfArgument) this.#answer(head, Number(id), line, after, binaries);
    else
      this.#read(
        line,
        binaries,
        type === 'complete' && !isOfArgument ? this.#happened.job(Number(id)) : undefined,
      );
  }

  /** @param head the line up to the number of the call, which ends at `after` */
  #answer(head: string, id: number, line: string, after: number, binaries: readonly Uint8Array[]): void {
    const job = this.#happened.job(id);
    if (!job) return;
    const isStream = line.length === after + STREAM.length && line.endsWith(STREAM);
    if (job.forwarded && isStream) {
      this.#beginStream(job);
    } else if (job.forwarded) {
      const { call, house } = job.forwarded;
      this.#happened.settled(job);
      const text = head + call.id + line.slice(after);
      const answer: Outgoing = binaries.length === 0 ? text : new Parcel(text, binaries);
      house.answered(call, answer);
      return;
    }
    this.#read(line, binaries, isStream ? undefined : job);
  }

  /** A forwarded call returned a stream. From here on it is a call of this thread, whose result is passed on. */
  #beginStream(job: Job): void {
    const { call, house } = job.forwarded!;
    job.forwarded = undefined;
    // From now on the end of the call ends the stream.
    call.withdraw = undefined;
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
