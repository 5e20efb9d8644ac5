import type { CallerCounters } from '../../presence/set/peer-info.ts';
import type { Clock } from '../../base/time/clock.ts';
import type { NetErrorCode, NetErrorDetails } from '../../base/errors.ts';
import { holdProcess, releaseProcess } from '../../base/process/process-hold.ts';
import { readableTag } from '../../base/tag.ts';
import { encodeRequest } from '../../wire/codec.ts';
import { peerLine } from '../../base/peer-line.ts';
import type { ErrorFrame, ResultFrame } from '../../wire/frames.ts';
import { Alarm } from '../../base/time/alarm.ts';
import type { Outgoing } from '../../wire/outgoing.ts';
import { encodeCancel, encodeLateCancel } from '../../wire/stream-frames.ts';
import type { Call } from './call.ts';
import { sentOver, waitingFor } from './sent-calls.ts';
import {
  failCall,
  failWithNetError,
  leftMessage,
  lostMessage,
  settleWith,
  unreachableMessage,
  unsendable,
} from './call-failure.ts';
import { OK } from '../call-end.ts';
import type { CallEnd } from '../call-end.ts';
import { MeasuredCalls } from '../call-stats.ts';
import { CallEnds } from './call-ends.ts';
import { failExpired, sweep } from './call-deadlines.ts';
import { watchSignals } from './call-signals.ts';
import { hasRoom, isLast, openStreams } from './call-slots.ts';
import {
  endArguments,
  openStream,
  sendArguments,
  takeForArgument,
  withoutStreams,
} from '../streams/call-streams.ts';
import type { StreamHouse } from '../streams/call-streams.ts';
import type { Link, PeerRecord } from '../../connection/link/link.ts';
import { LiveSnapshot } from '../../base/process/live-snapshot.ts';
import type { CallerFrame } from '../../connection/messages.ts';
import type { CallerInput, CallerMessage } from './messages.ts';

/** Every call that one peer has made and that has not settled. */
export class OutgoingCalls implements StreamHouse {
  readonly snapshot = new LiveSnapshot<CallerCounters>({ pending: 0, waiting: 0, settled: 0 });
  readonly clock: Clock;
  readonly stacks: boolean;
  wake: () => void = () => {};
  cancel: (call: Call, reason: unknown) => void = () => {};
  /** Called when a call waits for a peer that is present and not linked. */
  wantLink: (record: PeerRecord) => void = () => {};

  readonly #counters = this.snapshot.context;
  readonly #ends: CallEnds;
  readonly #input: CallerInput;
  readonly #alarm: Alarm;
  /** Every link and every peer with calls, to walk when a deadline passes. */
  readonly #links = new Set<Link>();
  readonly #queues = new Set<PeerRecord>();
  /** Why nothing is sent any more; undefined while calls are sent. */
  #stopped: { reason: string; cause?: unknown } | undefined;

  constructor(input: CallerInput) {
    const { clock, measured, stacks } = input;
    this.#ends = new CallEnds(clock, measured ?? new MeasuredCalls());
    this.clock = clock;
    this.stacks = stacks;
    this.#input = input;
    this.#alarm = new Alarm(clock, () => this.wake());
  }

  receive(message: CallerMessage | { type: 'xstate.stop' }): void {
    switch (message.type) {
      case 'call.send':
        this.#send(message);
        break;
      case 'frames.received':
        this.#ends.begin();
        for (const frame of message.frames) this.#received(message.link, frame);
        this.#ends.done();
        if ((message.link.record.waiting?.size ?? 0) > 0) this.#pump(message.link.record);
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
        this.#failWaiting(message.record, leftMessage(message.record, message.why));
        break;
      case 'link.failed':
        this.#failWaiting(message.record, unreachableMessage(message.record), { cause: message.error });
        break;
      case 'caller.stop':
        this.#stop(message);
        break;
      case 'xstate.stop':
        this.#stop({ reason: 'this peer is stopped' });
        this.snapshot.status = 'stopped';
        break;
    }
  }

