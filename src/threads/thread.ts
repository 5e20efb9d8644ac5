import { receiveMessageOnPort } from 'node:worker_threads';
import type { MessagePort, Worker } from 'node:worker_threads';

import { unawaited, warnOfUnforeseen } from '../base/unforeseen.ts';
import { messageOf } from '../base/text.ts';
import { IdTable } from '../calls/id-table.ts';
import type { OutgoingCalls } from '../calls/caller/outgoing-calls.ts';
import { sentOver } from '../calls/caller/sent-calls.ts';
import type { PeerRecord } from '../connection/link/link.ts';
import type { Limits } from '../wire/frames.ts';
import { encodeCancel, encodeLateCancel } from '../wire/stream-frames.ts';
import type { PassedOn } from '../wire/unread/unread-request.ts';
import { REQUEST } from '../wire/usual-frames.ts';
import { Callers, toldLine } from './callers.ts';
import { FromThread } from './from-thread.ts';
import type { CallsForThreads } from './calls-for-threads.ts';
import type { Job, JobThread } from './job.ts';
import { PortSocket, ThreadLink, eachLine, isPortMessage } from './port-socket.ts';
import { FORWARDED, PACE, SLOT, SLOTS, change, makeSlots } from './slots.ts';
import { spawn } from './spawn.ts';
import type { SpawnInput } from './spawn.ts';

/** The pool of a thread. */
export interface ThreadHouse {
  readonly calls: OutgoingCalls;
  /** Makes the calls that threads ask for. */
  readonly outgoing: CallsForThreads;
  /** The local peer, as the record that local calls go to. */
  readonly record: PeerRecord;
  /** Answers have arrived, and the thread may have room. */
  answered(thread: Thread): void;
  /** Nobody waits for the call any more, and its function has begun. */
  cancelled(job: Job, late: boolean): void;
  /** The file cannot be used in a thread. */
  refused(thread: Thread, why: string): void;
  /** The thread has ended. Its jobs are given back: those that had begun, and those that had not. */
  ended(thread: Thread, why: string, begun: Job[], waiting: Job[]): void;
}

/** Nothing is too large for a call within a process. */
const UNLIMITED: Limits = { message: Number.MAX_SAFE_INTEGER, calls: Number.MAX_SAFE_INTEGER };

/**
 * A thread that has this many short calls to do is told of more with its next answers. Each message costs as much as some ten
 * calls.
 */
const ENOUGH = 64;

/** What follows the slot in the line of a request that came just now. Few parts make little garbage. */
const AT_ONCE = `,0,${FORWARDED}${REQUEST}`;

const CUT_OFF = 'it closed its port to the main thread';

/** A thread that ends closes its port first. If it has not ended after this time, in ms, only its port is closed. */
const EXIT = 100;

const UNLOADED =
  ', before it had loaded the file of its functions (a top-level await that nothing settles ends a thread, too)';

const NONE: readonly Uint8Array[] = [];

/** One worker thread, as the main thread sees it. */
export class Thread implements JobThread {
  readonly link: ThreadLink;
  /** Calls that it was given and that have not settled, by number. */
  readonly jobs = new IdTable<Job>();
  /** It has loaded its file. */
  ready = false;
  /** Why it is being ended from here; undefined while it is not. */
  ending: string | undefined;
  readonly #house: ThreadHouse;
  readonly #worker: Worker;
  readonly #port: MessagePort;
  readonly #socket: PortSocket;
  readonly #callers: Callers;
  readonly #slots = makeSlots();
  readonly #free = Array.from({ length: SLOTS }, (_, slot) => slot);
  /** Calls that were taken back, until the thread has skipped them: their slots, by number. */
  readonly #skipped = new Map<number, number>();
  readonly #from: FromThread;
  /** What made it end. */
  #error: { value: unknown } | undefined;
  #over = false;
  #unfollow: (() => void) | undefined;

