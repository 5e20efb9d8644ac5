import type { LoadHook } from 'node:module';
import type { MessagePort } from 'node:worker_threads';

import { END_TIME } from './times.ts';

/**
 * Runs in Node's loader thread, for `serve --watch`. It reports each imported file. It also ends a module with a
 * blocked event loop when the command has gone, because the module's own thread could not notice.
 */

/** Time between two checks whether the command is still there, in ms. */
const LOOK_AGAIN = 500;

let port: MessagePort;

export function initialize(data: { port: MessagePort; parent: number }): void {
  ({ port } = data);
  const timer = setInterval(() => {
    // A process whose parent has gone gets another parent.
    if (process.ppid === data.parent) return;
    clearInterval(timer);
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), END_TIME).unref();
  }, LOOK_AGAIN).unref();
}

export const load: LoadHook = (url, context, nextLoad) => {
  if (url.startsWith('file:')) port.postMessage(url);
  return nextLoad(url, context);
};
