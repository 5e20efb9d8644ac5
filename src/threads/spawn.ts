import { basename } from 'node:path';
import { pathToFileURL } from 'node:url';
import { MessageChannel, Worker } from 'node:worker_threads';
import type { MessagePort, ResourceLimits } from 'node:worker_threads';

import { BOOTSTRAP } from './bootstrap.ts';
import { tsxFor } from './typescript.ts';

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
