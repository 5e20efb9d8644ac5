import Table from 'cli-table3';

/** Columns without lines around them, as wide as what is in them. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = new Table({ head: [...head], chars: NO_LINES, style: STYLE });
  for (const row of rows) lines.push([...row]);
  // Without the padding that the last column has to its right.
  return lines
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

const STYLE = { head: [], border: [], 'padding-left': 0, 'padding-right': 2 };

const NO_LINES = Object.fromEntries(
  [
    ...['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'],
    ...['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid', 'middle'],
  ].map((name) => [name, '']),
);
