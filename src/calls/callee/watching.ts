import type { Clock } from '../../base/time/clock.ts';
import { OK } from '../call-end.ts';
import type { CallEnd } from '../call-end.ts';
import { CallMessage, areCallsWanted, areCallsWatched, publishStart } from '../call-message.ts';
import type { CallCounting, MeasuredCalls } from '../call-stats.ts';
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

  /** Right before the function runs: sets what it runs inside, and who is told of its end. */
  begin(call: RunningCall, isWanted = areCallsWanted('callee', call.isTraced)): void {
    this.follow(call);
    if (!isWanted) return;
    const { tag, meta, trace, receivedAt, onEnd: count } = call;
    const waited = this.#clock.now() - receivedAt;
    const message = new CallMessage(
      'callee',
      this.#id,
      call.link.record,
      tag,
      meta,
      trace,
      waited,
      undefined,
    );
    publishStart(message);
    call.enter = message.enter;
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
