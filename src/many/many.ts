import { callAll } from './all.ts';
import type { PeerResult } from './all.ts';
import type { AnyCall, AnyOptions } from './any.ts';
import { Candidates } from './candidates.ts';
import type { Pool } from './pool.ts';
import type { Inputs } from './map-inputs.ts';
import { callMap } from './map.ts';
import type { MapOptions, MapResult } from './map-options.ts';
import { readAnyOptions, readCallOptions, readMapOptions } from './many-options.ts';
import type { AnyFunction } from '../base/function-types.ts';
import type { CallOptions } from '../presence/set/remote-peer.ts';
import type { Results } from './results.ts';
import type { Selector } from '../presence/set/selector.ts';

type IsAny<T> = 0 extends 1 & T ? true : false;

/** What the compiler prints at a call of `all` or `map` of a function that streams. */
type NoAll = 'all() cannot read several streams in one loop. Read each peer: fn.on(peer)(...)';
type NoMap = 'map() cannot read several streams in one loop. Read each one: fn.any()(...)';

/** Whether the function returns a stream of values, and not just one value. */
type IsStream<F extends AnyFunction> =
  IsAny<ReturnType<F>> extends true
    ? false
    : [Awaited<ReturnType<F>>] extends [AsyncIterable<unknown> | ReadableStream]
      ? true
      : false;

/** The type of the only argument that the function can be called with; never, when it takes none or needs more. */
type OnlyArgument<F extends AnyFunction> = Parameters<F>['length'] extends 0
  ? never
  : Parameters<F> extends readonly [(infer First)?, ...infer Others]
    ? [] extends Others
      ? First
      : never
    : never;

/**
 * The type of `fn.all`. Functions that stream have none, because one loop cannot read several streams.
 *
 * @example
 * const everywhere: AllFunction<(n: number) => number> = square.all;
 * for await (const { peer, status } of everywhere({ group: 'gpu' })(3)) console.log(peer.name, status);
 */
export type AllFunction<F extends AnyFunction> =
  IsStream<F> extends true
    ? NoAll
    : (
        select?: Selector,
        options?: CallOptions,
      ) => (...args: Parameters<F>) => Results<PeerResult<Awaited<ReturnType<F>>>>;

/**
 * The type of `fn.map`. Functions that stream have none.
 *
 * @example
 * const overAll: MapFunction<(n: number) => number> = square.map;
 * for await (const { input, status } of overAll([1, 2, 3])) console.log(input, status);
 */
export type MapFunction<F extends AnyFunction> =
  IsStream<F> extends true ? NoMap : [OnlyArgument<F>] extends [never] ? MapWithArgs<F> : MapSignatures<F>;

/** What the compiler says when `args` is missing. It is the type of a parameter because errors print that, in one line. */
type NoArgs =
  'This function does not take one argument. Say what to call it with: map(inputs, { args: (input) => [...] })';

/**
 * The way to call `fn.map` of a function that cannot be called with one argument alone.
 *
 * @example
 * resize.map(images, { args: (image) => [image, 200] });
 */
export interface MapWithArgs<F extends AnyFunction> {
  /** Calls the function with the arguments that `args` makes from each input. */
  <Input>(
    inputs: Inputs<Input>,
    options: MapOptions & { args: (input: Input, index: number) => Readonly<Parameters<F>> },
  ): Results<MapResult<Input, Awaited<ReturnType<F>>>>;
  /** Does not compile: `args` is missing. */
  (inputs: NoArgs): never;
}

/**
 * The two ways to call `fn.map`. A function of one argument takes each input as that argument. Any function takes the
 * arguments that `args` makes from an input.
 *
 * @example
 * square.map([1, 2, 3]);
 * resize.map(images, { args: (image) => [image, 200] });
 */
export interface MapSignatures<F extends AnyFunction> {
  /** Calls the function with each input as its only argument. */
  <Input extends OnlyArgument<F>>(
    inputs: Inputs<Input>,
    options?: MapOptions,
  ): Results<MapResult<Input, Awaited<ReturnType<F>>>>;
  /** Calls the function with the arguments that `args` makes from each input. */
  <Input>(
    inputs: Inputs<Input>,
    options: MapOptions & { args: (input: Input, index: number) => Readonly<Parameters<F>> },
  ): Results<MapResult<Input, Awaited<ReturnType<F>>>>;
}

/** One function, as it is called on any peer, on all peers, or for many inputs. */
export interface ManyTarget {
  readonly tag: string;
  /** Whether it may run twice without harm. */
  readonly idempotent: boolean;
  /** The local peer that makes the calls. */
  pool(): Pool;
}

export function anyCall(target: ManyTarget, select: Selector = {}, options: AnyOptions = {}): AnyCall {
  const candidates = new Candidates(target.pool(), target.tag, select);
  const { idempotent } = target;
  return { candidates, idempotent, ...readAnyOptions(options, candidates.pool.deadline) };
}

export function all(target: ManyTarget, select: Selector = {}, options: CallOptions = {}) {
  const candidates = new Candidates(target.pool(), target.tag, select);
  const call = { candidates, ...readCallOptions(options, candidates.pool.deadline) };
  return (...args: readonly unknown[]): Results<PeerResult<unknown>> => callAll(call, args);
}

export function map(
  target: ManyTarget,
  inputs: Inputs<unknown>,
  options: MapOptions = {},
): Results<MapResult<unknown, unknown>> {
  if (!isIterable(inputs)) {
    throw new TypeError('map(inputs): inputs must be an array or another iterable');
  }
  const candidates = new Candidates(target.pool(), target.tag, options.select ?? {});
  const { idempotent } = target;
  const call = { candidates, idempotent, ...readMapOptions(options, candidates.pool.deadline) };
  return callMap(call, inputs);
}

function isIterable(inputs: unknown): boolean {
  if (inputs === null || inputs === undefined) return false;
  return Symbol.iterator in Object(inputs) || Symbol.asyncIterator in Object(inputs);
}
