import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { basename, dirname, extname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { Context } from '../context.ts';
import { EXIT } from '../terminal/exit.ts';
import type { ExitCode } from '../terminal/exit.ts';
import { END_TIME } from './times.ts';

/**
 * `app-net serve --watch`: runs the module in its own process, and restarts it when a file that it loaded changes.
 * Node's own `--watch` loses a file the second time that another file of its name replaces it, which is how editors
 * save.
 */

/** Several files, or one in several steps, are saved within this time. In ms. */
const SETTLED = 100;

/** Installed packages are not watched: they do not change during work. */
const INSTALLED = `${sep}node_modules${sep}`;

export async function watchModule(
  { out, signal }: Context,
  module: string,
  flags: readonly string[],
): Promise<ExitCode> {
  const runner = fileURLToPath(new URL(`serve-runner${extname(import.meta.url)}`, import.meta.url));
  const files = new FileWatch((folder, error) => {
    out.message(`changes in ${folder} cannot be noticed: ${error.message}`);
  });
  signal.addEventListener('abort', () => files.interrupt(), { once: true });
  try {
    while (!signal.aborted) {
      files.add(module);
      const changed = files.change();
      const args = [module, String(process.pid)];
      const child = fork(runner, args, { execArgv: [...process.execArgv, ...flags], stdio: 'inherit' });
      child.on('message', (file: string) => files.add(file));
      const exited = once(child, 'exit');
      // No child outlives this process, at a second Ctrl-C or when this process fails.
      const kill = (): unknown => child.kill('SIGKILL');
      process.once('exit', kill);
      child.once('exit', () => process.off('exit', kill));
      const what = await Promise.race([changed, exited.then(() => 'ended' as const)]);
      if (what === 'ended' && !signal.aborted) {
        out.message(
          out.errorColors.dim(`${basename(module)} has ended; it starts again when a file changes`),
        );
      }
      const file = await changed;
      await end(child, exited);
      if (file !== undefined) out.message(out.errorColors.dim(`${basename(file)} has changed`));
    }
  } finally {
    files.close();
  }
  return EXIT.DONE;
}

/** Disconnects from the child, which then ends by itself. */
async function end(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  const timer = setTimeout(() => child.kill('SIGKILL'), END_TIME);
  if (child.connected) child.disconnect();
  await exited;
  clearTimeout(timer);
}

/** Watches folders and not files: a file that replaces another of its name is another file. */
class FileWatch {
  readonly #files = new Set<string>();
  readonly #folders = new Map<string, FSWatcher | undefined>();
  readonly #failed: (folder: string, error: Error) => void;
  #settle: (file?: string) => void = () => {};
  #timer: NodeJS.Timeout | undefined;

  /** @param failed called once for each folder that cannot be watched: systems have a limit */
  constructor(failed: (folder: string, error: Error) => void) {
    this.#failed = failed;
  }

  add(file: string): void {
    if (file.includes(INSTALLED)) return;
    this.#files.add(file);
    const folder = dirname(file);
    if (this.#folders.has(folder)) return;
    try {
      const watcher = watch(folder, (_, name) => this.#happened(name === null ? file : join(folder, name)));
      // The folder is gone. When it is back, the module is back too.
      watcher.on('error', () => this.#folders.delete(folder));
      this.#folders.set(folder, watcher);
    } catch (error) {
      this.#folders.set(folder, undefined);
      this.#failed(folder, error as Error);
    }
  }

  #happened(file: string): void {
    if (!this.#files.has(file)) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#settle(file), SETTLED);
  }

  /** Resolves with the file that changes next, or with undefined when that is interrupted. */
  change(): Promise<string | undefined> {
    return new Promise((resolve) => (this.#settle = resolve));
  }

  interrupt(): void {
    this.#settle();
  }

  close(): void {
    clearTimeout(this.#timer);
    for (const watcher of this.#folders.values()) watcher?.close();
  }
}
