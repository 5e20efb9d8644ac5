/** Replaces control characters, and characters that change the direction of the text after them. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Bidi_Control}]/gu, '\u{fffd}');
}

/**
 * The message of anything that was thrown. Only an error's own text is taken. Anything else is not turned into text: that
 * would run its code, and an array of arrays can become more text than the process can hold.
 */
export function messageOf(thrown: unknown): string {
  try {
    if (isBriefText(thrown)) return String(thrown);
    const { message } = thrown as { message?: unknown };
    return typeof message === 'string' ? message : 'something that is not an error was thrown';
  } catch {
    return 'an error that cannot be read';
  }
}

/**
 * Whether this is text, or becomes short text without running foreign code. Check the name and the message of a foreign error
 * before you read its stack: the engine makes the first line of the stack from them at that moment.
 */
export function isBriefText(value: unknown): boolean {
  return (typeof value !== 'object' && typeof value !== 'function') || value === null;
}

/** The name of something foreign, or `otherwise` if its name is not text. */
export function nameOr(name: unknown, otherwise: string): string {
  return typeof name === 'string' && name !== '' ? name.slice(0, 128) : otherwise;
}
