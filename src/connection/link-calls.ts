/** The calls that this side has made over a link, as far as the link has to know them. */
export interface CallsMade {
  /** Requests without an answer. */
  readonly pending: { readonly size: number };
  /** Places that they take at the other side: those, and those that were taken back and whose function has not settled. */
  readonly places: number;
  /** Whether the result of this call is a stream that is being read. */
  reads(id: number): boolean;
}

/** The calls that came on a link, as far as the link has to know them. */
export interface CallsTaken {
  /** Those whose function has not settled, be it that it has not begun. */
  readonly unsettled: number;
  /** The highest request id that was taken. */
  readonly last: number;
  /** Whether this argument of this call is a stream that is being read. */
  reads(id: number, arg: number): boolean;
}
