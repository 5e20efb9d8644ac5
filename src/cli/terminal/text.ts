import { randomInt } from 'node:crypto';

/**
 * The one place that makes foreign text printable. The output of a command is full of names, messages and values of
 * other processes. None of them may move the cursor, colour or reorder the text, or hide in it. So the command marks
 * its own colours and cursor movements with a secret. The output writes these, and no other terminal sequence.
 */

/** In groups of four digits, because Node measures coloured text by leaving out sequences of this form. */
const SECRET = Array.from({ length: 4 }, () => `${randomInt(1_000, 10_000)};`).join('');

const MARK = `\u001b[${SECRET}`;
const OWN = new RegExp(`\\u001b\\[${SECRET}([?\\d]*[A-Za-z])`, 'g');

/**
 * Control characters (C0, C1 and DEL), characters that separate lines or turn the direction of text, invisible format
 * characters, and halves of characters. Joiners stay: scripts and emoji need them.
 */
const STEERING = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]|(?![\u200c\u200d])\p{Cf}/gu;
const STEERING_BUT_LINES = /(?![\n\t])[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]|(?![\u200c\u200d])\p{Cf}/gu;

/** Stands for a character that is not shown. */
const SHOWN = '\u{fffd}';

/** A sequence of the command's own, such as `31m` or `2A`, for the output to write. */
export function steer(sequence: string): string {
  return MARK + sequence;
}

/** Foreign text on one line, cut to this many characters. */
export function safe(text: string, longest = 256): string {
  // The cut comes first, so that the work depends on the length that is shown and not on the length that arrived.
  return cut(text, longest).replace(STEERING, SHOWN);
}

/** Foreign text that keeps its lines. */
export function safeLines(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(STEERING_BUT_LINES, SHOWN);
}

/** The text for the terminal: the command's own sequences in their real form, and no other sequence. */
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

/** Removes the command's own sequences, to measure the text. */
export function unsteered(text: string): string {
  return text.includes(MARK) ? text.replace(OWN, '') : text;
}

/** At most this many characters, with an ellipsis for the rest. Never half a character. */
export function cut(text: string, longest: number): string {
  if (text.length <= longest) return text;
  return `${text.slice(0, Math.max(0, longest - 1)).replace(/[\ud800-\udbff]$/, '')}…`;
}

/** One line of JSON that is as harmless on a terminal as in a file. */
export function jsonLine(value: unknown): string {
  const text = JSON.stringify(value) ?? 'null';
  return text.replace(STEERING, (character) =>
    [...Array(character.length).keys()]
      .map((index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}
