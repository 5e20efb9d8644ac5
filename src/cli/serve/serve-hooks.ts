import type { LoadHook } from 'node:module';
import type { MessagePort } from 'node:worker_threads';

import { END_TIME } from './times.ts';

/**
 * Runs in Node's thread of loaders, for `serve --watch`: tells of each file that is imported, and ends a module whose event
 * loop is blocked when the command is gone. The module's own thread could not notice.
 */

/** Between two looks at whether the command is still there, in ms. */
const LOOK_AGAIN = 500;

let port: MessagePort;

export function initialize(data: { port: MessagePort; parent: number }): void {
  ({ port } = data);
  const timer = setInterval(() => {
    // A process whose parent is gone has another one.
    if (process.ppid === data.parent) return;
    clearInterval(timer);
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), END_TIME).unref();
  }, LOOK_AGAIN).unref();
}

export const load: LoadHook = (url, context, nextLoad) => {
  if (url.startsWith('file:')) port.postMessage(url);
  return nextLoad(url, context);
};
