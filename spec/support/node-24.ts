import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Node 24, which runs TypeScript by itself. npm has it as a package for each platform, without install scripts. */

const NAME = `node-${process.platform}-${process.arch}`;

/** Of all specs that run in this process: it has 190 MB. */
let installed: Promise<string> | undefined;

/**
 * Skips the tests where it cannot be had. Fails where CI is set: what never runs proves nothing.
 * @returns the path of its `node`
 */
export async function needNode24(test: Mocha.Context): Promise<string> {
  installed ??= install();
  try {
    return await installed;
  } catch (error) {
    const why = `npm cannot install ${NAME}@24 here: ${(error as Error).message.trim()}`;
    if (process.env['CI']) throw new Error(why, { cause: error });
    console.log(`      (skipped: ${why})`);
    return test.skip();
  }
}

async function install(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'app-net-node-24-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  await writeFile(join(folder, 'package.json'), '{ "name": "node-24", "private": true }');
  const flags = ['--loglevel=error', '--no-audit', '--no-fund', '--no-package-lock', '--prefer-offline'];
  const env = { ...process.env, NODE_OPTIONS: '', NODE_V8_COVERAGE: '' };
  await promisify(execFile)('npm', ['install', ...flags, `${NAME}@24`], { cwd: folder, env });
  return join(folder, 'node_modules', NAME, 'bin/node');
}
