import type { PeerRecord, Link } from '../../connection/link.ts';
import type { GivenStreams } from '../streams/given-streams.ts';
import type { StreamReader } from '../streams/stream-reader.ts';
import type { StreamWriter } from '../streams/stream-writer.ts';

/**
 * One call on its way, from the promise the user holds to the answer. It is itself the message to the caller, so
 * that a call costs one object less.
 */
export class Call {
  readonly type = 'call.send';
  readonly record: PeerRecord;
  readonly tag: string;
  readonly args: readonly unknown[];
  /** How long it may take, in ms; of a stream, how long a value may keep its reader waiting. */
  readonly time: number;
  /** When it fails at the latest, on the peer's clock, in ms. Moves while values of a stream come. */
  deadline: number;
  /** Settles the user's promise. Failures go through it too: `call-failure.ts` says why. */
  readonly resolve: (value: unknown) => void;
  /** Any of these takes the call back: the user's own, and that of the call on whose behalf it is made. */
  readonly signals: readonly AbortSignal[] | undefined;
  /** The frames of the local call; undefined when they were not worth the microseconds. */
  readonly site: string | undefined;
  /** The arguments that are streams. */
  readonly given: GivenStreams | undefined;

  /** The caller's: takes the listeners off the signals. */
  release: (() => void) | undefined;
  /** The caller's: where it was sent; undefined while it waits, and again once it is settled. */
  link: Link | undefined;
  /** The caller's: its request id there. */
  id = 0;
  /** The caller's. */
  settled = false;
  /** The caller's: whether it keeps the process alive. */
  holds = false;
  /** The caller's: the result, once that has turned out to be a stream. */
  reader: StreamReader | undefined;
  /** The caller's: the arguments that are streams, by position, once they are sent. */
  writers: Map<number, StreamWriter> | undefined;

  constructor(
    record: PeerRecord,
    tag: string,
    args: readonly unknown[],
    time: number,
    deadline: number,
    resolve: (value: unknown) => void,
    signals: readonly AbortSignal[] | undefined,
    site: string | undefined,
    given: GivenStreams | undefined,
  ) {
    this.record = record;
    this.tag = tag;
    this.args = args;
    this.time = time;
    this.deadline = deadline;
    this.resolve = resolve;
    this.signals = signals;
    this.site = site;
    this.given = given;
  }
}
