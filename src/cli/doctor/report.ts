import type { Output } from '../terminal/output.ts';
import { safe } from '../terminal/text.ts';

/** The finding of one check of `doctor`. */
export interface Result {
  /** `ok`; `note`: worth knowing; `problem`: something does not work, or will not. */
  status: 'ok' | 'note' | 'problem';
  /** The subject of the check. */
  check: string;
  says: string;
  /** The advice. */
  todo?: string | undefined;
}

const MARKS = { ok: '✓', note: '•', problem: '✗' } as const;

/** Columns for the name of a check. */
const WIDTH = 18;

export function report(out: Output, { status, check, says, todo }: Result): void {
  if (out.json) {
    out.data({ status, check, says, ...(todo !== undefined && { todo }) });
    return;
  }
  const { green, yellow, red, bold, dim } = out.colors;
  const color = { ok: green, note: yellow, problem: red }[status];
  const name = check.padEnd(WIDTH);
  out.line(`${color(MARKS[status])} ${status === 'ok' ? dim(name) : bold(name)} ${safe(says, 1_000)}`);
  if (todo !== undefined) out.line(`${' '.repeat(WIDTH + 3)}${dim('→')} ${safe(todo, 1_000)}`);
}
