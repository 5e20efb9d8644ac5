/** Characters of a path, and of what is said of the value: keys and names are the user's, and may be of any length. */
const LONGEST = 1_024;

/** A value that cannot be carried. `path` begins with the name the encoder was given: `args[0].user.save`. */
export class NotSerializable extends Error {
  readonly #ours = true;
  readonly path: string;

  /** @param what the value is; whatever else there is to say to it, such as the error of a getter, is its cause */
  constructor(path: string, what: string, options?: ErrorOptions) {
    const shown = path.length > LONGEST ? `${path.slice(0, LONGEST)}…` : path;
    super(`${shown} is ${what.slice(0, LONGEST)}, which cannot be carried to another process`, options);
    this.path = shown;
  }

  /** Asks no prototype: what was thrown may be a proxy of the user's. */
  static is(error: unknown): error is NotSerializable {
    return typeof error === 'object' && error !== null && #ours in error && error.#ours;
  }
}

/** What a getter of the user's has thrown, for a message. */
export function reasonOf(cause: unknown): string {
  try {
    const { message } = cause as { message?: unknown };
    return typeof message === 'string' && message !== '' ? ` (${message.slice(0, 128)})` : '';
  } catch {
    return '';
  }
}
