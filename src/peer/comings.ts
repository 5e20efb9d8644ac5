import type { LeaveReason } from '../connection/link/evidence.ts';

/** Joins and leaves of one peer's set. */
export class Comings {
  joins = 0;
  readonly leaves: Record<LeaveReason, number> = { stopped: 0, lost: 0, replaced: 0, unreachable: 0 };
}
