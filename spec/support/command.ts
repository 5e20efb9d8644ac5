import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

import { remember } from './transcript.ts';

/** The command line, built by `npm test` before the specs run. */
export const COMMAND = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

export interface Ran {
  code: number | null;
  out: string;
  errors: string;
  /** `out`, each line as JSON. */
  lines: unknown[];
}

/** Runs `app-net` with its output in pipes. @param input what it reads from standard input */
export async function run(args: readonly string[], env: NodeJS.ProcessEnv, input = ''): Promise<Ran> {
  const environment = { ...process.env, NODE_OPTIONS: '', NODE_V8_COVERAGE: '', ...env };
  const child = spawn(process.execPath, [COMMAND, ...args], { env: environment });
  child.stdin.end(input);
  const so = { command: `app-net ${args.join(' ')}`, end: undefined, out: '', errors: '' };
  remember(() => so);
  const [out, errors, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit') as Promise<[number | null]>,
  ]);
  const ran = { code, out, errors };
  Object.assign(so, { end: code, out, errors });
  return {
    ...ran,
    get lines() {
      return out
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as unknown);
    },
  };
}
