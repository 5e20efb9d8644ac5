// Copies the declarations that the doors of the package lead to from `build` into `dist`. tsc writes one for each file,
// and most of them nobody can reach.
import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const from = join(root, 'build');
const to = join(root, 'dist');

const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const doors = Object.values(exports).flatMap((door) => door.types ?? []);

const reached = new Set();
for (const door of doors) reach(door.replace('./dist/', ''));
for (const file of reached) {
  mkdirSync(dirname(join(to, file)), { recursive: true });
  cpSync(join(from, file), join(to, file));
}

function reach(file) {
  if (reached.has(file)) return;
  if (!existsSync(join(from, file))) throw new Error(`build/${file} is missing: did tsc run before?`);
  reached.add(file);
  const text = readFileSync(join(from, file), 'utf8');
  // At the beginning of a line: examples in comments import, too.
  for (const [, path] of text.matchAll(/^(?:import|export|\}).*?from ['"](\.[^'"]+)\.[jt]s['"]/gm)) {
    reach(join(dirname(file), `${path}.d.ts`));
  }
}
