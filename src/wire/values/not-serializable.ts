/** Characters of a path, and of the description of a value. Keys and names come from the user and can have any length. */
const LONGEST = 1_024;

/** A value cannot be sent. `path` begins with the name that the encoder was given: `args[0].user.save`. */
export class NotSerializable extends Error {
  readonly #ours = true;
  readonly path: string;

  /** @param what describes the value; details, such as the error of a getter, go into the `cause` */
  constructor(path: string, what: string, options?: ErrorOptions) {
    const shown = path.length > LONGEST ? `${path.slice(0, LONGEST)}…` : path;
    super(`${shown} is ${what.slice(0, LONGEST)}, which cannot be sent to another process`, options);
    this.path = shown;
  }

  /** Does not use `instanceof`: the thrown value may be a proxy of the user, which would run. */
  static is(error: unknown): error is NotSerializable {
    return typeof error === 'object' && error !== null && #ours in error && error.#ours;
  }
}

/** The message of an error that a user's getter has thrown, for a message of ours. */
export function reasonOf(cause: unknown): string {
  try {
    const { message } = cause as { message?: unknown };
    return typeof message === 'string' && message !== '' ? ` (${message.slice(0, 128)})` : '';
  } catch {
    return '';
  }
}
