/** A value to be sent is larger than its receiver accepts, or than the engine can hold in one string. */
export class TooLarge extends Error {
  readonly #ours = true;

  /** Does not use `instanceof`: the thrown value may be a proxy of the user, which would run. */
  static is(error: unknown): error is TooLarge {
    return typeof error === 'object' && error !== null && #ours in error && error.#ours;
  }
}
