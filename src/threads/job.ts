import type { ForwardHouse, ForwardedCall, Withdrawable } from '../calls/callee/threads.ts';
import type { Call } from '../calls/caller/call.ts';
import { sentOver } from '../calls/caller/sent-calls.ts';
import type { Link } from '../connection/link/link.ts';
import type { PassedOn } from '../wire/unread/unread-request.ts';

/** The thread that has a job. */
export interface JobThread {
  /** Whether it has loaded its file. */
  readonly ready: boolean;
  hasBegun(job: Job): boolean;
  /** Takes the job back, if its function has not begun. @returns whether it had not */
  takeBack(job: Job): boolean;
  /** Tells the function of a forwarded call that nobody waits for it. */
  cancel(job: Job, late: boolean): void;
  /** Ends the thread. Calls whose function has begun are lost. */
  end(why: string): Promise<unknown>;
}

/** The pool that a job was given to. */
export interface JobPool {
  /** Nobody waits for the result of a forwarded call any more. @param late its deadline has passed */
  withdraw(job: Job, late: boolean): void;
}

/**
 * One call for a thread. It is either forwarded, or a call that is made here; a forwarded call with a stream becomes one. A forwarded
 * call has no object but this one, and is forgotten with its answer: the garbage of such calls once took half of the main thread's
 * time.
 */
export class Job implements Withdrawable {
  readonly tag: string;
  /** Owners take turns. */
  readonly owner: object;
  readonly #pool: JobPool;
  /** The call of another process. The thread reads its request, and the answer goes back as the thread wrote it. */
  forwarded: ForwardedCall | undefined;
  /** The request of such a call, as it came. */
  request: PassedOn | undefined;
  /** Takes the answer to such a call. */
  house: ForwardHouse | undefined;
  call: Call | undefined;
  /** The way to the peer that calls, for a call that is made here; undefined if this process itself calls. */
  caller: Link | undefined;
  /** When the call came, on the clock. */
  readonly since: number;
  /** When it is late, on the clock. */
  readonly deadlineAt: number;
  /** Undefined while it waits. */
  thread: JobThread | undefined;
  /** Its number in its thread. */
  id = 0;
  slot = 0;
  /** When its thread is ended, on the clock; Infinity while somebody waits for it. */
  killAt = Infinity;
  /** Why it will be. */
  killFor = '';

  constructor(tag: string, owner: object, pool: JobPool, since: number, deadlineAt: number) {
    this.tag = tag;
    this.owner = owner;
    this.#pool = pool;
    this.forwarded = undefined;
    this.request = undefined;
    this.house = undefined;
    this.call = undefined;
    this.caller = undefined;
    this.since = since;
    this.deadlineAt = deadlineAt;
    this.thread = undefined;
  }

  /** Makes it a call of another process. */
  forward(call: ForwardedCall, request: PassedOn, house: ForwardHouse): void {
    this.forwarded = call;
    this.request = request;
    this.house = house;
    call.waitsFor = this;
  }

  /** The call has its answer, or becomes a call that is made here. */
  forget(): void {
    if (this.forwarded) this.forwarded.waitsFor = undefined;
    this.forwarded = undefined;
    this.request = undefined;
    this.house = undefined;
  }

  get hasBegun(): boolean {
    return this.thread?.hasBegun(this) === true;
  }

  withdraw(): void {
    if (this.forwarded) this.#pool.withdraw(this, this.forwarded.ended?.code === 'DEADLINE_EXCEEDED');
  }

  /** Makes it as it was before its thread got it. @returns whether it can be given to another one */
  reset(): boolean {
    const { call } = this;
    this.thread = undefined;
    if (this.request) return this.request.binaries.length === 0;
    if (!call || call.settled || call.writers || !call.link) return false;
    sentOver(call.link).pending.delete(call.id);
    call.link = undefined;
    call.release?.();
    return true;
  }
}
