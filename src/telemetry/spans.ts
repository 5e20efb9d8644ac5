import { ROOT_CONTEXT, SpanKind, SpanStatusCode, context, propagation, trace } from '@opentelemetry/api';
import type { Attributes, Context, Span, Tracer } from '@opentelemetry/api';

import type { DiagnosedPeer } from '../base/diagnostics.ts';
import type { CallEnd } from '../calls/call-end.ts';
import type { AnyMessage, CallMessage } from '../calls/call-message.ts';
import type { EmitMessage, ReceiveMessage } from '../events/event-message.ts';
import type { TraceContext } from '../wire/beside.ts';
import { SYSTEM, endAttributes, methodOf } from './conventions.ts';

/** Where a message keeps its span: a field costs less than a WeakMap, and there may be several instrumentations. */
type Spanned<Message> = Message & { [key: symbol]: Span | undefined };

/** Makes spans of the messages of the diagnostics channels, with the OpenTelemetry API only. */
export class Spans {
  readonly #tracer: Tracer;
  readonly #sample: number;
  /** Calls without a trace until one begins one. */
  #unsampled: number;
  readonly #key = Symbol('span');
  /** What `wants` has said of the call that is about to begin. */
  #isChosen = false;

  /** @param sample the share of the calls without a trace that begin one, from 0 to 1 */
  constructor(tracer: Tracer, sample: number) {
    this.#tracer = tracer;
    this.#sample = sample;
    this.#unsampled = callsBefore(sample);
  }

  /** Whether the call that is about to begin gets a span. Nearly all calls end here when `sample` is small. */
  wants(side: CallMessage['side'], isTraced: boolean): boolean {
    this.#isChosen = isTraced || this.#isSampled() || (side === 'caller' && isInsideSpan());
    return this.#isChosen;
  }

  callStart(message: CallMessage): void {
    if (message.side === 'callee') this.#serve(message);
    else if (!message.attemptOf) this.#call(message, message.tag, toward(message.peer));
    else (message.attemptOf as Spanned<AnyMessage>)[this.#key]?.addEvent('attempt', toward(message.peer));
  }

  callEnd(message: CallMessage, end: CallEnd): void {
    const any = message.attemptOf as Spanned<AnyMessage> | undefined;
    if (!any) this.#end(message, end);
    else if (!end.ok)
      any[this.#key]?.addEvent('attempt failed', { ...toward(message.peer), ...endAttributes(end) });
  }

  anyStart(message: AnyMessage): void {
    this.#isChosen = this.#isSampled();
    this.#call(message, message.tag, { 'app_net.call': message.how });
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

  #call(message: CallMessage | AnyMessage, tag: string, more: Attributes): void {
    const active = context.active();
    const known = trace.getSpanContext(active);
    if (!known && !message.trace && !this.#isChosen) return;
    // The function that makes the call may run for another one without its context, such as code that a timer runs.
    const from = known || !message.trace ? active : propagation.extract(active, message.trace);
    const name = methodOf(tag);
    const attributes = { 'rpc.system.name': SYSTEM, 'rpc.method': name, ...more };
    const span = this.#tracer.startSpan(name, { kind: SpanKind.CLIENT, attributes }, from);
    (message as Spanned<CallMessage | AnyMessage>)[this.#key] = span;
    message.trace = carrierOf(trace.setSpan(from, span)) ?? message.trace;
  }

  #serve(message: CallMessage): void {
    if (!message.trace && !this.#isChosen) return;
    // Not the active context: that is the one in which the connection happened to be opened.
    const from = message.trace ? propagation.extract(ROOT_CONTEXT, message.trace) : ROOT_CONTEXT;
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

  #isSampled(): boolean {
    if (this.#unsampled > 0) {
      this.#unsampled -= 1;
      return false;
    }
    this.#unsampled = callsBefore(this.#sample);
    return true;
  }
}

/**
 * How many calls come before the next one that is chosen, if each is chosen with the same chance. A random number for each of them would
 * cost more than all the rest.
 */
function callsBefore(sample: number): number {
  if (sample <= 0) return Infinity;
  return sample >= 1 ? 0 : Math.floor(Math.log(1 - Math.random()) / Math.log1p(-sample));
}

function isInsideSpan(): boolean {
  const active = context.active();
  return active !== ROOT_CONTEXT && trace.getSpanContext(active) !== undefined;
}

function toward({ id, name, host }: DiagnosedPeer): Attributes {
  return { 'server.address': host, 'app_net.peer.name': name, 'app_net.peer.id': id };
}

function within(inside: Context): <T>(step: () => T) => T {
  return (step) => context.with(inside, step);
}

/** What the user's propagator writes; undefined when that is nothing. */
function carrierOf(from: Context): TraceContext | undefined {
  const carrier: Record<string, string> = {};
  propagation.inject(from, carrier);
  for (const _ in carrier) return carrier;
  return undefined;
}
