import { LONGEST_PATTERNS, LONGEST_URL } from './values/meta.ts';

/**
 * How much work it is to make a value of its text, where that is not in proportion to the length. Both sides ask before
 * they begin, so that what one side lets out the other takes.
 */

/** `\p{…}` takes up to 100 µs to read. In characters that it counts for: a frame may have 32. */
const PROPERTY = LONGEST_PATTERNS / 32;

/** Properties of strings take 5 ms each to read, and with the flag `i` 36 ms. Only the flag `v` knows them. */
const OF_STRINGS = /\\[pP]\{(?:RGI_|Basic_Emoji|Emoji_Keycap)/;

/** Characters that a regular expression counts for; Infinity for one that no frame may have. */
export function patternCost(source: string, flags: string): number {
  if (source.length > LONGEST_PATTERNS) return Infinity;
  const properties = source.match(/\\[pP]\{/g)?.length ?? 0;
  if (properties === 0) return source.length;
  if (flags.includes('v') && (flags.includes('i') || OF_STRINGS.test(source))) return Infinity;
  return source.length + PROPERTY * properties;
}

/** Characters of a URL that may be anything, and of the authority (user, host, port) of a longer one. */
const LONGEST_AUTHORITY = 2_048;

/** Of the schemes whose hosts are names, however many slashes come before. To all others a host is just characters. */
const AUTHORITY = /^(?:https?|wss?|ftp|file):[/\\]*([^/?#\\]*)/i;

/** Whether it is a URL that may be read: to bring a host name into its normal form takes the square of its length. */
export function isUrlText(text: string): boolean {
  if (text.length <= LONGEST_AUTHORITY) return true;
  if (text.length > LONGEST_URL || !/^[!-~]*$/.test(text)) return false;
  return (AUTHORITY.exec(text)?.[1]?.length ?? 0) <= LONGEST_AUTHORITY;
}
