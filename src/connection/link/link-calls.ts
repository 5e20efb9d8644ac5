/** The calls that this side has made over a link: the facts that the link needs. */
export interface CallsMade {
  /** Requests without an answer. */
  readonly pending: { readonly size: number };
  /** Places in use on the other side: pending requests, and cancelled ones whose function has not settled. */
  readonly places: number;
  /** Its open streams. */
  readonly streams: number;
  /** Id of the newest request. */
  readonly last: number;
  /** Whether the result of this call is a stream that is being read. */
  reads(id: number): boolean;
}

/** The calls that came over a link: the facts that the link needs. */
export interface CallsTaken {
  /** Calls whose function has not settled, including those that have not begun. */
  readonly unsettled: number;
  /** Its open streams. */
  readonly openStreams: number;
  /** The highest request id that was taken. */
  readonly last: number;
  /** Whether this argument of this call is a stream that is being read. */
  reads(id: number, arg: number): boolean;
}
