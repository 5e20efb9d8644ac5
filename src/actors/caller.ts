import type { ActorLogic, ActorRefFrom } from 'xstate';

import type { Clock } from '../clock.ts';
import { LONGEST_TIMER } from '../clock.ts';
import { isNetErrorCode } from '../errors.ts';
import type { NetErrorCode } from '../errors.ts';
import { holdProcess, releaseProcess } from '../process-hold.ts';
import { readableTag } from '../tag.ts';
import { encodeCancel, encodeRequest } from '../wire/codec.ts';
import { peerLine, reviveThrown } from '../wire/failure.ts';
import type { ErrorFrame, ResultFrame } from '../wire/frames.ts';
import { NotSerializable } from '../wire/not-serializable.ts';
import { fits } from '../wire/outgoing.ts';
import type { Outgoing } from '../wire/outgoing.ts';
import type { Call } from './call.ts';
import { failCall, failWithNetError } from './call-failure.ts';
import type { Link } from './link.ts';
import { LiveSnapshot } from './live-snapshot.ts';
import type { CallerMessage } from './messages.ts';
import type { LeaveReason, PeerRecord } from './peer-record.ts';

/** The actor that knows every call this peer has made and not yet settled. */

export interface CallerCounters {
  /** Calls that were sent and not yet answered. */
  pending: number;
  /** Calls that wait here until their peer has room. */
  waiting: number;
  /** Calls that were settled, in whatever way. */
  settled: number;
}

export interface CallerInput {
  clock: Clock;
  /** Calls to one peer that may wait here. */
  queue: number;
  /** Whether a call under way keeps the process alive; not needed where the peer itself does. */
  holds: boolean;
  /** Whether errors within arguments are sent with their stack. */
  stacks: boolean;
}

export type CallerLogic = ActorLogic<LiveSnapshot<CallerCounters>, CallerMessage, undefined>;
export type CallerRef = ActorRefFrom<CallerLogic>;

/** The logic of one caller. Its state is here and not in the snapshot, which is only there to be read. */
export function createCallerLogic(input: CallerInput): CallerLogic {
  const caller = new Caller(input);
  return {
    getInitialSnapshot: ({ self }) => {
      caller.wake = () => self.send({ type: 'deadline.passed' });
      caller.cancel = (call, reason) => self.send({ type: 'call.cancel', call, reason });
      return caller.snapshot;
    },
    getPersistedSnapshot: (snapshot) => snapshot,
    transition: (snapshot, message) => {
      caller.receive(message);
      return snapshot;
    },
  };
}

class Caller {
  readonly snapshot = new LiveSnapshot<CallerCounters>({ pending: 0, waiting: 0, settled: 0 });
  wake: () => void = () => {};
  cancel: (call: Call, reason: unknown) => void = () => {};

  readonly #counters = this.snapshot.context;
  readonly #clock: Clock;
  readonly #queue: number;
  readonly #holds: boolean;
  readonly #stacks: boolean;
  /** Every link and every peer that has calls, for the walk when a deadline passes. */
  readonly #links = new Set<Link>();
  readonly #queues = new Set<PeerRecord>();
  /** When the one timer fires, on the clock. */
  #wakeAt = Infinity;
  #timer: unknown;
  /** Why nothing is sent any more. */
  #stopped: string | undefined;

  constructor({ clock, queue, holds, stacks }: CallerInput) {
    this.#clock = clock;
    this.#stacks = stacks;
    this.#holds = holds;
    this.#queue = queue;
  }

  receive(message: CallerMessage | { type: 'xstate.stop' }): void {
    switch (message.type) {
      case 'call.send':
        this.#send(message);
        break;
      case 'frames.received':
        for (const frame of message.frames) this.#answered(message.link, frame);
        if (message.link.record.waiting.length > 0) this.#pump(message.link.record);
        break;
      case 'call.cancel':
        this.#cancelled(message.call, message.reason);
        break;
      case 'deadline.passed':
        this.#expire();
        break;
      case 'link.opened':
        this.#links.add(message.link);
        this.#pump(message.link.record);
        break;
      case 'link.drained':
        this.#pump(message.link.record);
        break;
      case 'link.refused':
        this.#refused(message.link, message.last);
        break;
      case 'link.closed':
        this.#lost(message.link);
        break;
      case 'peer.left':
        this.#left(message.record, message.why);
        break;
      case 'caller.stop':
        this.#stop(message.reason);
        break;
      case 'xstate.stop':
        this.#stop('this peer is stopped');
        this.snapshot.status = 'stopped';
        break;
    }
  }

