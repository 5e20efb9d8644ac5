import { ROOT_CONTEXT, TraceFlags, context, trace } from '@opentelemetry/api';
import type { SpanContext } from '@opentelemetry/api';

import type { CallMessage, Verdict } from '../calls/call-message.ts';
import { TRACEPARENT_LENGTH, readTrace } from '../wire/beside.ts';
import type { WireTrace } from '../wire/beside.ts';
import { carrierOf } from './carrier.ts';
import { isMadeUp } from './unsampled.ts';

/**
 * Decides which calls get a span, without the SDK: those inside a trace that is sampled, and a share of those outside of any. It is
 * what a sampler that follows the parent would decide after a span was made.
 */
export class Sampling {
  readonly #share: number;
  /** Calls outside of a trace until one begins one. */
  #left: number;

  /** @param share from 0 to 1 */
  constructor(share: number) {
    this.#share = share;
    this.#left = callsBefore(share);
  }

  decide(side: CallMessage['side'], travels: WireTrace | undefined): Verdict {
    if (side === 'caller') {
      const active = context.active();
      const span = active === ROOT_CONTEXT ? undefined : trace.getSpan(active);
      const known = span?.spanContext();
      // A sampler may record a span that is not sampled.
      if (span && known && trace.isSpanContextValid(known)) {
        if (isSampled(known) || span.isRecording()) return true;
        return isMadeUp(known) ? false : (carrierOf(active) ?? travels);
      }
    }
    if (travels === undefined) return this.#begins();
    return mayBeSampled(travels) || travels;
  }

  #begins(): boolean {
    if (this.#left > 0) {
      this.#left -= 1;
      return false;
    }
    this.#left = callsBefore(this.#share);
    return true;
  }
}

/**
 * How many calls come before the next one that is chosen, if each is chosen with the same chance. A random number for each of them would
 * cost more than all the rest.
 */
function callsBefore(share: number): number {
  if (share <= 0) return Infinity;
  return share >= 1 ? 0 : Math.floor(Math.log(1 - Math.random()) / Math.log1p(-share));
}

function isSampled({ traceFlags }: SpanContext): boolean {
  return (traceFlags & TraceFlags.SAMPLED) !== 0;
}

/** Other propagators than that of W3C have fields of their own, which only the SDK can read. */
function mayBeSampled(travels: WireTrace): boolean {
  if (travels === false) return false;
  const traceparent = typeof travels === 'string' ? travels : readTrace(travels)?.['traceparent'];
  if (typeof traceparent !== 'string' || traceparent.length !== TRACEPARENT_LENGTH) return true;
  return (Number.parseInt(traceparent.slice(-2), 16) & TraceFlags.SAMPLED) !== 0;
}
