import type { AnyCall, AnyOptions } from './any.ts';
import type { MapCall, MapOptions } from './map-options.ts';
import { CALL_OPTIONS, checkCallOptions } from '../calls/caller/call-options.ts';
import { abortSignal, boolean, milliseconds, whole } from '../base/option-checks.ts';
import type { CallOptions } from '../presence/set/remote-peer.ts';
import { encodeBeside } from '../wire/beside.ts';
import type { CallMeta } from '../wire/beside.ts';
import { refuseSelector } from '../presence/set/selector.ts';

/** The options of `any`, `all` and `map`, read before anything is sent. Each function throws a TypeError. */

// The types make the lists complete: a new option that is missing here does not compile.
const ANY: Record<keyof AnyOptions, true> = { ...CALL_OPTIONS, wait: true };
const MAP: Record<keyof MapOptions | 'args', true> = {
  ...CALL_OPTIONS,
  concurrency: true,
  ordered: true,
  select: true,
  onProgress: true,
  args: true,
};

interface Limits {
  time: number;
  signal: AbortSignal | undefined;
  meta: CallMeta | undefined;
}

type Read<Call> = Omit<Call, 'candidates' | 'idempotent'>;

export function readCallOptions(options: CallOptions, otherwise: number): Limits {
  return read(options, CALL_OPTIONS, otherwise);
}

export function readAnyOptions(options: AnyOptions, otherwise: number): Read<AnyCall> {
  return { ...read(options, ANY, otherwise), wait: boolean('wait', options.wait, false) };
}

export function readMapOptions(options: MapOptions & { args?: unknown }, otherwise: number): Read<MapCall> {
  refuseSelector(options, (field) => `give select: { ${field} }`);
  const limits = read(options, MAP, otherwise);
  const { onProgress, args } = options;
  for (const [name, value] of Object.entries({ onProgress, args })) {
    if (value !== undefined && typeof value !== 'function') throw new TypeError(`${name}: give a function`);
  }
  return {
    ...limits,
    concurrency: whole('concurrency', options.concurrency, 4, 1),
    ordered: boolean('ordered', options.ordered, false),
    onProgress,
    args: args === undefined ? (input) => [input] : argumentsOf(args as MapCall['args']),
  };
}

function read(options: CallOptions, known: Record<string, true>, otherwise: number): Limits {
  checkCallOptions(options, known);
  const { meta } = options;
  // Says now what is wrong with it, and not once for each peer.
  encodeBeside(meta, undefined);
  return {
    time: milliseconds('deadline', options.deadline, otherwise),
    signal: abortSignal('signal', options.signal),
    meta,
  };
}

/** Without types, the user's function may return something other than an array. */
function argumentsOf(args: MapCall['args']): MapCall['args'] {
  return (input, index) => {
    const list: unknown = args(input, index);
    if (Array.isArray(list)) return list;
    throw new TypeError('args: the function must return an array of arguments');
  };
}
