import { createRequire, register } from 'node:module';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MessageChannel } from 'node:worker_threads';

import { endProcess, surviveLostOutput } from '../terminal/end.ts';
import { explain } from '../terminal/explain.ts';
import { interrupt, interruption } from '../terminal/interrupt.ts';
import { Output } from '../terminal/output.ts';
import { runModule } from './module.ts';

/**
 * What `serve --watch` starts again and again. It tells its parent what it loads, and ends when that lets go of it, or is
 * gone itself. Arguments: the module, the process id of the parent.
 */

surviveLostOutput();
const signal = interruption(false);
const released = (): void => {
  // After Ctrl-C both processes have had their signal; this would be taken for the second one.
  if (!signal.aborted) interrupt();
};
process.once('disconnect', released);
// It may have let go while this process was starting.
if (!process.connected) released();
// A module that waits for something that never comes is told from one that has work by an empty event loop.
process.channel?.unref();

const { port1, port2 } = new MessageChannel();
port1.on('message', (url: string) => tell(fileURLToPath(url.replace(/[?#].*$/, ''))));
port1.unref();
const hooks = new URL(`serve-hooks${extname(import.meta.url)}`, import.meta.url);
register(hooks, { data: { port: port2, parent: Number(process.argv[3]) }, transferList: [port2] });

const context = { out: new Output(false), signal, environment: process.env };
// What is required is not imported, and known when it has been.
const required = (): void => Object.keys(createRequire(import.meta.url).cache).forEach((file) => tell(file));
endProcess(await runModule(context, process.argv[2]!, required).catch(explain));

function tell(file: string): void {
  if (process.connected) process.send!(file);
}
