/** What was to be sent is larger than its receiver takes, or than the engine can hold in one string. */
export class TooLarge extends Error {
  readonly #ours = true;

  /** Asks no prototype: what was thrown may be a proxy of the user's. */
  static is(error: unknown): error is TooLarge {
    return typeof error === 'object' && error !== null && #ours in error && error.#ours;
  }
}
