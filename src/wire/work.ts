import { LONGEST_PATTERNS, LONGEST_URL } from './values/meta.ts';

/**
 * Limits for values whose creation is not in proportion to the length of their text. Both sides check before they begin, so that
 * one side never sends a value that the other refuses.
 */

/** `\p{…}` takes up to 100 µs to compile. It counts as this many characters, so that a frame may have 32 of them. */
const PROPERTY = LONGEST_PATTERNS / 32;

/** Properties of strings take 5 ms each to compile, and 36 ms with the flag `i`. They exist only with the flag `v`. */
const OF_STRINGS = /\\[pP]\{(?:RGI_|Basic_Emoji|Emoji_Keycap)/;

/** The number of characters that a regular expression counts as; Infinity for one that no frame may have. */
export function patternCost(source: string, flags: string): number {
  if (source.length > LONGEST_PATTERNS) return Infinity;
  const properties = source.match(/\\[pP]\{/g)?.length ?? 0;
  if (properties === 0) return source.length;
  if (flags.includes('v') && (flags.includes('i') || OF_STRINGS.test(source))) return Infinity;
  return source.length + PROPERTY * properties;
}

/** A URL of at most this many characters is not checked. The authority (user, host, port) of a longer one may have as many. */
const LONGEST_AUTHORITY = 2_048;

/**
 * The authority, for the schemes whose hosts are names, after any number of slashes. In other schemes a host is just characters.
 */
const AUTHORITY = /^(?:https?|wss?|ftp|file):[/\\]*([^/?#\\]*)/i;

/** Whether a URL may be parsed: the time to normalise a host name grows with the square of its length. */
export function isUrlText(text: string): boolean {
  if (text.length <= LONGEST_AUTHORITY) return true;
  if (text.length > LONGEST_URL || !/^[!-~]*$/.test(text)) return false;
  return (AUTHORITY.exec(text)?.[1]?.length ?? 0) <= LONGEST_AUTHORITY;
}
