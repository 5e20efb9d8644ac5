import { randomInt } from 'node:crypto';

/**
 * The one place that makes foreign text printable. What a command writes is full of names, messages and values of other
 * processes. Nothing of theirs may move the cursor, colour or reorder the text, or hide in it. So the command marks its
 * own colours and cursor movements with a secret; the output writes these, and nothing else that steers a terminal.
 */

/** In groups of four digits: Node measures coloured text by leaving out what looks like such a sequence. */
const SECRET = Array.from({ length: 4 }, () => `${randomInt(1_000, 10_000)};`).join('');

const MARK = `\u001b[${SECRET}`;
const OWN = new RegExp(`\\u001b\\[${SECRET}([?\\d]*[A-Za-z])`, 'g');

/**
 * Control characters (C0, C1 and DEL), what separates lines or turns the direction of text, format characters that are
 * not seen, and halves of characters. Joiners stay: scripts and emoji need them.
 */
const STEERING = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]|(?![\u200c\u200d])\p{Cf}/gu;
const STEERING_BUT_LINES = /(?![\n\t])[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]|(?![\u200c\u200d])\p{Cf}/gu;

/** What stands for a character that is not shown. */
const SHOWN = '\u{fffd}';

/** A sequence of the command's own, such as `31m` or `2A`, for the output to write. */
export function steer(sequence: string): string {
  return MARK + sequence;
}

/** What another program said, in one line, at most so many characters of it. */
export function safe(text: string, longest = 256): string {
  // Cut first: what is made printable is as long as what is shown, and not as what came.
  return cut(text, longest).replace(STEERING, SHOWN);
}

/** The same with the lines that it has. */
export function safeLines(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(STEERING_BUT_LINES, SHOWN);
}

/** What is written at last: the command's own sequences as a terminal knows them, and nothing else that steers it. */
export function written(text: string): string {
  if (!text.includes(MARK)) return safeLines(text);
  let end = 0;
  let result = '';
  for (const own of text.matchAll(OWN)) {
    result += `${safeLines(text.slice(end, own.index))}\u001b[${own[1]!}`;
    end = own.index + own[0].length;
  }
  return result + safeLines(text.slice(end));
}

/** Without the command's own sequences, for measuring. */
export function unsteered(text: string): string {
  return text.includes(MARK) ? text.replace(OWN, '') : text;
}

/** At most so many characters, with an ellipsis for the rest. Never half a character. */
export function cut(text: string, longest: number): string {
  if (text.length <= longest) return text;
  return `${text.slice(0, Math.max(0, longest - 1)).replace(/[\ud800-\udbff]$/, '')}…`;
}

/** One line of JSON that is as harmless on a terminal as it is in a file. */
export function jsonLine(value: unknown): string {
  const text = JSON.stringify(value) ?? 'null';
  return text.replace(STEERING, (character) =>
    [...Array(character.length).keys()]
      .map((index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}
