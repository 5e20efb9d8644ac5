import pc from 'picocolors';

import { printable } from '../wire/failure.ts';

/** Where a command writes: for people on a terminal, as lines of JSON for programs. */

export type Colors = ReturnType<typeof pc.createColors>;

interface Stream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
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
    this.colors = pc.createColors(!this.json && colored(stdout, environment));
    this.errorColors = pc.createColors(colored(stderr, environment));
  }

  /** Columns of the terminal; endless where there is none. */
  get columns(): number {
    return this.isTerminal ? (this.#stdout.columns ?? 80) : Infinity;
  }

  get rows(): number {
    return this.isTerminal ? (this.#stdout.rows ?? 24) : Infinity;
  }

  /** Columns of the terminal that shows the messages; endless where there is none. */
  get messageColumns(): number {
    return this.#stderr.isTTY === true ? (this.#stderr.columns ?? 80) : Infinity;
  }

  /** Whether somebody at a terminal reads the messages. */
  get messagesAreRead(): boolean {
    return this.#stderr.isTTY === true;
  }

  /** Text as it is, for what moves the cursor. */
  raw(text: string): void {
    this.#stdout.write(text);
  }

  line(text = ''): void {
    this.#stdout.write(`${text}\n`);
  }

  /** One line of JSON. */
  data(value: unknown): void {
    this.#stdout.write(`${JSON.stringify(value) ?? 'null'}\n`);
  }

  /** For people, beside the result. */
  message(text: string): void {
    this.#stderr.write(`${text}\n`);
  }

  rawMessage(text: string): void {
    this.#stderr.write(text);
  }
}

function colored(stream: Stream, environment: NodeJS.ProcessEnv): boolean {
  if (environment['NO_COLOR']) return false;
  if (environment['FORCE_COLOR'] && environment['FORCE_COLOR'] !== '0') return true;
  // Not picocolors' own guess: to it a CI is a terminal.
  return stream.isTTY === true && environment['TERM'] !== 'dumb';
}

/** What another program said of itself, for a terminal: nothing in it moves the cursor or turns the text around. */
export function safe(text: string, longest = 256): string {
  return cut(printable(text), longest);
}

/** At most so many characters, with an ellipsis for the rest. */
export function cut(text: string, longest: number): string {
  return text.length <= longest ? text : `${text.slice(0, Math.max(0, longest - 1))}…`;
}