  #send(call: Call): void {
    this.hold(call, true);
    if (this.#stopped !== undefined) {
      this.fail(call, 'STOPPED', this.#stopped.reason, this.#stopped);
      return;
    }
    const aborted = call.signals && watchSignals(call, call.signals, this.cancel);
    if (aborted) {
      this.#settle(call, this.#ends.givenUp(call, 'CANCELLED', 'its signal was aborted'));
      failCall(call, () => aborted.reason);
      return;
    }
    const { record } = call;
    if (record.left) {
      this.fail(call, 'NOT_SENT', leftMessage(record, record.left));
    } else if (call.time <= 0) {
      this.fail(call, 'DEADLINE_EXCEEDED', 'the deadline passed before the call was made', {
        ran: 'no',
      });
    } else if ((record.waiting?.size ?? 0) === 0 && record.link && hasRoom(record.link, call)) {
      this.#transmit(call, record.link, call.time);
    } else if (waitingFor(record).size >= this.#input.queue) {
      const text = `${this.#input.queue} calls to ${peerLine(record)} are already waiting (limits.queue); make fewer at a time`;
      this.fail(call, 'OVERLOADED', text);
    } else {
      waitingFor(record).push(call);
      this.#queues.add(record);
      this.#counters.waiting += 1;
      this.#alarm.wakeBy(call.deadline);
      if (!record.link) this.wantLink(record);
    }
  }

