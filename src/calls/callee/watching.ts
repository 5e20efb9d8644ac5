import type { Clock } from '../../base/time/clock.ts';
import { OK } from '../call-end.ts';
import type { CallEnd } from '../call-end.ts';
import { CallMessage, areCallsWatched, decideCall, insideOf, publishStart } from '../call-message.ts';
import type { Verdict } from '../call-message.ts';
import type { CallCounting, MeasuredCalls } from '../call-stats.ts';
import type { WireTrace } from '../../wire/beside.ts';
import type { RunningCall } from './running-call.ts';

/** Tells those who listen, and counts, what becomes of the calls that run here. */
export class Watching {
  readonly #id: string;
  readonly #clock: Clock;
  readonly #calls: MeasuredCalls;

  /** @param id of the peer that runs the calls */
  constructor(id: string, clock: Clock, calls: MeasuredCalls) {
    this.#id = id;
    this.#clock = clock;
    this.#calls = calls;
  }

  /** Whether somebody is told of calls, with their meta and trace. */
  get tells(): boolean {
    return areCallsWatched();
  }

  /** Whether somebody wants to be told of the call that is about to run. @param trace that came with it */
  decide(trace: WireTrace | undefined): Verdict {
    return decideCall('callee', this.#id, trace);
  }

  /** Right before a function that may wait runs: sets what it runs inside, and who is told of its end. */
  begin(call: RunningCall): void {
    const verdict = this.decide(call.travels);
    if (verdict === true) {
      this.tell(call);
    } else {
      this.follow(call);
      call.travels = verdict;
    }
    if (call.travels !== undefined) call.enter ??= insideOf(this.#id, call.travels);
  }

  /** The same for a call that somebody wants to be told of. */
  tell(call: RunningCall): void {
    this.follow(call);
    const { tag, meta, travels, receivedAt, onEnd: count } = call;
    const waited = this.#clock.now() - receivedAt;
    const message = new CallMessage(
      'callee',
      this.#id,
      call.link.record,
      tag,
      meta,
      travels,
      waited,
      undefined,
    );
    publishStart(message);
    call.enter = message.enter;
    call.travels = message.travels;
    call.onEnd = (end: CallEnd): void => {
      count?.(end);
      message.finish(end);
    };
  }

  /** Counts a call when it is over. */
  follow(call: RunningCall): void {
    const { ran } = this.#calls;
    if (ran) call.onEnd = (end) => this.#record(ran, call.tag, call.receivedAt, end);
  }

  /** Counts a call that is over. */
  count(tag: string, receivedAt: number, end: CallEnd | undefined): void {
    const { ran } = this.#calls;
    if (ran) this.#record(ran, tag, receivedAt, end ?? OK);
  }

  #record(ran: CallCounting, tag: string, receivedAt: number, end: CallEnd): void {
    ran.record(tag, this.#clock.now() - receivedAt, end);
  }
}
