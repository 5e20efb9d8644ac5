/**
 * A request that was not read where it arrived. The thread that runs the function reads it, so that large arguments cost this
 * thread nothing.
 */
export interface PassedOn {
  /** The line after the id of the request. */
  readonly rest: string;
  /** The binary messages that belong to it. */
  readonly binaries: readonly Uint8Array[];
}