  /** @param left how long the caller will still wait, in ms */
  #transmit(call: Call, link: Link, left: number): void {
    const sent = sentOver(link);
    const id = sent.last + 1;
    const { tag, given } = call;
    const streams = given?.positions;
    // Streams among the arguments may take longer than the call's deadline, and the other side cannot know how long.
    const deadline = left < Infinity && !streams ? Math.ceil(left) : undefined;
    const most = link.limits.message;
    let request: Outgoing;
    try {
      const args = streams ? withoutStreams(call.args, streams) : call.args;
      request = encodeRequest(id, tag, args, deadline, this.stacks, streams, most, call.beside);
    } catch (error) {
      const { code, text, details } = unsendable(call, error, most);
      this.fail(call, code, text, details);
      return;
    }
    sent.last = id;
    call.id = id;
    call.link = link;
    sent.pending.add(call);
    this.#counters.pending += 1;
    this.#alarm.wakeBy(call.deadline);
    link.send(request);
    if (given) sendArguments(this, call, link, given);
  }

  #received(link: Link, frame: CallerFrame): void {
    const sent = sentOver(link);
    const call = sent.pending.get(frame.id);
    if (!call) {
      // The call was cancelled earlier. The last frame says that its function has settled, which frees its place there.
      if (isLast(frame)) sent.abandoned?.delete(frame.id);
      return;
    }
    switch (frame.type) {
      case 'result':
        if (frame.stream) openStream(this, call, link);
        else this.#answer(call, frame);
        break;
      case 'next':
        if (!call.reader?.push(frame.value, frame.size)) {
          link.breach('a stream sent more than its credit allowed');
        }
        break;
      case 'complete':
        this.#settle(call, OK);
        call.reader?.complete(frame.value);
        break;
      case 'error':
        this.#answer(call, frame);
        break;
      case 'credit':
      case 'cancel':
        takeForArgument(this, call, frame);
        break;
    }
  }

  #answer(call: Call, frame: ResultFrame | ErrorFrame): void {
    if (frame.type === 'result') this.#settle(call, OK);
    else this.#settle(call, this.#ends.answered(call, frame), frame.failure?.ran === 'no');
    settleWith(call, frame, this.#input.pass?.rights);
  }

  /** Sends the calls that waited for room. */
  #pump(record: PeerRecord): void {
    if (!record.waiting) return;
    const { link } = record;
    const waiting = waitingFor(record);
    while (link) {
      const call = waiting.peek();
      if (!call || !hasRoom(link, call)) break;
      waiting.drop();
      this.#counters.waiting -= 1;
      this.#transmit(call, link, Math.max(0, call.deadline - this.clock.now()));
    }
    if (waiting.size === 0) this.#queues.delete(record);
  }

  #cancelled(call: Call, reason: unknown): void {
    if (call.settled) return;
    this.#withdraw(call, this.#ends.givenUp(call, 'CANCELLED', 'the call was cancelled'));
    failCall(call, () => reason);
    this.#pump(call.record);
  }

  #expire(): void {
    const { due, next } = sweep(this.#links, this.#queues, this.clock.now());
    for (const call of due) {
      const sent = call.link !== undefined;
      const late = this.#ends.givenUp(call, 'DEADLINE_EXCEEDED', 'no answer by the deadline');
      this.#withdraw(call, late, encodeLateCancel);
      failExpired(call, sent);
    }
    for (const record of new Set(due.map((call) => call.record))) this.#pump(record);
    this.#alarm.wakeBy(next);
  }

  #refused(link: Link, last: number): void {
    for (const call of sentOver(link).pending.values()) {
      if (call.id <= last) continue;
      this.fail(call, 'REFUSED', `${peerLine(call.record)} is stopping and did not accept the call`);
    }
  }

  #lost(link: Link): void {
    this.#links.delete(link);
    const sent = sentOver(link);
    sent.abandoned = undefined;
    for (const call of sent.pending.values()) {
      const message = lostMessage(call.record, call.reader !== undefined);
      this.fail(call, 'CONNECTION_LOST', message, call.reader && { ran: 'yes' });
    }
  }

  #failWaiting(record: PeerRecord, message: string, details?: NetErrorDetails, code?: NetErrorCode): void {
    for (const call of waitingFor(record).takeAll()) {
      this.#counters.waiting -= 1;
      this.fail(call, code ?? 'NOT_SENT', message, details);
    }
    this.#queues.delete(record);
  }

  #stop({ reason, cause }: { reason: string; cause?: unknown }): void {
    this.#stopped ??= cause === undefined ? { reason } : { reason, cause };
    this.#alarm.clear();
    const { reason: message } = this.#stopped;
    for (const record of [...this.#queues]) this.#failWaiting(record, message, this.#stopped, 'STOPPED');
    for (const link of [...this.#links]) this.#lost(link);
  }

  fail(call: Call, code: NetErrorCode, message: string, details: NetErrorDetails = {}): void {
    this.#settle(call, this.#ends.failed(call, code, message, details.ran), code === 'REFUSED');
    failWithNetError(call, code, `${message} (${readableTag(call.tag)})`, details);
  }

  /** The stream is not read any further. */
  abandon(call: Call): void {
    if (call.settled) return;
    this.#withdraw(call, this.#ends.givenUp(call, 'CANCELLED', 'the stream was not read to its end'));
    this.#pump(call.record);
  }

  /** Lets the call take this many ms more; Infinity while nobody waits for it. */
  allow(call: Call, time: number): void {
    call.deadline = this.clock.now() + time;
    this.#alarm.wakeBy(call.deadline);
  }

  /** Sets whether the call keeps the process alive. */
  hold(call: Call, holds: boolean): void {
    if (!this.#input.holds || call.holds === holds) return;
    call.holds = holds;
    if (holds) holdProcess();
    else releaseProcess();
  }

  /**
   * Takes an unanswered call out of the place where it is kept. The function of a call that was sent may run on. The
   * call keeps its place at the other side until that side says that the function has settled.
   */
  #withdraw(call: Call, end: CallEnd | false, encode = encodeCancel): void {
    const { link } = call;
    this.#settle(call, end);
    if (link) {
      (sentOver(link).abandoned ??= new Set()).add(call.id);
      link.send(encode(call.id));
    } else {
      waitingFor(call.record).remove();
      this.#counters.waiting -= 1;
    }
  }

  /**
   * Runs exactly once per call, however the call ends.
   * @param end needed only if somebody wants to know it
   * @param refused it was sent, and the other side did not take it
   */
  #settle(call: Call, end: CallEnd | false, refused = false): void {
    call.settled = true;
    if (end) this.#ends.tell(call, end);
    call.release?.();
    const { link, given } = call;
    if (given) endArguments(call, given, refused);
    if (link) {
      call.link = undefined;
      const sent = sentOver(link);
      sent.pending.delete(call.id);
      sent.streams -= openStreams(call);
      this.#counters.pending -= 1;
      if (link.leaving || link.otherLeaving) link.checkIdle();
    }
    this.#counters.settled += 1;
    this.hold(call, false);
  }
}
