import { createRequire } from 'node:module';
import { basename, dirname, extname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { MessageChannel, Worker } from 'node:worker_threads';
import type { MessagePort, ResourceLimits } from 'node:worker_threads';

import { BOOTSTRAP } from './bootstrap.ts';

/** What a thread is started with. */
export interface SpawnInput {
  /** The file that connects the functions. */
  file: string;
  /** A function that the file connects. */
  tag: string;
  places: number;
  stacks: boolean;
  slots: Int32Array;
  resourceLimits: ResourceLimits | undefined;
}

const TYPESCRIPT: ReadonlySet<string> = new Set(['.ts', '.mts', '.cts', '.tsx']);

/** Starts a thread that loads the file. It does not keep the process alive. */
export function spawn(input: SpawnInput): { worker: Worker; port: MessagePort } {
  const { file, tag, places, stacks, slots, resourceLimits } = input;
  const { port1, port2 } = new MessageChannel();
  const data = {
    ...{ url: pathToFileURL(file).href, tag, tsx: tsxFor(file) },
    ...{ places, stacks, slots, port: port2 },
  };
  const worker = new Worker(BOOTSTRAP, {
    eval: true,
    name: `app-net ${basename(file)}`,
    workerData: { 'app-net': data },
    transferList: [port2],
    ...(resourceLimits && { resourceLimits }),
  });
  worker.unref();
  return { worker, port: port1 };
}

/**
 * What a thread imports to run TypeScript; undefined if it needs nothing. A loader that this thread was started with does not reach
 * the threads that it starts.
 * @throws Error that says what is missing
 */
function tsxFor(file: string): string | undefined {
  if (!TYPESCRIPT.has(extname(file))) return undefined;
  const { typescript } = process.features as { typescript?: unknown };
  const args = [...process.execArgv, process.env['NODE_OPTIONS'] ?? ''];
  if (typescript && !args.some((each) => each.includes('tsx'))) return undefined;
  try {
    // The part of tsx that is an ES module: the other one cannot be loaded everywhere.
    const { resolve } = createRequire(file);
    return pathToFileURL(join(dirname(resolve('tsx/package.json')), 'dist/esm/api/index.mjs')).href;
  } catch (error) {
    if (typescript) return undefined;
    throw new Error(
      `${file} is TypeScript, which threads of Node ${process.versions.node} run only with tsx; install it (npm install tsx), ` +
        'compile the file, or use Node 22.18 or later',
      { cause: error },
    );
  }
}
