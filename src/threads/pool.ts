import { Alarm } from '../base/time/alarm.ts';
import type { Clock } from '../base/time/clock.ts';
import { NetError } from '../base/errors.ts';
import { readableTag } from '../base/tag.ts';
import { messageOf } from '../base/text.ts';
import type { Limited, Load, LoadWatcher } from '../calls/callee/limited.ts';
import { FairQueue } from '../calls/callee/fair-queue.ts';
import { OutgoingCalls } from '../calls/caller/outgoing-calls.ts';
import type { PeerRecord } from '../connection/link/link.ts';
import { Breaker } from './breaker.ts';
import type { Refusal } from './breaker.ts';
import type { CallsForThreads } from './calls-for-threads.ts';
import type { Job, JobPool } from './job.ts';
import { loadOf, mostWaiting, readyPlaces } from './loading.ts';
import { failJob, failUnbegun, letWait } from './settling.ts';
import { Spare } from './spare.ts';
import { Thread } from './thread.ts';
import type { ThreadHouse } from './thread.ts';
import type { ThreadSettings } from './thread-options.ts';

/** Where a pool belongs to. */
export interface PoolInput {
  clock: Clock;
  /** Whether thrown errors are sent with their stack. */
  stacks: boolean;
  /** The local peer, as the record that calls from this process go to. */
  record: PeerRecord;
  /** Makes the calls that threads ask for. */
  outgoing: CallsForThreads;
}

/** A thread is given calls ahead of time while they take less than this together, in ms. */
const AHEAD = 2;

const MOST_AHEAD = 256;

/** The threads that run the functions of one file, and the calls that wait for them. */
export class ThreadPool implements ThreadHouse, JobPool, Limited {
  readonly calls: OutgoingCalls;
  readonly outgoing: CallsForThreads;
  readonly record: PeerRecord;
  readonly settings: ThreadSettings;
  readonly watchers = new Set<LoadWatcher>();
  readonly counts = { started: 0, crashed: 0, killed: 0 };
  readonly #input: PoolInput;
  readonly #file: string;
  readonly #threads = new Set<Thread>();
  readonly #spare = new Spare();
  readonly #queue = new FairQueue<Job>();
  readonly #breaker: Breaker;
  readonly #alarm: Alarm;
  /** Threads that are ending, until they have ended. */
  readonly #endings = new Set<Promise<unknown>>();
  /** Why nothing runs any more; undefined while it does. */
  #over: string | undefined;

  constructor(input: PoolInput, file: string, settings: ThreadSettings) {
    this.#input = input;
    this.#file = file;
    this.settings = settings;
    this.outgoing = input.outgoing;
    this.record = { ...input.record };
    const { clock, stacks } = input;
    this.calls = new OutgoingCalls({ clock, queue: 0, holds: true, stacks });
    this.calls.wake = () => this.calls.receive({ type: 'deadline.passed' });
    this.calls.cancel = (call, reason) => this.calls.receive({ type: 'call.cancel', call, reason });
    this.#breaker = new Breaker(() => this.now());
    this.#alarm = new Alarm(clock, () => this.#sweep());
  }

