import type { Candidates } from './candidates.ts';
import type { RemotePeer } from '../presence/remote-peer.ts';
import type { Selector } from '../presence/selector.ts';

/** What became of one input. */
export type MapResult<Input, Value> = {
  /** Which input it is, from 0. */
  readonly index: number;
  readonly input: Input;
} & (
  | { readonly status: 'fulfilled'; readonly value: Value; readonly peer: RemotePeer }
  /** `peer` is the last one that had the input, if any had. */
  | { readonly status: 'rejected'; readonly reason: unknown; readonly peer: RemotePeer | undefined }
);

export interface MapProgress {
  /** Inputs that have a result, fulfilled or rejected. */
  readonly done: number;
  /** Those among them that were rejected. */
  readonly failed: number;
  /** Inputs that peers work on now. */
  readonly running: number;
  /** Peers that take part now. */
  readonly peers: number;
  /** All inputs: known from the start for an array, a Set or a Map, else when the last has been taken. */
  readonly total: number | undefined;
}

export interface MapOptions {
  /** Inputs that each peer works on at the same time. Default: 4. */
  concurrency?: number | undefined;
  /** Results in the order of the inputs. Default: false, as they arrive. */
  ordered?: boolean | undefined;
  /** Which peers take part. Default: those of the own group. */
  select?: Selector | undefined;
  /** How long one input may take, in ms, with all its attempts. Default: the peer's `deadline` option. */
  deadline?: number | undefined;
  /** Ends the loop: it throws the signal's reason, and what runs is taken back. */
  signal?: AbortSignal | undefined;
  /** Called at the start, after each result and when a peer comes or goes. What it throws ends the loop. */
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
  onProgress: ((progress: MapProgress) => void) | undefined;
  /** Makes the arguments of the call for an input. */
  args: (input: unknown, index: number) => readonly unknown[];
}
