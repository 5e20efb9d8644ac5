import { createColors } from './colors.ts';
import type { Colors } from './colors.ts';
import { jsonLine, written } from './text.ts';

/**
 * Where a command writes: for people on a terminal, as lines of JSON for programs. Nothing is written past it, so nothing
 * that another program said steers the terminal.
 */

interface Stream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  readonly writableNeedDrain?: boolean;
  once?(event: 'drain', listener: () => void): unknown;
}

export interface OutputOptions {
  /** Lines of JSON, whatever stdout is. Undefined: as the command has it for what stdout is. */
  json?: boolean | undefined;
  stdout?: Stream;
  stderr?: Stream;
  environment?: NodeJS.ProcessEnv;
}

export class Output {
  /** Whether to write lines of JSON. */
  readonly json: boolean;
  readonly isTerminal: boolean;
  readonly colors: Colors;
  readonly errorColors: Colors;
  readonly #stdout: Stream;
  readonly #stderr: Stream;

  /** @param data whether the command gives data that programs read: then a pipe gets JSON without being told to */
  constructor(data: boolean, options: OutputOptions = {}) {
    const { json, stdout = process.stdout, stderr = process.stderr, environment = process.env } = options;
    this.#stdout = stdout;
    this.#stderr = stderr;
    this.isTerminal = stdout.isTTY === true;
    this.json = json ?? (data && !this.isTerminal);
    this.colors = createColors(!this.json && colored(stdout, environment));
    this.errorColors = createColors(colored(stderr, environment));
  }

  /** Columns of the terminal; endless where there is none. */
  get columns(): number {
    return this.isTerminal ? known(this.#stdout.columns, 80) : Infinity;
  }

  get rows(): number {
    return this.isTerminal ? known(this.#stdout.rows, 24) : Infinity;
  }

  /** Columns of the terminal that shows the messages; endless where there is none. */
  get messageColumns(): number {
    return this.messagesAreRead ? known(this.#stderr.columns, 80) : Infinity;
  }

  /** Whether somebody at a terminal reads the messages. */
  get messagesAreRead(): boolean {
    return this.#stderr.isTTY === true;
  }

  line(text = ''): void {
    this.text(`${text}\n`);
  }

  /** Without the end of a line. */
  text(text: string): void {
    this.#stdout.write(written(text));
  }

  /** One line of JSON. */
  data(value: unknown): void {
    this.#stdout.write(`${jsonLine(value)}\n`);
  }

  /** For people, beside the result. */
  message(text: string): void {
    this.messageText(`${text}\n`);
  }

  messageText(text: string): void {
    this.#stderr.write(written(text));
  }

  /** An error as one line of JSON, for programs. */
  messageData(value: unknown): void {
    this.#stderr.write(`${jsonLine(value)}\n`);
  }

  /** Resolves when the reader has taken what was written: an endless stream must not fill the memory meanwhile. */
  async taken(signal: AbortSignal): Promise<void> {
    if (this.#stdout.writableNeedDrain !== true || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const go = (): void => {
        signal.removeEventListener('abort', go);
        resolve();
      };
      this.#stdout.once?.('drain', go);
      signal.addEventListener('abort', go);
    });
  }
}

/** Some terminals do not say how large they are, and some say 0. */
function known(size: number | undefined, otherwise: number): number {
  return size !== undefined && size > 0 ? size : otherwise;
}

function colored(stream: Stream, environment: NodeJS.ProcessEnv): boolean {
  if (environment['NO_COLOR']) return false;
  if (environment['FORCE_COLOR'] && environment['FORCE_COLOR'] !== '0') return true;
  // Not picocolors' own guess: to it a CI is a terminal.
  return stream.isTTY === true && environment['TERM'] !== 'dumb';
}
