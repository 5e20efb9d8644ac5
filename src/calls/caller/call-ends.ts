import type { Clock } from '../../base/time/clock.ts';
import type { NetErrorCode, Ran } from '../../base/errors.ts';
import type { ErrorFrame } from '../../wire/frames.ts';
import { endOfFrame, failed } from '../call-end.ts';
import type { CallEnd } from '../call-end.ts';
import type { MeasuredCalls } from '../call-stats.ts';
import type { Call } from './call.ts';

/** Tells those who want to know, and counts, how calls from here end. */
export class CallEnds {
  readonly #clock: Clock;
  readonly #calls: MeasuredCalls;
  /** While the answers of a message are handled: when it was read, on the clock. */
  #readAt: number | undefined;

  constructor(clock: Clock, calls: MeasuredCalls) {
    this.#clock = clock;
    this.#calls = calls;
  }

  /** The answers of a message follow. To read the clock for each would cost more than all the rest of counting. */
  begin(): void {
    if (this.#calls.made) this.#readAt = this.#clock.now();
  }

  done(): void {
    this.#readAt = undefined;
  }

  // The others return false if nobody wants to know: most calls do not need the object.

  answered(call: Call, frame: ErrorFrame): CallEnd | false {
    return this.#areTold(call) && endOfFrame(frame);
  }

  failed(call: Call, code: NetErrorCode, message: string, ran: Ran | undefined): CallEnd | false {
    return this.#areTold(call) && failed(code, message, ran);
  }

  /** It is given up here, whatever the other side does. */
  givenUp(call: Call, code: NetErrorCode, message: string): CallEnd | false {
    return this.failed(call, code, message, ranSoFar(call));
  }

  tell({ tag, madeAt, onEnd }: Call, end: CallEnd): void {
    const { made } = this.#calls;
    if (made) made.record(tag, (this.#readAt ?? this.#clock.now()) - madeAt, end);
    if (onEnd) onEnd(end);
  }

  #areTold({ onEnd }: Call): boolean {
    return onEnd !== undefined || this.#calls.made !== undefined;
  }
}

/** Whether the function of a call that is given up here ran. */
function ranSoFar({ reader, link }: Call): Ran {
  if (reader) return 'yes';
  return link ? 'unknown' : 'no';
}