  #send(call: Call): void {
    if (this.#holds) holdProcess();
    if (this.#stopped !== undefined) {
      this.#fail(call, 'STOPPED', this.#stopped);
      return;
    }
    if (call.signal && !this.#watchSignal(call, call.signal)) return;
    const { record } = call;
    if (record.left) {
      this.#fail(call, 'NOT_SENT', leftMessage(record, record.left));
    } else if (call.time <= 0) {
      this.#fail(call, 'DEADLINE_EXCEEDED', 'the deadline had passed before the call was made', 'no');
    } else if (record.waiting.length === 0 && record.link && hasRoom(record.link)) {
      this.#transmit(call, record.link, call.time);
    } else if (record.waiting.length >= this.#queue) {
      const text = `${this.#queue} calls to ${describe(record)} already wait here (limits.queue)`;
      this.#fail(call, 'OVERLOADED', text);
    } else {
      record.waiting.push(call);
      this.#queues.add(record);
      this.#counters.waiting += 1;
      this.#wakeBy(call.deadline);
    }
  }

  /** Whether the call goes on. */
  #watchSignal(call: Call, signal: AbortSignal): boolean {
    if (signal.aborted) {
      this.#settle(call);
      failCall(call, () => signal.reason);
      return false;
    }
    const abort = (): void => this.cancel(call, signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    call.release = () => signal.removeEventListener('abort', abort);
    return true;
  }

  /** @param left how long the caller will still wait, in ms */
  #transmit(call: Call, link: Link, left: number): void {
    const id = link.lastSent + 1;
    let request: Outgoing;
    try {
      const deadline = left < Infinity ? Math.ceil(left) : undefined;
      request = encodeRequest(id, call.tag, call.args, deadline, this.#stacks);
    } catch (error) {
      this.#failEncoding(call, error);
      return;
    }
    if (!fits(request, link.limits.message)) {
      const text = `the request is larger than the ${link.limits.message} bytes that ${describe(call.record)} takes`;
      this.#fail(call, 'TOO_LARGE', text);
      return;
    }
    link.lastSent = id;
    call.id = id;
    call.link = link;
    link.pending.set(id, call);
    this.#counters.pending += 1;
    this.#wakeBy(call.deadline);
    link.send(request);
  }

  #failEncoding(call: Call, error: unknown): void {
    if (!(error instanceof NotSerializable)) throw error;
    this.#settle(call);
    // A getter of the user's that threw is the cause.
    const { cause } = error;
    const text = `${error.message} (${readableTag(call.tag)})`;
    failWithNetError(call, 'NOT_SERIALIZABLE', text, cause === undefined ? {} : { cause });
  }

