import { ROOT_CONTEXT, TraceFlags, trace } from '@opentelemetry/api';
import type { Context, SpanContext } from '@opentelemetry/api';

/** Random for each process, so that the ids of two do not meet. */
const prefix = digits() + digits();
let made = 0;

/**
 * A context inside a trace that is not sampled. Without it, each database query of a function whose call has no span would begin a
 * trace. The ids appear in no span, and a random one for each call would cost as much as the call.
 */
export function unsampledContext(): Context {
  made += 1;
  const spanId = made.toString(16).padStart(16, '0');
  const traceId = prefix + spanId;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: TraceFlags.NONE, isRemote: true });
}

/** Whether it is the span of such a context. */
export function isMadeUp({ traceId }: SpanContext): boolean {
  return traceId.startsWith(prefix);
}

function digits(): string {
  return Math.floor(Math.random() * 2 ** 32)
    .toString(16)
    .padStart(8, '0');
}
