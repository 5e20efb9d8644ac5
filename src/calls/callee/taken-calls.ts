import type { Link } from '../../connection/link.ts';
import type { CallsTaken } from '../../connection/link-calls.ts';
import { IdTable } from '../id-table.ts';
import type { Held } from './held.ts';
import type { RunningCall } from './running-call.ts';

/** What the dispatcher keeps of a link: the calls that came on it. */
export class TakenCalls implements CallsTaken {
  /** Requests whose function has not settled. */
  readonly running = new IdTable<RunningCall>();
  /** Requests that are not begun yet, and answers not written yet, until the network takes more. */
  held: Held | undefined;
  /** Streams of the other side's calls that are open. */
  openStreams = 0;
  /** The highest request id that was taken. */
  last = 0;

  reads(id: number, arg: number): boolean {
    return this.running.get(id)?.readers?.has(arg) === true;
  }
}

export function takenOver(link: Link): TakenCalls {
  return (link.taken ??= new TakenCalls()) as TakenCalls;
}
