/** Characters of a path, and of the description of a value. Keys and names come from the user and can have any length. */
const LONGEST = 1_024;

/** A value cannot be sent. Takes the place of `wire/values/not-serializable.ts` in a page. */
export class NotSerializable extends Error {
  constructor(path: string, what: string, options?: ErrorOptions) {
    const shown = path.length > LONGEST ? `${path.slice(0, LONGEST)}…` : path;
    super(`${shown} is ${what.slice(0, LONGEST)}, which cannot be sent to another process`, options);
  }
}

/** The message of an error that a user's getter has thrown. */
export function reasonOf(cause: unknown): string {
  try {
    const { message } = cause as { message?: unknown };
    return typeof message === 'string' && message ? ` (${message.slice(0, 128)})` : '';
  } catch {
    return '';
  }
}
