// Runs every spec in two processes side by side: `npm test`. The specs of several processes and of the command line wait for most of
// their time, and the others compute. The output of the second half follows when it is over, and last come all failures once more.
// `npx mocha` runs all in one process.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ROOT = new URL('../../', import.meta.url);
const MOCHA = fileURLToPath(new URL('node_modules/mocha/bin/mocha.js', ROOT));

/** Folders of specs that mostly wait. */
const WAITING = ['e2e', 'cli'];

const colors = process.stdout.isTTY ? ['--color'] : [];
const folders = readdirSync(new URL('spec/', ROOT));
const others = folders.filter((name) => !WAITING.includes(name));
const [first, second] = await Promise.all([
  half(others, (text) => process.stdout.write(text)),
  half(WAITING, () => {}),
]);
process.stdout.write(second.output);
for (const { output } of [first, second]) process.stdout.write(failures(output));
process.exitCode = first.code || second.code;

/**
 * @param {string[]} ignored folders that the other half runs
 * @param {(text: string) => void} show called with its output as it comes
 */
async function half(ignored, show) {
  const options = ignored.flatMap((name) => ['--ignore', `spec/${name}/**`]);
  const child = spawn(process.execPath, [MOCHA, ...colors, ...options], {
    cwd: fileURLToPath(ROOT),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => {
      output += text;
      show(text);
    });
  const [code, signal] = await once(child, 'close');
  if (signal) output += `\n  1 failing: the process of these specs ended by ${signal}\n`;
  return { output, code: code ?? 1 };
}

/**
 * What mocha writes at its end about failed specs, or nothing.
 * @param {string} output of one half
 */
function failures(output) {
  const at = output.search(/^.*\d+ failing/m);
  return at < 0 ? '' : `\n${output.slice(at)}`;
}
