import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

import { remember } from '../support/transcript.ts';
import { toLine } from './values.ts';
import type { Told } from './values.ts';

/** How to start a driver. */
export interface Program {
  /** How test titles call it. */
  name: string;
  command: string;
  args: string[];
}

export interface Notice {
  notice: 'joined' | 'left' | 'event' | 'gap' | 'cancelled' | 'ended';
  peer?: string;
  name?: string;
  why?: string;
  event?: string;
  sequence?: number;
  value?: Told;
  missed?: number | null;
  tag?: string;
}

/** How a command failed. Exactly one of the fields is there. */
export interface Failed {
  /** The function threw an error. */
  error?: { name: string; message: string; code?: Told; properties?: { [key: string]: Told }; cause?: Told };
  /** The function threw something else. */
  thrown?: Told;
  /** The call failed. */
  failure?: { code: string; ran: string };
  /** The suite cancelled the call. */
  aborted?: true;
}

/** A driver has to do what it is told within this time, in ms. */
const WITHIN = 40_000;

interface Answer {
  id: number;
  done?: unknown;
  failed?: Failed;
}

/** An implementation under test, or its counterpart: a process that does what lines of JSON on its stdin say. */
export class Driver {
  readonly name: string;
  /** The id of its peer, once it was started. */
  id = '';
  capabilities: ReadonlySet<string> = new Set();
  readonly notices: Notice[] = [];
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #answers = new Map<number, (answer: Answer) => void>();
  readonly #changed = new Set<() => void>();
  #last = 0;
  #errors = '';

  constructor({ name, command, args }: Program, environment: NodeJS.ProcessEnv = {}) {
    this.name = name;
    const env = { ...process.env, NODE_OPTIONS: '', NODE_V8_COVERAGE: '', ...environment };
    this.#child = spawn(command, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
    this.#exited = once(this.#child, 'exit').catch((error: unknown) => (this.#errors += String(error)));
    this.#child.stdin!.on('error', () => {}); // of one that has ended: what waits for its answers says so
    this.#child.stderr!.on('data', (data) => (this.#errors += String(data)));
    createInterface({ input: this.#child.stdout! }).on('line', (line) => this.#line(line));
    remember(() => ({
      command: `conformance driver ${name}`,
      end: this.#child.exitCode ?? this.#child.signalCode ?? undefined,
      out: this.notices.map((notice) => JSON.stringify(notice)).join('\n'),
      errors: this.#errors,
    }));
  }

  /** Does a command, and resolves with what it is done with. Rejects with `CommandFailed`. */
  async do<T = unknown>(what: string, command: { [key: string]: unknown } = {}): Promise<T> {
    this.#last += 1;
    const id = this.#last;
    const answered = new Promise<Answer>((resolve) => this.#answers.set(id, resolve));
    this.#child.stdin!.write(`${toLine({ id, do: what, ...command })}\n`);
    const answer = await this.#within(answered, `the answer to ${what}`);
    if (answer.failed) throw new CommandFailed(this.name, what, answer.failed);
    return answer.done as T;
  }

  /** The first notice that is like this, now or later. */
  async notice(like: Notice, from = 0): Promise<Notice> {
    const entries = Object.entries(like);
    const search = async (): Promise<Notice> => {
      for (;;) {
        const found = this.notices
          .slice(from)
          .find((each) => entries.every(([key, value]) => each[key as keyof Notice] === value));
        if (found) return found;
        await new Promise<void>((resolve) => this.#changed.add(resolve));
      }
    };
    return this.#within(search(), `the notice ${JSON.stringify(like)}`);
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill('SIGKILL');
    await this.#exited;
  }

  /** Resolves once the process has ended by itself. */
  async exited(): Promise<number | null> {
    await this.#within(this.#exited, 'its end');
    return this.#child.exitCode;
  }

  #line(line: string): void {
    const told = JSON.parse(line) as Answer | Notice;
    if ('notice' in told) {
      this.notices.push(told);
      const changed = [...this.#changed];
      this.#changed.clear();
      for (const each of changed) each();
    } else {
      this.#answers.get(told.id)?.(told);
      this.#answers.delete(told.id);
    }
  }

  async #within<T>(promise: Promise<T>, what: string): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const fail = (why: string): void =>
        reject(new Error(`${this.name} ${why} before ${what}; it wrote: ${this.#errors}`));
      timer = setTimeout(() => fail(`was silent for ${WITHIN / 1000} s`), WITHIN);
      // What it wrote last is still read.
      this.#exited.then(() => setTimeout(() => fail('ended'), 100)).catch(reject);
    });
    try {
      return await Promise.race([promise, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** A driver says that a command failed, as the suite may have wanted. */
export class CommandFailed extends Error {
  readonly failed: Failed;

  constructor(name: string, what: string, failed: Failed) {
    super(`${name} could not ${what}: ${JSON.stringify(failed)}`);
    this.failed = failed;
  }
}

/** How the command failed; an error if it did not. */
export async function failureOf(command: Promise<unknown>): Promise<Failed> {
  try {
    const done = await command;
    throw new Error(`it was done, with ${JSON.stringify(done)}`);
  } catch (error) {
    if (error instanceof CommandFailed) return error.failed;
    throw error;
  }
}
