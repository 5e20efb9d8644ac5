import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { eventually } from './eventually.ts';
import { remember } from './transcript.ts';

/** The library as a script of any folder can import it. Built by `npm test` before the specs run. */
export const LIBRARY = new URL('../../dist/index.js', import.meta.url).href;
/** The folder of the unbundled modules, for scripts that need a part of the library. */
export const MODULES = new URL('../../build/', import.meta.url).href;
export const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));

/** A real process that runs a script of the test's and speaks in lines of JSON. */
export class TestProcess {
  readonly child: ChildProcess;
  readonly lines: unknown[] = [];
  readonly exited: Promise<number | NodeJS.Signals>;
  errors = '';
  #arrived: () => void = () => {};

  constructor(child: ChildProcess) {
    this.child = child;
    this.exited = once(child, 'exit').then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals);
    createInterface({ input: child.stdout! }).on('line', (line) => {
      this.lines.push(valueOf(line));
      this.#arrived();
    });
    child.stderr!.on('data', (data) => {
      this.errors += String(data);
    });
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** The first line that `is` likes, now or later. Fails with what was written to stderr if it never comes. */
  async line<T>(is: (line: T) => boolean, within = 40_000): Promise<T> {
    const deadline = setTimeout(() => this.#arrived(), within);
    const end = performance.now() + within;
    let gone = false;
    void this.exited.then(() => setImmediate(() => ((gone = true), this.#arrived())));
    try {
      for (;;) {
        const found = (this.lines as T[]).find((line) => is(line));
        if (found !== undefined) return found;
        if (gone || performance.now() >= end) {
          throw new Error(`the line never came; out: ${JSON.stringify(this.lines)}; err: ${this.errors}`);
        }
        await new Promise<void>((resolve) => (this.#arrived = resolve));
      }
    } finally {
      clearTimeout(deadline);
    }
  }

  /** Resolves once others can find its peer in this runtime directory. A line before `serve()` would come earlier. */
  async announced(directory: string): Promise<void> {
    await eventually(async () => {
      const files = (await readdir(directory)).filter((name) => name.endsWith('.peer.json'));
      const texts = await Promise.all(files.map((name) => readFile(join(directory, name), 'utf8')));
      const isThere = texts.some((text) => (JSON.parse(text) as { pid: number }).pid === this.pid);
      if (!isThere) throw new Error(`the process ${this.pid} is not announced; err: ${this.errors}`);
    });
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill(signal);
    await this.exited;
  }
}

/** The value of a line of JSON, or else the line itself: Node's `inspect` begins with the same characters. */
function valueOf(line: string): unknown {
  if (!line.startsWith('{') && !line.startsWith('[')) return line;
  try {
    return JSON.parse(line);
  } catch {
    return line;
  }
}

/** Starts scripts as processes and ends every one that is left. */
export class Processes {
  readonly #started: TestProcess[] = [];
  readonly #prefix: readonly string[];
  #count = 0;

  /** @param prefix words before each command that run it somewhere else: in a network namespace */
  constructor(prefix: readonly string[] = []) {
    this.#prefix = prefix;
  }

  /**
   * @param script the body of an ES module; `app-net` in an import is the built library
   * @param options `node`: a Node that is not the one of the specs
   */
  async start(
    folder: string,
    script: string,
    options: { env?: NodeJS.ProcessEnv; name?: string; node?: string } = {},
  ): Promise<TestProcess> {
    this.#count += 1;
    const file = join(folder, options.name ?? `script-${this.#count}.mjs`);
    await writeFile(file, script.replaceAll("'app-net'", `'${LIBRARY}'`));
    return this.run(folder, [file], options.env, options.node);
  }

  run(
    folder: string,
    args: string[],
    env: NodeJS.ProcessEnv = {},
    node: string = process.execPath,
  ): TestProcess {
    const [program, ...words] = [...this.#prefix, node, ...args];
    const child = spawn(program!, words, {
      cwd: folder,
      env: { ...process.env, NODE_OPTIONS: '', NODE_V8_COVERAGE: '', APP_NET_RUNTIME_DIR: folder, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const started = new TestProcess(child);
    this.#started.push(started);
    remember(() => ({
      command: words.map((word) => word.replace(REPOSITORY, '')).join(' '),
      end: child.exitCode ?? child.signalCode ?? undefined,
      out: started.lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n'),
      errors: started.errors,
    }));
    return started;
  }

  async clear(): Promise<void> {
    await Promise.all(this.#started.splice(0).map((each) => each.kill()));
  }

  /** In the last moment of this process, without waiting. */
  abandon(): void {
    for (const { child } of this.#started.splice(0)) child.kill('SIGKILL');
  }
}
