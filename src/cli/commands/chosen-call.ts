import type { Peer, RemotePeer, Selector } from '../../index.ts';

/** What was asked for on the command line, and what it turned out to mean. */

export interface CallOptions {
  group?: string;
  /** On this one, by name or id. */
  peer?: string;
  /** On one that has the function; so it is without any of these. */
  any?: boolean;
  /** On every one that has it. */
  all?: boolean;
  /** For each line of this file, spread over all that have it. */
  map?: string;
  /** In ms; endless without: somebody who waits has Ctrl-C. */
  deadline?: number;
  /** It may run twice without harm, so a call that may have run is made again. */
  idempotent?: boolean;
  concurrency?: number;
  ordered?: boolean;
  /** Each line of the file holds all arguments of a call. */
  spread?: boolean;
}

/** A call whose function and peers have been found. */
export interface Chosen {
  readonly own: Peer;
  readonly tag: string;
  readonly select: Selector;
  readonly deadline: number;
  readonly options: CallOptions;
}

export function nameOf({ id, name }: RemotePeer): { id: string; name: string } {
  return { id, name };
}
