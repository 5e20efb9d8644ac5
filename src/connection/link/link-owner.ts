/** The owner of a link's socket. */
export interface LinkOwner {
  /** The last call of a link that is `leaving` has settled. */
  idle(): void;
  /** The network has taken everything that was written. */
  drained(wasCongested: boolean): void;
  /** Nothing has arrived for too long. */
  silent(): void;
  /** Something has arrived after the silence. */
  heard(): void;
  /** An unexpected error occurred on the link. It is being closed. */
  failed(error: unknown): void;
  /** The other side has broken the protocol, or lost its right to the link: close it with this code. */
  breached(reason: string, isDeaf: boolean, code: number): void;
}
