import { propagation } from '@opentelemetry/api';
import type { Context } from '@opentelemetry/api';

import type { TraceContext } from '../wire/beside.ts';

/** What the user's propagator writes; undefined when that is nothing. */
export function carrierOf(from: Context): TraceContext | undefined {
  const carrier: Record<string, string> = {};
  propagation.inject(from, carrier);
  for (const _ in carrier) return carrier;
  return undefined;
}
