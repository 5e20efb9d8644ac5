import { ROOT_CONTEXT, SpanKind, SpanStatusCode, context, propagation, trace } from '@opentelemetry/api';
import type { Attributes, Context, Span, Tracer } from '@opentelemetry/api';

import type { DiagnosedPeer } from '../base/diagnostics.ts';
import type { CallEnd } from '../calls/call-end.ts';
import type { AnyMessage, CallMessage, Verdict } from '../calls/call-message.ts';
import type { EmitMessage, ReceiveMessage } from '../events/event-message.ts';
import { readTrace } from '../wire/beside.ts';
import type { WireTrace } from '../wire/beside.ts';
import { carrierOf } from './carrier.ts';
import { SYSTEM, endAttributes, methodOf } from './conventions.ts';
import { Sampling } from './sampling.ts';
import { unsampledContext } from './unsampled.ts';

/** Where a message keeps its span: a field costs less than a WeakMap, and there may be several instrumentations. */
type Spanned<Message> = Message & { [key: symbol]: Span | undefined };

/** Makes spans of the messages of the diagnostics channels, with the OpenTelemetry API only. */
export class Spans {
  readonly #tracer: Tracer;
  readonly #sampling: Sampling | undefined;
  readonly #key = Symbol('span');
  /** What became of the call, or the `any`, that is about to begin. */
  #verdict: Verdict = undefined;

  /** @param sample the share of the calls without a trace that begin one, from 0 to 1; undefined if the sampler decides */
  constructor(tracer: Tracer, sample: number | undefined) {
    this.#tracer = tracer;
    this.#sampling = sample === undefined ? undefined : new Sampling(sample);
  }

  /** Whether the call that is about to begin gets a span. Nearly all calls end here when `sample` is small. */
  decide(side: CallMessage['side'], travels: WireTrace | undefined): Verdict {
    // In case that the context manager throws.
    this.#verdict = travels;
    this.#verdict = this.#sampling ? this.#sampling.decide(side, travels) : true;
    return this.#verdict;
  }

  /** A function whose call has no span runs in a context that is not sampled, so that nothing begins a trace in it. */
  inside(travels: WireTrace | undefined): CallMessage['enter'] {
    if (travels === false) return within(unsampledContext());
    return travels === undefined ? undefined : within(propagation.extract(ROOT_CONTEXT, readTrace(travels)));
  }

  callStart(message: CallMessage): void {
    if (message.side === 'caller' && message.attemptOf)
      (message.attemptOf as Spanned<AnyMessage>)[this.#key]?.addEvent('attempt', toward(message.peer));
    else if (this.#verdict !== true) message.passOn(this.#verdict);
    else if (message.side === 'callee') this.#serve(message);
    else this.#call(message, toward(message.peer));
  }

  callEnd(message: CallMessage, end: CallEnd): void {
    const any = message.attemptOf as Spanned<AnyMessage> | undefined;
    if (!any) this.#end(message, end);
    else if (!end.ok)
      any[this.#key]?.addEvent('attempt failed', { ...toward(message.peer), ...endAttributes(end) });
  }

  anyStart(message: AnyMessage): void {
    if (this.#verdict === true) this.#call(message, { 'app_net.call': message.how });
    else message.passOn(this.#verdict);
  }

  anyEnd(message: AnyMessage, end: CallEnd): void {
    const { peer, attempts } = message;
    this.#end(message, end, { 'app_net.attempts': attempts, ...(peer && toward(peer)) });
  }

  emit(message: EmitMessage): void {
    const active = context.active();
    if (trace.getSpanContext(active)) message.trace = carrierOf(active) ?? message.trace;
  }

  /** A span only for events that belong to a trace: the conventions for messaging are still in development. */
  receive(message: ReceiveMessage): void {
    if (message.untraced) message.enter = within(unsampledContext());
    if (!message.trace) return;
    const from = propagation.extract(ROOT_CONTEXT, message.trace);
    const emitter = trace.getSpanContext(from);
    if (!emitter) return;
    const { name, peer } = message;
    const attributes = {
      'messaging.system': SYSTEM,
      'messaging.operation.type': 'process',
      'messaging.operation.name': 'process',
      'messaging.destination.name': name,
      'app_net.peer.name': peer.name,
    };
    const kind = SpanKind.CONSUMER;
    const span = this.#tracer.startSpan(
      `process ${name}`,
      { kind, attributes, links: [{ context: emitter }] },
      from,
    );
    (message as Spanned<ReceiveMessage>)[this.#key] = span;
    const inside = trace.setSpan(from, span);
    message.enter = within(inside);
  }

  handled(message: ReceiveMessage): void {
    const span = (message as Spanned<ReceiveMessage>)[this.#key];
    if (message.error !== undefined) span?.setStatus({ code: SpanStatusCode.ERROR, message: message.error });
    span?.end();
  }

  #call(message: CallMessage | AnyMessage, more: Attributes): void {
    const active = context.active();
    // The function that makes the call may run for another one without its context, such as code that a timer runs.
    const from = trace.getSpanContext(active) ? active : parentOf(message, active);
    const name = methodOf(message.tag);
    const attributes = { 'rpc.system.name': SYSTEM, 'rpc.method': name, ...more };
    const span = this.#tracer.startSpan(name, { kind: SpanKind.CLIENT, attributes }, from);
    (message as Spanned<CallMessage | AnyMessage>)[this.#key] = span;
    message.trace = carrierOf(trace.setSpan(from, span)) ?? message.trace;
  }

  #serve(message: CallMessage): void {
    // Not the active context: that is the one in which the connection happened to be opened.
    const from = parentOf(message, ROOT_CONTEXT);
    const name = methodOf(message.tag);
    const { peer, waited } = message;
    const attributes = {
      'rpc.system.name': SYSTEM,
      'rpc.method': name,
      'client.address': peer.host,
      'app_net.peer.name': peer.name,
      'app_net.peer.id': peer.id,
      'app_net.waited': waited,
    };
    const span = this.#tracer.startSpan(name, { kind: SpanKind.SERVER, attributes }, from);
    (message as Spanned<CallMessage>)[this.#key] = span;
    message.enter = within(trace.setSpan(from, span));
  }

  #end(message: CallMessage | AnyMessage, end: CallEnd, more?: Attributes): void {
    const span = (message as Spanned<CallMessage | AnyMessage>)[this.#key];
    if (!span) return;
    if (span.isRecording()) {
      span.setAttributes(endAttributes(end));
      if (more) span.setAttributes(more);
      if (!end.ok) {
        const text = end.message === undefined ? {} : { message: end.message };
        span.setStatus({ code: SpanStatusCode.ERROR, ...text });
      }
    }
    span.end();
  }
}

/** The context with the span that a call belongs to, by what came with it. */
function parentOf({ travels }: CallMessage | AnyMessage, otherwise: Context): Context {
  if (travels === undefined) return otherwise;
  // The sampler then decides as it does about any parent that is not sampled.
  if (travels === false) return unsampledContext();
  return propagation.extract(otherwise, readTrace(travels));
}

function toward({ id, name, host }: DiagnosedPeer): Attributes {
  return { 'server.address': host, 'app_net.peer.name': name, 'app_net.peer.id': id };
}

function within(inside: Context): <T>(step: () => T) => T {
  return (step) => context.with(inside, step);
}
