import type { Attributes } from '@opentelemetry/api';

import { readableTag } from '../base/tag.ts';
import type { CallEnd } from '../calls/call-end.ts';

/** The names of OpenTelemetry's semantic conventions for RPC (release candidate, 1.44), and our own below `app_net`. */

export const SYSTEM = 'app-net';

/** The name of the library as the source of spans and metrics. */
export const SCOPE = 'app-net';

/** Boundaries of the histograms of durations, in s, as the conventions advise. */
export const DURATION_BOUNDARIES = [
  0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
];

/** The value of `rpc.method` for everything that is too much. */
export const OTHER = '_OTHER';

/** Longest name of a function in an attribute. */
const LONGEST_NAME = 256;

export function methodOf(tag: string): string {
  return readableTag(tag).slice(0, LONGEST_NAME);
}

/** `OK`, the code of the failure of the call itself, or `ERROR` for a function that threw. */
export function statusOf({ ok, code }: CallEnd): string {
  return ok ? 'OK' : (code ?? 'ERROR');
}

export function endAttributes(end: CallEnd): Attributes {
  const attributes: Attributes = { 'rpc.status_code': statusOf(end), 'app_net.ran': end.ran };
  if (!end.ok) attributes['error.type'] = end.code ?? end.error ?? OTHER;
  return attributes;
}
