import type { Candidates } from './candidates.ts';
import type { RemotePeer } from '../presence/set/remote-peer.ts';
import type { CallMeta } from '../wire/beside.ts';
import type { Selector } from '../presence/set/selector.ts';

/**
 * The result for one input of `map`: `value` if the call succeeded, `reason` if it failed.
 *
 * @example
 * for await (const result of resize.map(images, { args: (image) => [image, 200] })) {
 *   if (result.status === 'rejected') console.log(result.index, result.reason);
 * }
 */
export type MapResult<Input, Value> = {
  /** The position of the input, from 0. */
  readonly index: number;
  /** The input itself. */
  readonly input: Input;
} & (
  | { readonly status: 'fulfilled'; readonly value: Value; readonly peer: RemotePeer }
  /** `peer` is the last peer that had the input; undefined if none had it. */
  | { readonly status: 'rejected'; readonly reason: unknown; readonly peer: RemotePeer | undefined }
);

/**
 * How far a `map` has come.
 *
 * @example
 * const onProgress = ({ done, total }: MapProgress) => console.log(`${done} of ${total ?? 'unknown'}`);
 * for await (const result of resize.map(images, { args: (image) => [image, 200], onProgress })) console.log(result);
 */
export interface MapProgress {
  /** Inputs that have a result, fulfilled or rejected. */
  readonly done: number;
  /** Results that are rejected; they count in `done`, too. */
  readonly failed: number;
  /** Inputs that peers are working on now. */
  readonly running: number;
  /** Peers that take part now. */
  readonly peers: number;
  /** All inputs. Known from the start for an array, a Set or a Map; else undefined until the last input was taken. */
  readonly total: number | undefined;
}

/**
 * Options of `map`.
 *
 * @example
 * const options: MapOptions = { concurrency: 2, ordered: true, select: { group: 'gpu' } };
 * for await (const result of square.map([1, 2, 3], options)) console.log(result.index, result.status);
 */
export interface MapOptions {
  /** How many inputs each peer works on at the same time. Default: 4. */
  concurrency?: number | undefined;
  /** Whether results come in the order of the inputs. Default: false; they come as they arrive. */
  ordered?: boolean | undefined;
  /** Which peers take part. Default: the peers of your own group. */
  select?: Selector | undefined;
  /** How long one input may take, in ms, with all its attempts. Default: the `deadline` option of the peer. */
  deadline?: number | undefined;
  /** Ends the loop when it aborts: the loop throws the signal's reason, and running calls are cancelled. */
  signal?: AbortSignal | undefined;
  /** A small object that travels with each call; see `CallOptions`. */
  meta?: CallMeta | undefined;
  /** Called at the start, after each result, and when a peer joins or leaves. An error that it throws ends the loop. */
  onProgress?: ((progress: MapProgress) => void) | undefined;
}

export interface MapCall {
  candidates: Candidates;
  /** Whether the function may run twice without harm. */
  idempotent: boolean;
  concurrency: number;
  ordered: boolean;
  /** How long one input may take with all its attempts, in ms. */
  time: number;
  signal: AbortSignal | undefined;
  meta?: CallMeta | undefined;
  onProgress: ((progress: MapProgress) => void) | undefined;
  /** Makes the arguments of the call for an input. */
  args: (input: unknown, index: number) => readonly unknown[];
}
