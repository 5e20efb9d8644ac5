import type { Clock } from '../../base/clock.ts';
import { CHANNELS } from '../../base/diagnostics.ts';
import type { CallEnd } from '../call-end.ts';
import { CallMessage, areCallsWatched } from '../call-message.ts';
import type { MeasuredCalls } from '../call-stats.ts';
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

  /** Whether anybody wants to know. */
  get isOn(): boolean {
    return this.#calls.ran !== undefined || areCallsWatched();
  }

  /** Whether somebody is told of each call, with its meta and trace. */
  get tells(): boolean {
    return areCallsWatched();
  }

  /** Right before the function runs: sets what it runs inside, and who is told of its end. */
  begin(call: RunningCall): void {
    const message = areCallsWatched() ? this.#tell(call) : undefined;
    const { ran } = this.#calls;
    const { tag, receivedAt } = call;
    call.onEnd = (end: CallEnd): void => {
      ran?.record(tag, this.#clock.now() - receivedAt, end);
      message?.finish(end);
    };
  }

  #tell(call: RunningCall): CallMessage {
    const { tag, meta, trace, receivedAt } = call;
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
    CHANNELS.callStart.publish(message);
    call.enter = message.enter;
    return message;
  }
}
