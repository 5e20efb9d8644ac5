import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { lack } from './need.ts';

/** Runtimes that npm has as a package for each platform, without install scripts. */

/** Of all specs that run in this process: each has 100 to 190 MB. */
const installed = new Map<string, Promise<string>>();

/**
 * Skips the tests where it cannot be had. Fails where CI is set: what never runs proves nothing.
 * @param program its path within the package
 * @returns the path of the program
 */
export async function needPackage(
  test: Mocha.Context,
  name: string,
  version: string,
  program: string,
): Promise<string> {
  let folder = installed.get(name);
  if (!folder) installed.set(name, (folder = install(name, version)));
  try {
    return join(await folder, program);
  } catch (error) {
    const why = `which npm cannot install here: ${(error as Error).message.trim()}`;
    return lack(test, `${name}@${version}, ${why}`, error);
  }
}

async function install(name: string, version: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'app-net-tool-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  await writeFile(join(folder, 'package.json'), '{ "name": "tool", "private": true }');
  const flags = ['--loglevel=error', '--no-audit', '--no-fund', '--no-package-lock', '--prefer-offline'];
  const env = { ...process.env, NODE_OPTIONS: '', NODE_V8_COVERAGE: '' };
  await promisify(execFile)('npm', ['install', ...flags, `${name}@${version}`], { cwd: folder, env });
  return join(folder, 'node_modules', name);
}
