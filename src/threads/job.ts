import type { ForwardHouse, ForwardedCall } from '../calls/callee/threads.ts';
import type { Call } from '../calls/caller/call.ts';
import { sentOver } from '../calls/caller/sent-calls.ts';
import type { Link } from '../connection/link/link.ts';
import type { PassedOn } from '../wire/unread-request.ts';

/** A request of another process, as it came. The thread reads it, and the answer goes back as the thread wrote it. */
export interface Forwarded {
  readonly call: ForwardedCall;
  readonly request: PassedOn;
  readonly house: ForwardHouse;
}

/** The thread that has a job. */
export interface JobThread {
  /** Whether it has loaded its file. */
  readonly ready: boolean;
  /** Takes the job back, if its function has not begun. @returns whether it had not */
  takeBack(job: Job): boolean;
  /** Tells the function of a forwarded call that nobody waits for it. */
  cancel(job: Job, late: boolean): void;
  /** Ends the thread. Calls whose function has begun are lost. */
  end(why: string): Promise<unknown>;
}

/** One call for a thread. It is either forwarded, or a call that is made here; a forwarded call with a stream becomes one. */
export class Job {
  readonly tag: string;
  /** Owners take turns. */
  readonly owner: object;
  forwarded: Forwarded | undefined;
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

  constructor(
    tag: string,
    owner: object,
    forwarded: Forwarded | undefined,
    call: Call | undefined,
    caller: Link | undefined,
    since: number,
    deadlineAt: number,
  ) {
    this.tag = tag;
    this.owner = owner;
    this.forwarded = forwarded;
    this.call = call;
    this.caller = caller;
    this.since = since;
    this.deadlineAt = deadlineAt;
  }

  /** Makes it as it was before its thread got it. @returns whether it can be given to another one */
  reset(): boolean {
    const { call } = this;
    this.thread = undefined;
    if (this.forwarded) return this.forwarded.request.binaries.length === 0;
    if (!call || call.settled || call.writers || !call.link) return false;
    sentOver(call.link).pending.delete(call.id);
    call.link = undefined;
    call.release?.();
    return true;
  }
}
