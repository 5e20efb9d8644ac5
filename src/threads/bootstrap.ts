import { THREAD_HOME } from '../base/process/thread-home.ts';

/**
 * What each thread runs first. It is text and no file: in a bundle of the user's there is no file of ours. It loads the file that
 * called `connect`, which loads the library. In a thread `connect` only remembers its functions.
 */
export const BOOTSTRAP = `
const { workerData } = require('node:worker_threads');
const { url, tag, tsx, ...given } = workerData['app-net'];
const home = { ...given, loading: true, functions: new Map(), serve: undefined, refused: undefined };
Object.defineProperty(globalThis, Symbol.for(${JSON.stringify(THREAD_HOME)}), { value: home });
const fail = (error) => {
  let text = home.refused;
  try {
    text ??= error instanceof Error ? String(error.stack) : String(error);
  } catch {
    text = 'an error that cannot be read';
  }
  home.port.postMessage('!failed ' + JSON.stringify(text));
  home.port.unref();
};
const load = async () => {
  if (tsx !== undefined) (await import(tsx)).register();
  await import(url);
  if (home.refused !== undefined) throw new Error(home.refused);
  if (!home.functions.has(tag)) {
    throw new Error('it did not connect the function when it was loaded in a thread; call connect() at the top level of the file');
  }
  home.loading = false;
  await home.serve(home);
};
load().catch(fail);
`;
