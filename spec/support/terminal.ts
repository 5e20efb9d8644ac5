import { createRequire } from 'node:module';

import { spawn } from '@lydell/node-pty';
import type { IPty } from '@lydell/node-pty';
import type { Terminal as Emulator } from '@xterm/headless';

import { eventually } from './eventually.ts';
import { COMMAND } from './command.ts';
import { remember } from './transcript.ts';

// It says of itself that it is an ES module, and has no default export then, or else only that.
const xterm = createRequire(import.meta.url)('@xterm/headless') as typeof import('@xterm/headless');

/** A command in a real pseudo-terminal, and what a person would see there. */
export class Terminal {
  readonly exited: Promise<number>;
  /** Everything that was written, with what moves the cursor. */
  written = '';
  readonly #pty: IPty;
  readonly #emulator: Emulator;
  #gone = false;
  /** What it showed when it was closed. */
  #last: string | undefined;

  constructor(args: readonly string[], env: NodeJS.ProcessEnv, size = { cols: 100, rows: 24 }) {
    this.#emulator = new xterm.Terminal({ ...size, allowProposedApi: true, scrollback: 1_000 });
    const environment = { ...process.env, NODE_OPTIONS: '', NODE_V8_COVERAGE: '', CI: '', ...env };
    this.#pty = spawn(process.execPath, [COMMAND, ...args], { ...size, env: environment });
    this.#pty.onData((data) => {
      this.written += data;
      this.#emulator.write(data);
    });
    let end: number | undefined;
    remember(() => ({ command: `app-net ${args.join(' ')}`, end, out: this.#last ?? this.text, errors: '' }));
    this.exited = new Promise((resolve) => {
      this.#pty.onExit(({ exitCode }) => {
        end = exitCode;
        this.#gone = true;
        resolve(exitCode);
      });
    });
  }

  get pid(): number {
    return this.#pty.pid;
  }

  /** The lines from the first that was ever written to the last, without blanks at their ends. */
  get lines(): string[] {
    const { active } = this.#emulator.buffer;
    const all = Array.from(
      { length: active.length },
      (_, y) => active.getLine(y)?.translateToString(true) ?? '',
    );
    return all.slice(0, all.findLastIndex((line) => line !== '') + 1);
  }

  get text(): string {
    return this.lines.join('\n');
  }

  /** Resolves once the screen looks like that. */
  async shows(wanted: string | RegExp, within = 40_000): Promise<void> {
    await eventually(() => {
      const found = typeof wanted === 'string' ? this.text.includes(wanted) : wanted.test(this.text);
      if (!found) throw new Error(`the terminal does not show ${String(wanted)}, but:\n${this.text}`);
    }, within);
  }

  type(keys: string): void {
    this.#pty.write(keys);
  }

  /** As the terminal itself does it: to everything that runs in it. */
  pressCtrlC(): void {
    this.type('\u0003');
  }

  async kill(): Promise<void> {
    if (!this.#gone) this.#pty.kill('SIGKILL');
    await this.exited;
    this.#last = this.text;
    this.#emulator.dispose();
  }
}
