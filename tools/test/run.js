// Runs every spec in two processes side by side: `npm test`. The specs of several processes and of the command line wait for most of
// their time, and the others compute. The output of the second half follows when it is over. `npx mocha` runs all in one process.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ROOT = new URL('../../', import.meta.url);
const MOCHA = fileURLToPath(new URL('node_modules/mocha/bin/mocha.js', ROOT));

/** Folders of specs that mostly wait. */
const WAITING = ['e2e', 'cli'];

const folders = readdirSync(new URL('spec/', ROOT));
const others = folders.filter((name) => !WAITING.includes(name));
const [first, second] = await Promise.all([half(others, 'inherit'), half(WAITING, 'pipe')]);
process.stdout.write(second.output);
process.exitCode = first.code || second.code;

/**
 * @param {string[]} ignored folders that the other half runs
 * @param {'inherit' | 'pipe'} stdio
 */
async function half(ignored, stdio) {
  const options = ignored.flatMap((name) => ['--ignore', `spec/${name}/**`]);
  const child = spawn(process.execPath, [MOCHA, ...options], {
    cwd: fileURLToPath(ROOT),
    stdio: ['ignore', stdio, stdio],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text) => (output += text));
  const [code] = await once(child, 'close');
  return { output, code: code ?? 1 };
}
