import { subscribe, unsubscribe } from 'node:diagnostics_channel';

import { createNoopMeter, metrics, trace } from '@opentelemetry/api';
import type { Meter, Tracer } from '@opentelemetry/api';

import { harmless } from '../base/harmless.ts';
import { refuseUnknown } from '../base/option-checks.ts';
import { libraryVersion } from '../base/version.ts';
import { watchCalls } from '../calls/call-message.ts';
import type { EmitMessage, ReceiveMessage } from '../events/event-message.ts';
import type { Peer } from '../peer/peer.ts';
import { SCOPE } from './conventions.ts';
import { Durations } from './durations.ts';
import { Spans } from './spans.ts';

/**
 * Options of `instrument`.
 *
 * @example
 * instrument({ sample: 0.01 });
 */
export interface InstrumentOptions {
  /** Makes the spans; `false` for none. Default: the tracer `app-net` of the global provider. */
  tracer?: Tracer | false | undefined;
  /** Records the durations; `false` for none. Default: the meter `app-net` of the global provider. */
  meter?: Meter | false | undefined;
  /** Only calls and events of this peer. Default: those of every peer of the process. */
  peer?: Peer | undefined;
  /**
   * The share of the calls outside of any trace that begin one, from 0 to 1. Calls inside a trace have spans if it is sampled. All
   * others cost almost nothing, as the SDK is not asked about them: no span, no ids. Their functions, and what these call, make no
   * spans either. Use it with a sampler that follows the parent, as the default one does. Default: each call is a span, and the
   * sampler of your SDK decides about it.
   */
  sample?: number | undefined;
}

// The type makes the list complete: a new option that is missing here does not compile.
const OPTIONS: Record<keyof InstrumentOptions, true> = {
  tracer: true,
  meter: true,
  peer: true,
  sample: true,
};

/**
 * Makes OpenTelemetry spans and metrics of calls and events, from now on. It uses the OpenTelemetry API, and so whatever SDK your
 * process has registered; without one it does nothing. Traces travel with calls and events. Returns a function that ends it.
 * @throws TypeError for unknown or wrong options
 *
 * @example
 * const end = instrument();
 * end();
 */
export function instrument(options: InstrumentOptions = {}): () => void {
  refuseUnknown('option', options, OPTIONS);
  const { tracer, meter, peer, sample } = options;
  if (sample !== undefined) checkSample(sample);
  if (peer !== undefined && typeof peer.id !== 'string') {
    throw new TypeError('peer: give a peer from createPeer()');
  }
  const version = libraryVersion();
  const spans = tracer === false ? undefined : new Spans(tracer ?? trace.getTracer(SCOPE, version), sample);
  const durations = meter === false ? undefined : durationsOf(meter ?? metrics.getMeter(SCOPE, version));

  const channels: [string, (message: unknown) => void][] = [];
  const on = (name: string, listener: (message: never) => void): void => {
    const guarded = (message: unknown): void => {
      if (peer && (message as { readonly local: string }).local !== peer.id) return;
      // A tracer, a meter, a propagator or a processor of spans may throw. A subscriber that does ends the process.
      harmless('the instrumentation', () => listener(message as never));
    };
    channels.push([`app-net:${name}`, guarded]);
  };

  const isOwn = (local: string): boolean => peer === undefined || local === peer.id;
  const endCalls = watchCalls({
    wants: (side, local, travels) => {
      if (!isOwn(local)) return travels;
      const verdict = spans ? spans.decide(side, travels) : travels;
      return durations ? true : verdict;
    },
    inside: (local, travels) => (isOwn(local) ? spans?.inside(travels) : undefined),
    start: (message) => {
      if (!isOwn(message.local)) return;
      durations?.start(message);
      spans?.callStart(message);
    },
    end: (message, end) => {
      if (!isOwn(message.local)) return;
      spans?.callEnd(message, end);
      if (!message.attemptOf) durations?.end(message, end);
    },
    anyStart: (message) => {
      if (!isOwn(message.local)) return;
      durations?.start(message);
      spans?.anyStart(message);
    },
    anyEnd: (message, end) => {
      if (!isOwn(message.local)) return;
      spans?.anyEnd(message, end);
      durations?.end(message, end);
    },
  });
  if (spans) {
    on('event:emit', (message: EmitMessage) => spans.emit(message));
    on('event:receive', (message: ReceiveMessage) => spans.receive(message));
    on('event:handled', (message: ReceiveMessage) => spans.handled(message));
  }

  for (const [name, listener] of channels) subscribe(name, listener);
  return () => {
    endCalls();
    for (const [name, listener] of channels) unsubscribe(name, listener);
  };
}

/** @throws TypeError */
function checkSample(sample: unknown): void {
  if (typeof sample === 'number' && sample >= 0 && sample <= 1) return;
  const isPercent = typeof sample === 'number' && sample > 1 && sample <= 100;
  const hint = isPercent
    ? `; for ${sample} %, give ${sample / 100}`
    : ', such as 0.01 for one call in a hundred';
  throw new TypeError(`sample: give a number from 0 to 1${hint}`);
}

/** Nothing is measured for a meter that drops everything, as the API's own does where no provider is registered. */
function durationsOf(meter: Meter): Durations | undefined {
  return meter.constructor === createNoopMeter().constructor ? undefined : new Durations(meter);
}
