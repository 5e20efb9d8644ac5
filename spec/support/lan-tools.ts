import { execFile, spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';

/** Programs that the LAN of the specs is made with. Each fails with what it wrote to stderr. */

const run = promisify(execFile);

/** @returns what it printed */
export async function execute(words: readonly string[]): Promise<string> {
  const [program, ...args] = words;
  const { stdout } = await run(program!, args, { maxBuffer: 64 * 1024 * 1024 });
  return stdout;
}

export async function ip(...args: string[]): Promise<string> {
  return execute(['ip', ...args]);
}

/** Many commands of `ip` in one process, all or none; in this namespace. */
export async function ipBatch(namespace: string, lines: readonly string[]): Promise<void> {
  const done = run('ip', ['-n', namespace, '-batch', '-']);
  done.child.stdin!.end(lines.join('\n'));
  await done;
}

/**
 * The words that run a program inside. `ip netns exec` and `unshare` become the program, so its pid is the one that
 * was spawned.
 * @param hostname what the program sees as its host's name; that of this machine, if undefined
 */
export function inside(namespace: string, hostname: string | undefined): string[] {
  const words = ['ip', 'netns', 'exec', namespace];
  if (hostname === undefined) return words;
  return [...words, 'unshare', '--uts', 'sh', '-c', 'hostname "$0" && exec "$@"', hostname];
}

export function command(
  namespace: string,
  hostname: string | undefined,
  words: readonly string[],
  env: NodeJS.ProcessEnv = {},
): ChildProcessByStdio<null, Readable, Readable> {
  const [program, ...args] = [...inside(namespace, hostname), ...words];
  return spawn(program!, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
}
