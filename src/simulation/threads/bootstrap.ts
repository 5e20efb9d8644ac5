/**
 * What each thread runs first. It is text and no file, as for functions in threads: in a bundle of the user's there is no file of ours. It
 * loads the module of the story, which loads the library to make the story.
 */

const THREAD = 'app-net.simulation.thread';

/** Where `story()` puts what runs seeds of it in a thread. */
export const SERVE = Symbol.for('app-net.simulation.serve');

/** Whether this is a thread that was started for a story. */
export function isStoryThread(): boolean {
  return Symbol.for(THREAD) in globalThis;
}

export const BOOTSTRAP = `
const { parentPort, workerData } = require('node:worker_threads');
const { url, tsx, ...work } = workerData['app-net simulation'];
Object.defineProperty(globalThis, Symbol.for(${JSON.stringify(THREAD)}), { value: true });
const textOf = (error) => {
  try {
    return error instanceof Error ? String(error.stack) : String(error);
  } catch {
    return 'an error that cannot be read';
  }
};
const load = async () => {
  if (tsx !== undefined) (await import(tsx)).register();
  const { default: exported } = await import(url);
  // A CommonJS module has its default export inside of it.
  const story = typeof exported === 'function' ? exported : exported?.default;
  if (typeof story !== 'function') throw 'its default export is no story; export default story(async ({ peer }) => …)';
  const serve = story[Symbol.for(${JSON.stringify(SERVE.description)})];
  if (serve === undefined) throw "its default export was not made with story(); import { story } from 'app-net/testing', and export default story(async ({ peer }) => …)";
  return () => serve(work, parentPort);
};
load().then((serve) => serve(), (error) => parentPort.postMessage({ type: 'refused', text: textOf(error) }));
`;
