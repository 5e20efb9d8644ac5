/**
 * The state of each call that a thread was given, in memory that both threads share. So the main thread knows exactly which
 * calls had begun when a thread ends, and can take back those that had not.
 */
export const SLOT = {
  /** It has not begun, and may still be taken back. */
  WAITS: 0,
  /** Its function has begun. */
  BEGAN: 1,
  /** It was taken back before it began. The thread skips it. */
  TAKEN_BACK: 2,
  /** Its function has begun, and nobody waits for it any more. */
  CANCELLED: 3,
  /** The same, because its deadline has passed. */
  LATE: 4,
} as const;

/** Stands before a request that came from another process and was not read by the main thread. */
export const FORWARDED = 1;

/** Calls that one thread can be given at a time. */
export const SLOTS = 1_024;

/** The word after the slots: how long a call took lately, in µs. The thread writes it; 0 while that is unknown, or too long. */
export const PACE = 1_024;

/** Memory for the slots and the pace. */
export function makeSlots(): Int32Array {
  return new Int32Array(new SharedArrayBuffer((PACE + 1) * Int32Array.BYTES_PER_ELEMENT));
}

/** Changes the state if it is still `from`. @returns whether it was */
export function change(slots: Int32Array, slot: number, from: number, to: number): boolean {
  return Atomics.compareExchange(slots, slot, from, to) === from;
}