  /** @param tag counts only calls of this function */
  figures(tag?: string): { threads: number; running: number; waiting: number } {
    const isMeant = (job: Job): boolean => tag === undefined || job.tag === tag;
    let running = 0;
    let waiting = this.#queue.all().filter(isMeant).length;
    for (const thread of this.#threads) {
      for (const job of thread.jobs.values()) {
        if (!isMeant(job)) continue;
        if (thread.hasBegun(job)) running += 1;
        else waiting += 1;
      }
    }
    return { threads: this.#threads.size, running, waiting };
  }

  /** Of all its functions: they share the threads. */
  get load(): Load {
    return { ...this.figures(), limit: readyPlaces(this.#threads, this.settings.places) };
  }

  get hasRoom(): boolean {
    return readyPlaces(this.#threads, this.settings.places) > loadOf(this.#threads) + this.#queue.size;
  }

  /** Loads the file in one thread, so that the first call need not wait for that. */
  warm(tag: string): void {
    if (this.#threads.size === 0 && this.#over === undefined && !this.#breaker.refusal) this.#spawn(tag);
  }

  get isOver(): boolean {
    return this.#over !== undefined;
  }

  now(): number {
    return this.#input.clock.now();
  }

  /** Runs the job, lets it wait, or fails it. */
  add(job: Job): void {
    if (this.#over !== undefined) {
      failJob(this.calls, job, 'STOPPED', this.#over, 'no');
      return;
    }
    // Calls that a thread was given ahead of time wait, too.
    const isFull = this.#free + this.settings.queue <= 0;
    const thread = this.#queue.size === 0 && !isFull ? this.#freeThread(job) : undefined;
    const refusal = this.#threads.size === 0 ? this.#breaker.refusal : undefined;
    if (thread) {
      this.#start(thread, job, this.now());
    } else if (refusal) {
      failJob(this.calls, job, refusal.code, refusal.text, 'no');
    } else if (isFull) {
      const { running, waiting } = this.figures();
      const text = `${running} calls run in threads and ${waiting} wait (threads, concurrency and queue of the function); try another peer, or later`;
      failJob(this.calls, job, 'OVERLOADED', text, 'no');
    } else {
      this.#queue.push(job.owner, job);
      letWait(this.calls, job, () => this.#queue.remove(job.owner, job));
      this.#alarm.wakeBy(job.deadlineAt);
    }
    if (!job.forwarded) this.#changed();
  }

  withdraw(job: Job, late: boolean): void {
    const { thread } = job;
    if (thread === undefined ? this.#queue.remove(job.owner, job) : thread.takeBack(job)) {
      failUnbegun(this.calls, job, late, thread?.ready === false ? this.#file : undefined);
      this.#pump();
    } else {
      thread?.cancel(job, late);
    }
  }

  /** Ends all threads. Resolves when they have ended. */
  async end(why: string): Promise<void> {
    this.#over = why;
    this.#alarm.clear();
    for (let job = this.#queue.take(); job; job = this.#queue.take())
      failJob(this.calls, job, 'STOPPED', why, 'no');
    for (const thread of this.#threads) this.#end(thread, why);
    this.#endSpare(why);
    await Promise.all(this.#endings);
  }

  answered(thread: Thread): void {
    this.#pump();
    this.#changed();
    if (thread.load === 0 && this.#queue.size === 0 && this.#threads.has(thread)) this.#relieve(thread);
  }

  cancelled(job: Job, late: boolean): void {
    const { kill } = this.settings;
    if (kill === Infinity) return;
    job.killAt = this.now() + kill;
    const when = late ? 'after the deadline of the call' : 'after the call was cancelled';
    job.killFor = `its thread was ended, because ${readableTag(job.tag)} still ran ${kill} ms ${when} (the option kill)`;
    this.#alarm.wakeBy(this.#preparesAt(job));
  }

  /** When a thread is prepared that takes the place of the job's. */
  #preparesAt({ killAt }: Job): number {
    return killAt - this.settings.kill / 2;
  }

  #changed(): void {
    if (this.watchers.size > 0) for (const watcher of this.watchers) watcher.changed();
  }

  refused(thread: Thread, why: string): void {
    const text = `${this.#file} cannot be loaded in a thread: ${why}`;
    this.#broken(text);
    this.#end(thread, text);
  }

  ended(thread: Thread, why: string, begun: Job[], waiting: Job[]): void {
    this.#threads.delete(thread);
    this.#spare.forget(thread);
    const crashed = thread.ending === undefined && this.#over === undefined;
    if (crashed) {
      this.counts.crashed += 1;
      this.#breaker.crashed(why);
    }
    for (const job of begun)
      failJob(this.calls, job, 'THREAD_LOST', why, job.call?.reader ? 'yes' : 'unknown');
    for (const job of waiting.toReversed()) this.#again(job, why);
    this.#pump();
    // The next call would have to wait for the start of a thread.
    const tag = begun[0]?.tag;
    if (crashed && tag !== undefined && this.#threads.size === 0 && !this.#breaker.refusal) this.#spawn(tag);
  }

  /** The thread has ended before the function began: the call goes to another one. */
  #again(job: Job, why: string): void {
    if (this.#over !== undefined || !job.reset()) {
      failJob(this.calls, job, 'THREAD_LOST', why, 'no');
      return;
    }
    this.#queue.putBack(job.owner, job);
    letWait(this.calls, job, () => this.#queue.remove(job.owner, job));
    this.#alarm.wakeBy(job.deadlineAt);
  }

  #start(thread: Thread, job: Job, now: number): void {
    job.thread = thread;
    if (job.forwarded) this.#alarm.wakeBy(job.deadlineAt);
    job.call?.release?.();
    thread.start(job, now);
  }

  /** Calls that it runs at the same time. */
  get #places(): number {
    const { threads, places } = this.settings;
    return threads * places;
  }

  /** Places that no call has; below 0 if calls wait. */
  get #free(): number {
    return this.#places - this.#queue.size - loadOf(this.#threads);
  }

  /** A thread for the call; undefined while all have enough. */
  #freeThread({ tag, call }: Job): Thread | undefined {
    let best: Thread | undefined;
    for (const thread of this.#threads) {
      if (thread.hasRoom && (!best || thread.load < best.load)) best = thread;
    }
    const { places, threads } = this.settings;
    if (best && best.load < places) return best;
    if (this.#threads.size < threads && !this.#breaker.refusal) return this.#spawn(tag);
    // Streams begin with their call, and a thread that has not begun with it would miss their first values.
    if (call?.given) return undefined;
    return best && best.load < places + Math.min(MOST_AHEAD, Math.floor(AHEAD / best.pace))
      ? best
      : undefined;
  }

  #spawn(tag: string): Thread | undefined {
    const thread = this.#spare.take() ?? this.#make(tag);
    if (thread) this.#threads.add(thread);
    return thread;
  }

  #make(tag: string): Thread | undefined {
    const { places, resourceLimits } = this.settings;
    try {
      const input = { file: this.#file, tag, places, resourceLimits, stacks: this.#input.stacks };
      const thread = new Thread(this, input);
      this.counts.started += 1;
      return thread;
    } catch (error) {
      this.#broken(messageOf(error));
      return undefined;
    }
  }

  #broken(text: string): void {
    if (this.#over !== undefined) return;
    if (this.#breaker.broken(text)) process.emitWarning(text, 'AppNetWarning');
  }

  /** Gives calls that wait to threads with room. */
  #pump(): void {
    if (this.#queue.size === 0) return;
    const now = this.now();
    for (let job = this.#queue.peek(); job; job = this.#queue.peek()) {
      const thread = this.#freeThread(job);
      const refusal: Refusal | undefined = this.#threads.size === 0 ? this.#breaker.refusal : undefined;
      if (!thread && !refusal) return;
      this.#queue.take();
      if (thread) this.#start(thread, job, now);
      else failJob(this.calls, job, refusal!.code, refusal!.text, 'no');
    }
  }

  /** An idle thread takes over half of what waits in the busiest one. */
  #relieve(idle: Thread): void {
    const most = mostWaiting(this.#threads, this.settings.places);
    if (!most || most.thread === idle) return;
    const { thread: busiest, half } = most;
    for (const job of busiest.jobs.values().slice(-half)) {
      if (job.request?.binaries.length === 0 && busiest.takeBack(job)) this.#start(idle, job, this.now());
    }
  }

  /** Ends what is late, and threads whose function does not stop. */
  #sweep(): void {
    const now = this.now();
    let next = Infinity;
    const jobs = this.#queue.all();
    for (const thread of this.#threads) jobs.push(...thread.jobs.values());
    for (const job of jobs) {
      const { forwarded, thread } = job;
      if (job.killAt <= now) {
        const has = [...this.#threads].find((each) => each === thread);
        if (has) this.#kill(has, job);
      } else if (job.killAt < Infinity) {
        const preparesAt = this.#preparesAt(job);
        if (preparesAt <= now) this.#prepare(job.tag);
        next = Math.min(next, preparesAt <= now ? job.killAt : preparesAt);
      } else if (job.deadlineAt > now) {
        next = Math.min(next, job.deadlineAt);
      } else if (forwarded) {
        const text = 'the deadline passed, and the caller no longer waits';
        forwarded.end(new NetError('DEADLINE_EXCEEDED', text, { tag: job.tag }));
        next = Math.min(next, job.killAt);
      } else if (!thread && this.#queue.remove(job.owner, job)) {
        const text = 'the deadline passed before a thread was free';
        failJob(this.calls, job, 'DEADLINE_EXCEEDED', text, 'no');
      }
    }
    if (this.#spare.endsAt <= now) this.#endSpare('it was not needed');
    this.#alarm.wakeBy(Math.min(next, this.#spare.endsAt));
  }

  /** Another thread takes its place at once, and one is prepared for the next time. */
  #kill(thread: Thread, job: Job): void {
    this.counts.killed += 1;
    this.#end(thread, job.killFor);
    if (this.#over !== undefined || this.#breaker.refusal) return;
    this.#spawn(job.tag);
    this.#pump();
    this.#prepare(job.tag);
  }

  #prepare(tag: string): void {
    if (this.#over === undefined && !this.#breaker.refusal)
      this.#spare.prepare(this.now(), () => this.#make(tag));
  }

  #endSpare(why: string): void {
    for (const spare of this.#spare.takeAll()) this.#end(spare, why);
  }

  #end(thread: Thread, why: string): void {
    this.#threads.delete(thread);
    const ending = thread.end(why).finally(() => this.#endings.delete(ending));
    this.#endings.add(ending);
  }
}
