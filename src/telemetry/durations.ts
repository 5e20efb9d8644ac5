import type { Attributes, Histogram, Meter } from '@opentelemetry/api';

import type { CallEnd } from '../calls/call-end.ts';
import type { AnyMessage, CallMessage } from '../calls/call-message.ts';
import { DURATION_BOUNDARIES, OTHER, SYSTEM, endAttributes, methodOf } from './conventions.ts';

/** Functions that are told apart in metrics; the rest is `_OTHER`. Peers may call by any tag. */
const MOST_METHODS = 1_000;

type Timed = (CallMessage | AnyMessage) & { [key: symbol]: number | undefined };

/** Records the durations of calls, without peer ids: those would be a series for each life of each peer. */
export class Durations {
  readonly #client: Histogram;
  readonly #server: Histogram;
  readonly #methods = new Set<string>();
  readonly #key = Symbol('start');

  constructor(meter: Meter) {
    const duration = (side: string): Histogram =>
      meter.createHistogram(`rpc.${side}.call.duration`, {
        description: `Measures the duration of a call, at the ${side}.`,
        unit: 's',
        advice: { explicitBucketBoundaries: DURATION_BOUNDARIES },
      });
    this.#client = duration('client');
    this.#server = duration('server');
  }

  start(message: CallMessage | AnyMessage): void {
    (message as Timed)[this.#key] = performance.now();
  }

  /** @param end of a call, or of `any` with all its attempts: attempts do not count by themselves */
  end(message: CallMessage | AnyMessage, end: CallEnd): void {
    const start = (message as Timed)[this.#key];
    if (start === undefined) return;
    const attributes: Attributes = {
      'rpc.system.name': SYSTEM,
      'rpc.method': this.#bounded(methodOf(message.tag)),
      ...endAttributes(end),
    };
    const histogram = 'side' in message && message.side === 'callee' ? this.#server : this.#client;
    histogram.record((performance.now() - start) / 1_000, attributes);
  }

  #bounded(method: string): string {
    if (this.#methods.has(method)) return method;
    if (this.#methods.size >= MOST_METHODS) return OTHER;
    this.#methods.add(method);
    return method;
  }
}