  /** @throws Error when it cannot be started */
  constructor(house: ThreadHouse, input: Omit<SpawnInput, 'slots'>) {
    this.#house = house;
    const { worker, port } = spawn({ ...input, slots: this.#slots });
    this.#worker = worker;
    this.#port = port;
    this.#socket = new PortSocket(port);
    this.#socket.holds = () => this.pace < Infinity && this.jobs.size - this.#socket.lines >= ENOUGH;
    this.link = new ThreadLink(house.record, this.#socket, UNLIMITED);
    this.link.cancelled = (id, late) => this.#cancelled(id, late);
    this.#callers = new Callers((line) => this.#socket.write(line));
    this.#socket.write(toldLine(0, house.record, UNLIMITED));
    this.#from = new FromThread(this.link, house.calls, house.outgoing, {
      job: (id) => this.jobs.get(id),
      settled: (job) => this.#remove(job),
      skipped: (id) => this.#skip(id),
      told: (line) => this.#told(line),
    });
    house.calls.receive({ type: 'link.opened', link: this.link });
    port.on('message', (message: unknown) => this.#receive(message));
    port.on('messageerror', (error) => this.#cutOff(error));
    port.on('close', () => setTimeout(() => this.#cutOff(new Error(CUT_OFF)), EXIT).unref());
    port.unref();
    worker.on('error', (error: unknown) => (this.#error = { value: error }));
    worker.on('exit', (code) => this.#exited(code));
  }

  /** Calls that it has and may have to run. */
  get load(): number {
    return this.jobs.size;
  }

  /** How long its calls took lately, in ms; Infinity if that is unknown. */
  get pace(): number {
    return Atomics.load(this.#slots, PACE) / 1_000 || Infinity;
  }

  hasBegun({ slot }: Job): boolean {
    return Atomics.load(this.#slots, slot) !== SLOT.WAITS;
  }

  get hasRoom(): boolean {
    return this.#free.length > 0;
  }

  /** Gives it a call. @param now on the clock */
  start(job: Job, now: number): void {
    const slot = this.#free.pop()!;
    job.slot = slot;
    Atomics.store(this.#slots, slot, SLOT.WAITS);
    const ago = Math.round(now - job.since);
    if (job.forwarded) this.#forward(job, job.forwarded.link, job.request!, ago);
    else this.#call(job, ago);
  }

  #forward(
    job: Job,
    { record, limits }: { record: PeerRecord; limits: Limits },
    { rest, binaries }: PassedOn,
    ago: number,
  ): void {
    const sent = sentOver(this.link);
    sent.last += 1;
    job.id = sent.last;
    this.jobs.add(job);
    const caller = this.#callers.textOf(record, limits);
    const before = ago === 0 ? AT_ONCE : `,${ago},${FORWARDED}${REQUEST}`;
    const line = caller + job.slot + before + job.id + rest;
    if (binaries.length === 0) this.#socket.write(line);
    else this.#socket.move(line, binaries);
  }

  #call(job: Job, ago: number): void {
    const call = job.call!;
    const { caller } = job;
    const from = caller ? this.#callers.textOf(caller.record, caller.limits) : '0,';
    this.link.prefix = `${from}${job.slot},${ago},0`;
    const { record, calls } = this.#house;
    record.link = this.link;
    calls.receive(call);
    record.link = undefined;
    if (call.link) {
      job.id = call.id;
      this.jobs.add(job);
    } else {
      // It failed before it was sent.
      this.link.prefix = '';
      this.#free.push(job.slot);
    }
  }

  takeBack(job: Job): boolean {
    if (!change(this.#slots, job.slot, SLOT.WAITS, SLOT.TAKEN_BACK)) return false;
    this.jobs.delete(job.id);
    this.#skipped.set(job.id, job.slot);
    return true;
  }

  cancel(job: Job, late: boolean): void {
    this.#socket.write(late ? encodeLateCancel(job.id) : encodeCancel(job.id));
    this.#socket.flush();
    this.#cancelled(job.id, late);
  }

  /** A function that computes sees this and no message. */
  #cancelled(id: number, late: boolean): void {
    const job = this.jobs.get(id);
    if (!job || job.killAt < Infinity) return;
    if (change(this.#slots, job.slot, SLOT.WAITS, SLOT.TAKEN_BACK)) {
      this.jobs.delete(id);
      this.#skipped.set(id, job.slot);
      sentOver(this.link).abandoned?.delete(id);
      this.#house.answered(this);
      return;
    }
    change(this.#slots, job.slot, SLOT.BEGAN, late ? SLOT.LATE : SLOT.CANCELLED);
    this.#house.cancelled(job, late);
  }

  end(why: string): Promise<unknown> {
    this.ending ??= why;
    return this.#worker.terminate();
  }

  #receive(message: unknown): void {
    if (typeof message === 'string') eachLine(message, this.#plainLine);
    else if (isPortMessage(message)) this.#line(message.line, 0, message.line.length, message.binaries);
    // Code of the user's in the thread can reach the port, and has posted something of its own.
    else return;
    if (this.#over) return;
    this.#house.answered(this);
    this.#socket.flush();
  }

  readonly #plainLine = (text: string, start: number, end: number): void =>
    this.#line(text, start, end, NONE);

  #line(text: string, start: number, end: number, binaries: readonly Uint8Array[]): void {
    try {
      this.#from.line(text, start, end, binaries);
    } catch (error) {
      warnOfUnforeseen('with what came from a thread', error);
    }
  }

  #remove(job: Job): void {
    this.jobs.delete(job.id);
    this.#free.push(job.slot);
  }

  #skip(id: number): void {
    const slot = this.#skipped.get(id);
    if (slot === undefined) return;
    this.#skipped.delete(id);
    this.#free.push(slot);
  }

  #told(line: string): void {
    if (line === '!ready') {
      this.ready = true;
    } else if (line === '?') {
      this.#unfollow ??= this.#house.outgoing.follow((told) => this.#socket.write(told));
    } else {
      this.#house.refused(this, JSON.parse(line.slice('!failed '.length)) as string);
    }
  }

  /** Nothing it answers arrives any more, so that its calls would wait for ever. */
  #cutOff(error: unknown): void {
    if (this.#over || this.ending !== undefined) return;
    this.#error ??= { value: error };
    unawaited('while a thread ended', this.#worker.terminate());
  }

  #exited(code: number): void {
    // What it sent before its end may not have arrived as events yet.
    for (let next = receiveMessageOnPort(this.#port); next; next = receiveMessageOnPort(this.#port)) {
      this.#receive(next.message);
    }
    this.#over = true;
    this.#unfollow?.();
    this.#house.outgoing.closed(this.link);
    this.#port.close();
    const how = this.#error ? `an error: ${messageOf(this.#error.value)}` : `process.exit(${code})`;
    const when = this.ready ? '' : UNLOADED;
    const why = this.ending ?? `its thread ended with ${how}${when}`;
    const jobs = this.jobs.values();
    this.jobs.clear();
    this.#house.ended(
      this,
      why,
      jobs.filter((job) => this.hasBegun(job)),
      jobs.filter((job) => !this.hasBegun(job)),
    );
    this.#house.calls.receive({ type: 'link.closed', link: this.link });
  }
}
