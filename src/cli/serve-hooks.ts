import type { LoadHook } from 'node:module';
import type { MessagePort } from 'node:worker_threads';

/** Runs in Node's thread of loaders, for `serve --watch`: tells of each file that is imported. */

let port: MessagePort;

export function initialize(data: { port: MessagePort }): void {
  ({ port } = data);
}

export const load: LoadHook = (url, context, nextLoad) => {
  if (url.startsWith('file:')) port.postMessage(url);
  return nextLoad(url, context);
};
