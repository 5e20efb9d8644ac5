import type { Peer, RemotePeer, Selector } from '../../index.ts';

/** The options of a call on the command line, and the function and peers that they mean. */

export interface CallOptions {
  group?: string;
  /** Call this peer, by name or id. */
  peer?: string;
  /** Call one peer that has the function; this is the default. */
  any?: boolean;
  /** Call every peer that has the function. */
  all?: boolean;
  /** Call for each line of this file, spread over all peers that have the function. */
  map?: string;
  /** In ms; no limit without it, since a person who waits has Ctrl-C. */
  deadline?: number;
  /** The function may run twice without harm, so a call that may have run is repeated. */
  idempotent?: boolean;
  concurrency?: number;
  ordered?: boolean;
  /** A JSON object that travels with each call. */
  meta?: string;
  /** Each line of the file holds all arguments of a call. */
  spread?: boolean;
}

/** A call whose function and peers have been found. */
export interface Chosen {
  readonly own: Peer;
  readonly tag: string;
  readonly select: Selector;
  readonly deadline: number;
  readonly meta: Record<string, unknown> | undefined;
  readonly options: CallOptions;
}

export function nameOf({ id, name }: RemotePeer): { id: string; name: string } {
  return { id, name };
}
