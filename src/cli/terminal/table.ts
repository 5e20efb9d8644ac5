import { unsteered } from './text.ts';

/** Columns without borders, as wide as their content. One pass over the cells. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [head, ...rows].map((row) => row.map((text) => ({ text, width: widthOf(unsteered(text)) })));
  const widths = head.map((_, column) =>
    cells.reduce((widest, row) => Math.max(widest, row[column]!.width), 0),
  );
  return cells
    .map((row) =>
      row
        .map(({ text, width }, column) =>
          // The last column needs no padding.
          column === row.length - 1 ? text : text + ' '.repeat(widths[column]! + 2 - width),
        )
        .join('')
        .trimEnd(),
    )
    .join('\n');
}

/** How many columns of a terminal a text takes: none for characters that join the one before, two for wide scripts. */
export function widthOf(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let width = 0;
  for (const character of text) {
    if (!NO_WIDTH.test(character)) width += WIDE.test(character) ? 2 : 1;
  }
  return width;
}

const PLAIN = /^[ -~]*$/;
const NO_WIDTH = /^[\p{Mn}\p{Me}\p{Cf}]$/u;

/** Unicode's East Asian Width in blocks, and characters that are shown as pictures. */
const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{1b000}-\u{1b2ff}\u{20000}-\u{3fffd}\p{Emoji_Presentation}]$/u;