  #answered(link: Link, frame: ResultFrame | ErrorFrame): void {
    const call = link.pending.get(frame.id);
    // Late, after a deadline or a cancel; or made up. Either way nobody waits for it.
    if (!call) return;
    this.#settle(call);
    if (frame.type === 'result') {
      call.resolve(frame.value);
    } else if (frame.failure) {
      const { code, ran, message } = frame.failure;
      // A newer peer may have codes this one has not; what matters, whether the function ran, is told apart.
      failWithNetError(call, isNetErrorCode(code) ? code : 'BAD_REQUEST', message, { ran });
    } else {
      failCall(call, (site) => reviveThrown(frame, call.record, site));
    }
  }

  /** Sends what waited for room. */
  #pump(record: PeerRecord): void {
    const { waiting, link } = record;
    let taken = 0;
    while (link && taken < waiting.length && hasRoom(link)) {
      const call = waiting[taken]!;
      taken += 1;
      this.#counters.waiting -= 1;
      this.#transmit(call, link, Math.max(0, call.deadline - this.#clock.now()));
    }
    if (taken > 0) waiting.splice(0, taken);
    if (waiting.length === 0) this.#queues.delete(record);
  }

  #cancelled(call: Call, reason: unknown): void {
    if (call.settled) return;
    this.#tellCancelled(call);
    this.#withdraw(call);
    failCall(call, () => reason);
    this.#pump(call.record);
  }

  #expire(): void {
    this.#wakeAt = Infinity;
    const now = this.#clock.now();
    const due: Call[] = [];
    let next = Infinity;
    const look = (call: Call): void => {
      if (call.deadline <= now) due.push(call);
      else if (call.deadline < next) next = call.deadline;
    };
    for (const link of this.#links) for (const call of link.pending.values()) look(call);
    for (const record of this.#queues) record.waiting.forEach(look);
    for (const call of due) {
      const sent = call.link !== undefined;
      this.#tellCancelled(call);
      this.#withdraw(call);
      const text = `no answer from ${describe(call.record)} by the deadline`;
      failWithNetError(call, 'DEADLINE_EXCEEDED', sent ? text : `${text}: the call was not sent yet`, {
        ran: sent ? 'unknown' : 'no',
      });
    }
    for (const record of new Set(due.map((call) => call.record))) this.#pump(record);
    if (next < Infinity) this.#wakeBy(next);
  }

  /**
   * One timer for all calls, set for the earliest deadline known. That call has usually settled when the timer
   * fires, and then the walk finds the next one; so a call costs no timer, and a deadline is kept to the ms.
   */
  #wakeBy(deadline: number): void {
    if (deadline >= this.#wakeAt || deadline === Infinity) return;
    this.#clock.clearTimeout(this.#timer);
    this.#wakeAt = deadline;
    const delay = Math.min(Math.ceil(deadline - this.#clock.now()), LONGEST_TIMER);
    this.#timer = this.#clock.setTimeout(() => this.wake(), delay);
  }

  #refused(link: Link, last: number): void {
    const refused = [...link.pending.values()].filter((call) => call.id > last);
    for (const call of refused) {
      this.#fail(call, 'REFUSED', `${describe(call.record)} is stopping and did not take the call`);
    }
  }

  #lost(link: Link): void {
    this.#links.delete(link);
    for (const call of [...link.pending.values()]) {
      const text = `the connection to ${describe(call.record)} was lost before it answered`;
      this.#fail(call, 'CONNECTION_LOST', text);
    }
  }

  #left(record: PeerRecord, why: LeaveReason): void {
    for (const call of record.waiting.splice(0)) {
      this.#counters.waiting -= 1;
      this.#fail(call, 'NOT_SENT', leftMessage(record, why));
    }
    this.#queues.delete(record);
  }

  #stop(reason: string): void {
    this.#stopped ??= reason;
    this.#clock.clearTimeout(this.#timer);
    for (const record of [...this.#queues]) {
      for (const call of record.waiting.splice(0)) {
        this.#counters.waiting -= 1;
        this.#fail(call, 'STOPPED', this.#stopped);
      }
    }
    this.#queues.clear();
    for (const link of [...this.#links]) this.#lost(link);
  }

  #fail(call: Call, code: NetErrorCode, message: string, ran?: 'no'): void {
    this.#settle(call);
    failWithNetError(call, code, `${message} (${readableTag(call.tag)})`, { ran });
  }

  /** Takes a call out of wherever it is, before it is failed. */
  #withdraw(call: Call): void {
    const { waiting } = call.record;
    const place = call.link ? -1 : waiting.indexOf(call);
    if (place >= 0) {
      waiting.splice(place, 1);
      this.#counters.waiting -= 1;
    }
    this.#settle(call);
  }

  #tellCancelled(call: Call): void {
    call.link?.send(encodeCancel(call.id));
  }

  /** Done exactly once a call, whatever becomes of it. */
  #settle(call: Call): void {
    call.settled = true;
    call.release?.();
    const { link } = call;
    if (link) {
      call.link = undefined;
      link.pending.delete(call.id);
      this.#counters.pending -= 1;
      if (link.leaving || link.otherLeaving) link.checkIdle();
    }
    this.#counters.settled += 1;
    if (this.#holds) releaseProcess();
  }
}

function hasRoom(link: Link): boolean {
  return link.pending.size < link.limits.calls && !link.congested;
}

function describe(record: PeerRecord): string {
  return peerLine(record);
}

function leftMessage(record: PeerRecord, why: LeaveReason): string {
  return `${peerLine(record)} is no longer there (${why})`;
}
