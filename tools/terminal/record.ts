// Draws docs/terminal.svg from a real run of the command line: `npm run build && npx tsx tools/terminal/record.ts`.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Screen } from './screen.ts';
import { svgOf } from './svg.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const folder = await mkdtemp(join(tmpdir(), 'app-net-terminal-'));
// Short, since it is to be seen where an error was thrown; it is the same on every machine.
const app = '/tmp/my-app';
await mkdir(app);
await mkdir(join(app, 'node_modules'));
await symlink(repository, join(app, 'node_modules/app-net'));
await symlink(join(repository, 'node_modules/tsx'), join(app, 'node_modules/tsx'));
await writeFile(join(app, 'package.json'), '{"name":"my-app","type":"module"}');
await copyFile(join(repository, 'examples/01-multiply/math.ts'), join(app, 'math.ts'));
await copyFile(join(repository, 'examples/04-streams/worker.ts'), join(app, 'logs.ts'));
const command = join(repository, 'dist/cli.js');
await mkdir(join(folder, 'bin'));
await symlink(command, join(folder, 'bin/app-net'));
await chmod(command, 0o755);
const env = {
  ...process.env,
  APP_NET_RUNTIME_DIR: join(folder, 'run'),
  PATH: `${join(folder, 'bin')}:${process.env['PATH']}`,
  TERM: 'xterm-256color',
  PS1: '\\[\\e[32m\\]$\\[\\e[0m\\] ',
  HISTFILE: '/dev/null',
};

const running: ChildProcess[] = [];
async function start(name: string, group: string, ...args: string[]): Promise<ChildProcess> {
  const child = spawn(process.execPath, args, {
    cwd: app,
    env: { ...env, APP_NET_NAME: name, APP_NET_GROUP: group },
  });
  running.push(child);
  child.stderr.pipe(process.stderr);
  return child;
}
async function serve(name: string, group: string, module: string): Promise<ChildProcess> {
  const child = await start(name, group, command, 'serve', module);
  await once(child.stdout!, 'data');
  return child;
}

const screen = new Screen(104, 17, app, env);
try {
  await Promise.all([
    serve('math-1', 'main', 'math.ts'),
    serve('math-2', 'main', 'math.ts'),
    start('logs', 'ops', '--import', 'tsx', 'logs.ts'),
  ]);
  await screen.shows(/\$/);
  await screen.type('app-net peers\r');
  await screen.shows(/tail[^]*\n\$\s*$/);
  await screen.type('app-net call multiplyValues 6 7\r');
  await screen.shows(/^42\n\$/m);
  await screen.type('app-net call squareRoot -1\r');
  await screen.shows(/RangeError[^]*\n\$\s*$/);
  await screen.type('app-net call tail app.log\r');
  await screen.shows(/app\.log:3/);
  await screen.type('\u0003');
  await screen.shows(/\^C[^]*\n\$\s*$/);
  await screen.type('clear; app-net peers --watch\r');
  await screen.shows(/3 peers, Ctrl-C ends/);
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  running[1]!.kill('SIGKILL');
  await screen.shows(/left: lost/);
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  await serve('math-3', 'main', 'math.ts');
  await screen.shows(/^math-3 .* ms/m);
  await new Promise((resolve) => setTimeout(resolve, 2_000));
} finally {
  screen.close();
  for (const child of running) child.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
  await rm(app, { recursive: true, force: true });
}
await writeFile(join(repository, 'docs/terminal.svg'), svgOf(screen.frames, screen.columns, screen.rows));
console.log(`docs/terminal.svg: ${screen.frames.length} frames`);
console.log(screen.text);
