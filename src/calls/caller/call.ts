import type { PeerRecord, Link } from '../../connection/link/link.ts';
import type { GivenStreams } from '../streams/given-streams.ts';
import type { CallEnd } from '../call-end.ts';
import type { StreamReader } from '../streams/stream-reader.ts';
import type { StreamWriter } from '../streams/stream-writer.ts';

/**
 * One call on its way, from the promise that the user holds to the answer. It is itself the message to the caller
 * actor, which saves an object per call.
 */
export class Call {
  readonly type = 'call.send';
  readonly record: PeerRecord;
  readonly tag: string;
  readonly args: readonly unknown[];
  /** How long it may take, in ms. For a stream: how long its reader may wait for a value. */
  readonly time: number;
  /** When it fails at the latest, on the peer's clock, in ms. Each value of a stream moves it. */
  deadline: number;
  /** Settles the user's promise. Failures go through it too; `call-failure.ts` says why. */
  readonly resolve: (value: unknown) => void;
  /** Each of these cancels the call: the user's own signal, and that of the call that it is made in. */
  readonly signals: readonly AbortSignal[] | undefined;
  /** The frames of the local call; undefined when they were not worth the microseconds. */
  readonly site: string | undefined;
  /** The arguments that are streams. */
  readonly given: GivenStreams | undefined;
  /** What travels beside the arguments, as `encodeBeside` writes it; usually nothing. */
  readonly beside: string;
  /** When it was made, on the clock. */
  readonly madeAt: number;
  /** Somebody wants to know how it ends. */
  readonly onEnd: ((end: CallEnd) => void) | undefined;

  /** Set by the caller actor: removes the listeners from the signals. */
  release: (() => void) | undefined;
  /** Set by the caller actor: the link that it was sent over; undefined while it waits and after it has settled. */
  link: Link | undefined;
  /** Set by the caller actor: its request id on that link. */
  id = 0;
  /** Set by the caller actor. */
  settled = false;
  /** Set by the caller actor: whether it keeps the process alive. */
  holds = false;
  /** Set by the caller actor: reads the result, once that has turned out to be a stream. */
  reader: StreamReader | undefined;
  /** Set by the caller actor: writes the arguments that are streams, by position, once they are sent. */
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
    beside: string,
    madeAt: number,
    onEnd: ((end: CallEnd) => void) | undefined,
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
    this.beside = beside;
    this.madeAt = madeAt;
    this.onEnd = onEnd;
  }
}
