import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

import { lack } from './need.ts';

/** A PID namespace, as a container has one: the first process in it is process 1. */

/** Words before a command that run it as process 1 of a namespace of its own. Root needs no user namespace. */
export const AS_PID_1: readonly string[] =
  process.getuid?.() === 0
    ? ['unshare', '--pid', '--fork', '--kill-child']
    : ['unshare', '--user', '--map-root-user', '--pid', '--fork', '--kill-child'];

/** Skips the test where no such namespace can be made. Fails where CI is set: what never runs proves nothing. */
export async function needPidNamespace(test: Mocha.Context): Promise<void> {
  const [program, ...words] = AS_PID_1;
  try {
    await promisify(execFile)(program!, [...words, 'true']);
  } catch (error) {
    lack(test, `a PID namespace, and none can be made here: ${(error as Error).message.trim()}`, error);
  }
}

/** The only child of `unshare`, by the id that it has outside. */
export async function childOf(pid: number): Promise<number> {
  const [child] = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim().split(' ');
  return Number(child);
}
