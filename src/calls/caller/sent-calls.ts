import type { Link, PeerRecord } from '../../connection/link/link.ts';
import type { CallsMade } from '../../connection/link/link-calls.ts';
import { CallQueue } from './call-queue.ts';
import type { Call } from './call.ts';
import { IdTable } from '../id-table.ts';

/** The caller's record of a link: the calls that were made over it. */
export class SentCalls implements CallsMade {
  /** Requests without an answer. */
  readonly pending = new IdTable<Call>();
  /** Cancelled requests, until the other side says that their function has settled. */
  abandoned: Set<number> | undefined;
  /** Open streams of these calls. */
  streams = 0;
  /** Id of the newest request. */
  last = 0;

  get places(): number {
    return this.pending.size + (this.abandoned?.size ?? 0);
  }

  reads(id: number): boolean {
    return this.pending.get(id)?.reader !== undefined;
  }
}

export function sentOver(link: Link): SentCalls {
  return (link.made ??= new SentCalls()) as SentCalls;
}

/** The calls that wait here until the peer has room for them. */
export function waitingFor(record: PeerRecord): CallQueue {
  return (record.waiting ??= new CallQueue()) as CallQueue;
}
