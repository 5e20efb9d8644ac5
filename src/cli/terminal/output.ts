import { createColors } from './colors.ts';
import type { Colors } from './colors.ts';
import { jsonLine, written } from './text.ts';

/**
 * The output of a command: text for people on a terminal, lines of JSON for programs. All output goes through it, so
 * foreign text cannot steer the terminal.
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
  /** Lines of JSON, whatever stdout is. Undefined: the default of the command for this kind of stdout. */
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

  /** @param data whether the command's output is data for programs: a pipe then gets JSON by default */
  constructor(data: boolean, options: OutputOptions = {}) {
    const { json, stdout = process.stdout, stderr = process.stderr, environment = process.env } = options;
    this.#stdout = stdout;
    this.#stderr = stderr;
    this.isTerminal = stdout.isTTY === true;
    this.json = json ?? (data && !this.isTerminal);
    this.colors = createColors(!this.json && colored(stdout, environment));
    this.errorColors = createColors(colored(stderr, environment));
  }

  /** Columns of the terminal; Infinity without one. */
  get columns(): number {
    return this.isTerminal ? known(this.#stdout.columns, 80) : Infinity;
  }

  get rows(): number {
    return this.isTerminal ? known(this.#stdout.rows, 24) : Infinity;
  }

  /** Columns of the terminal that shows the messages; Infinity without one. */
  get messageColumns(): number {
    return this.messagesAreRead ? known(this.#stderr.columns, 80) : Infinity;
  }

  /** Whether a person at a terminal reads the messages. */
  get messagesAreRead(): boolean {
    return this.#stderr.isTTY === true;
  }

  line(text = ''): void {
    this.text(`${text}\n`);
  }

  /** Text without a line end. */
  text(text: string): void {
    this.#stdout.write(written(text));
  }

  /** One line of JSON. */
  data(value: unknown): void {
    this.#stdout.write(`${jsonLine(value)}\n`);
  }

  /** A message for people, beside the result. */
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

  /** Resolves when the reader has taken the output: an endless stream must not fill the memory meanwhile. */
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

/** Some terminals do not tell their size, and some say 0. */
function known(size: number | undefined, otherwise: number): number {
  return size !== undefined && size > 0 ? size : otherwise;
}

function colored(stream: Stream, environment: NodeJS.ProcessEnv): boolean {
  if (environment['NO_COLOR']) return false;
  if (environment['FORCE_COLOR'] && environment['FORCE_COLOR'] !== '0') return true;
  // picocolors' own detection would count CI as a terminal.
  return stream.isTTY === true && environment['TERM'] !== 'dumb';
}
