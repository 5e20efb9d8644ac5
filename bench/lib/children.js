// Starts the measured processes, talks to them over IPC, and makes sure none outlives this one.
import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ANSWER_TIMEOUT_MS = 60_000;

const processesFolder = fileURLToPath(new URL('../processes/', import.meta.url));
const alive = new Set();
const folders = new Set();

export class Child {
  #process;
  #nextId = 1;
  #waiting = new Map();
  #lastWords = '';
  #ended;

  constructor(file, args, { gc = false, runtimeDir } = {}) {
    this.#process = fork(join(processesFolder, file), args, {
      // Its own process group, so that a broker the child starts can be ended along with it.
      detached: true,
      execArgv: gc ? ['--expose-gc'] : [],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: {
        ...process.env,
        NODE_ENV: 'production',
        APP_NET_RUNTIME_DIR: runtimeDir,
        // rpc-websockets brings native add-ons for ws which every other user of ws in this folder
        // would pick up too, but not app-net in its own. Nobody gets them, so all run the same ws.
        WS_NO_BUFFER_UTIL: '1',
        WS_NO_UTF_8_VALIDATE: '1',
      },
    });
    alive.add(this);
    this.#process.stderr.on('data', (text) => {
      this.#lastWords = (this.#lastWords + text).slice(-4000);
    });
    this.#process.on('message', (message) => this.#settle(message));
    this.#process.on('error', (error) => this.#end(error));
    // 'close' rather than 'exit': by then stderr has been read, and with it the reason.
    this.#process.on('close', (code, signal) => {
      this.#end(new Error(`process ended (${signal ?? code})${this.#reason()}`));
    });
  }

  /** Runs one operation in the child and resolves to its answer. */
  ask(operation, data = {}, timeoutMs = ANSWER_TIMEOUT_MS) {
    if (this.#ended) return Promise.reject(this.#ended);
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(new Error(`no answer to "${operation}" within ${timeoutMs / 1000} s`));
      }, timeoutMs);
      this.#waiting.set(id, { resolve, reject, timer });
      // Without the callback a child that is just dying would raise an uncaught EPIPE here.
      this.#process.send({ id, operation, data }, (error) => {
        if (error) this.#settle({ id, error: error.message });
      });
    });
  }

  kill() {
    alive.delete(this);
    const { pid } = this.#process;
    // Once the leader is gone its number may belong to someone else, so it is not signalled again.
    if (pid === undefined || this.#process.exitCode !== null || this.#process.signalCode !== null) {
      return;
    }
    try {
      process.kill(-pid, 'SIGKILL');
    } catch (error) {
      if (error.code !== 'ESRCH') throw error;
    }
  }

  #settle({ id, value, error }) {
    const waiting = this.#waiting.get(id);
    if (!waiting) return;
    this.#waiting.delete(id);
    clearTimeout(waiting.timer);
    if (error === undefined) waiting.resolve(value);
    else waiting.reject(new Error(error));
  }

  #end(error) {
    this.#ended ??= error;
    alive.delete(this);
    for (const id of this.#waiting.keys()) this.#settle({ id, error: error.message });
  }

  #reason() {
    const lines = this.#lastWords.split('\n').map((line) => line.trim());
    const said = lines.find((line) => /^\w*Error\b/.test(line)) ?? lines.filter(Boolean).at(-1);
    return said ? `: ${said}` : '';
  }
}

/** Hands `use` a way to start children and a private folder, and clears both away afterwards. */
export async function withChildren(use) {
  const started = [];
  const runtimeDir = mkdtempSync(join(tmpdir(), 'app-net-bench-'));
  folders.add(runtimeDir);
  const start = (file, args, options) => {
    const child = new Child(file, args, { ...options, runtimeDir });
    started.push(child);
    return child;
  };
  try {
    return await use(start);
  } finally {
    for (const child of started) child.kill();
    removeFolder(runtimeDir);
  }
}

/** Starts the server and the client of a case, connected and ready to be asked. */
export async function startPair(start, name, { gc = false, connect = true } = {}) {
  const server = start('server.js', [name], { gc });
  const client = start('client.js', [name], { gc });
  const port = await freePort();
  await server.ask('start', { port });
  if (connect) await client.ask('connect', { port });
  return { server, client, port };
}

export async function freePort() {
  const listener = createServer();
  await new Promise((resolve, reject) => {
    listener.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  const { port } = listener.address();
  await new Promise((resolve) => listener.close(resolve));
  return port;
}

function removeFolder(folder) {
  folders.delete(folder);
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}

function clearAway() {
  for (const child of alive) child.kill();
  for (const folder of folders) removeFolder(folder);
}

process.on('exit', clearAway);
for (const [signal, number] of [
  ['SIGINT', 2],
  ['SIGTERM', 15],
  ['SIGHUP', 1],
]) {
  process.on(signal, () => process.exit(128 + number));
}
