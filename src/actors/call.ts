import type { PeerRecord } from './peer-record.ts';
import type { Link } from './link.ts';

/**
 * One call on its way, from the promise the user holds to the answer. It is itself the message to the caller, so
 * that a call costs one object less.
 */
export class Call {
  readonly type = 'call.send';
  readonly record: PeerRecord;
  readonly tag: string;
  readonly args: readonly unknown[];
  /** How long it may take, in ms. */
  readonly time: number;
  /** When it fails at the latest, on the peer's clock, in ms. */
  readonly deadline: number;
  /** Settles the user's promise. Failures go through it too: `call-failure.ts` says why. */
  readonly resolve: (value: unknown) => void;
  readonly signal: AbortSignal | undefined;
  /** The frames of the local call; undefined when they were not worth the microseconds. */
  readonly site: string | undefined;

  /** The caller's: takes the listener off the signal. */
  release: (() => void) | undefined;
  /** The caller's: where it was sent; undefined while it waits, and again once it is settled. */
  link: Link | undefined;
  /** The caller's: its request id there. */
  id = 0;
  /** The caller's. */
  settled = false;

  constructor(init: {
    record: PeerRecord;
    tag: string;
    args: readonly unknown[];
    time: number;
    deadline: number;
    resolve: (value: unknown) => void;
    signal: AbortSignal | undefined;
    site: string | undefined;
  }) {
    this.record = init.record;
    this.tag = init.tag;
    this.args = init.args;
    this.time = init.time;
    this.deadline = init.deadline;
    this.resolve = init.resolve;
    this.signal = init.signal;
    this.site = init.site;
  }
}
