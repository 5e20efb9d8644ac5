import { createRequire } from 'node:module';

import { spawn } from '@lydell/node-pty';
import type { IPty } from '@lydell/node-pty';
import type { IBufferCell, Terminal } from '@xterm/headless';

// It says of itself that it is an ES module, and has no default export then, or else only that.
const xterm = createRequire(import.meta.url)('@xterm/headless') as typeof import('@xterm/headless');

/** Characters in a row that look alike. */
export interface Run {
  column: number;
  text: string;
  /** 0 to 15; undefined: the usual one. */
  color: number | undefined;
  bold: boolean;
  dim: boolean;
}

export type Row = Run[];

/** What was to be seen, and since when. */
export interface Frame {
  /** In ms. */
  at: number;
  rows: Row[];
  cursor: { column: number; row: number };
}

/** A shell in a pseudo-terminal, recorded. */
export class Screen {
  readonly frames: Frame[] = [];
  readonly columns: number;
  readonly rows: number;
  readonly #pty: IPty;
  readonly #terminal: Terminal;
  readonly #start = performance.now();

  constructor(columns: number, rows: number, cwd: string, env: NodeJS.ProcessEnv) {
    this.columns = columns;
    this.rows = rows;
    this.#terminal = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true });
    this.#pty = spawn('bash', ['--noprofile', '--norc'], { cols: columns, rows, cwd, env });
    this.#pty.onData((data) => this.#terminal.write(data, () => this.#record()));
  }

  async type(text: string): Promise<void> {
    for (const key of text) {
      this.#pty.write(key);
      await new Promise((resolve) => setTimeout(resolve, 35));
    }
  }

  /** Resolves once the screen looks like that. */
  async shows(wanted: RegExp): Promise<void> {
    const end = performance.now() + 20_000;
    while (!wanted.test(this.text)) {
      if (performance.now() > end) throw new Error(`${String(wanted)} never came:\n${this.text}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  get text(): string {
    return this.#current()
      .map((row) => row.map(({ text }) => text).join(''))
      .join('\n');
  }

  close(): void {
    this.#pty.kill('SIGKILL');
  }

  #record(): void {
    const { cursorX: column, cursorY: row } = this.#terminal.buffer.active;
    const frame = { at: performance.now() - this.#start, rows: this.#current(), cursor: { column, row } };
    const last = this.frames.at(-1);
    if (!last || JSON.stringify([last.rows, last.cursor]) !== JSON.stringify([frame.rows, frame.cursor])) {
      this.frames.push(frame);
    }
  }

  #current(): Row[] {
    const { active } = this.#terminal.buffer;
    return Array.from({ length: this.rows }, (_, y) => {
      const line = active.getLine(active.viewportY + y)!;
      const row: Row = [];
      for (let column = 0; column < line.length; column += 1) addCell(row, column, line.getCell(column)!);
      return trimmed(row);
    });
  }
}

function addCell(row: Row, column: number, cell: IBufferCell): void {
  if (cell.getWidth() === 0) return;
  const color = cell.isFgPalette() ? cell.getFgColor() : undefined;
  const [bold, dim] = [cell.isBold() !== 0, cell.isDim() !== 0];
  const text = cell.getChars() || ' ';
  const last = row.at(-1);
  if (last && last.color === color && last.bold === bold && last.dim === dim) last.text += text;
  else row.push({ column, text, color, bold, dim });
}

/** Without the blanks at the end. */
function trimmed(row: Row): Row {
  const last = row.at(-1);
  if (!last) return row;
  const text = last.text.trimEnd();
  if (text !== '') return [...row.slice(0, -1), { ...last, text }];
  return trimmed(row.slice(0, -1));
}
