import type { Link } from '../../connection/link/link.ts';
import type { CallsTaken } from '../../connection/link/link-calls.ts';
import { IdTable } from '../id-table.ts';
import type { Held } from './held.ts';
import type { Telling } from './limited.ts';
import type { RunningCall } from './running-call.ts';

/** The dispatcher's record of a link: the calls that arrived on it. */
export class TakenCalls implements CallsTaken {
  /** Requests whose function has not settled. */
  readonly running = new IdTable<RunningCall>();
  /** Requests that have not started and answers that are not written, until the network takes more. */
  held: Held | undefined;
  /** How many requests of it are not begun yet. */
  putOff = 0;
  /** Open streams of the other side's calls. */
  openStreams = 0;
  /** Functions whose load the other side is told. */
  tellings: Set<Telling> | undefined;
  /** The highest request id received. */
  last = 0;

  get unsettled(): number {
    return this.running.size + this.putOff;
  }

  reads(id: number, arg: number): boolean {
    return this.running.get(id)?.readers?.has(arg) === true;
  }
}

export function takenOver(link: Link): TakenCalls {
  return (link.taken ??= new TakenCalls()) as TakenCalls;
}
