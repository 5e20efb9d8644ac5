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
 * The process that `serve --watch` starts again and again. It tells its parent which files it loads. It ends when the
 * parent disconnects or has gone. Arguments: the module, the process id of the parent.
 */

surviveLostOutput();
const signal = interruption(false);
const released = (): void => {
  // After Ctrl-C both processes have had their signal; this one would count as the second.
  if (!signal.aborted) interrupt();
};
process.once('disconnect', released);
// The parent may have disconnected while this process was starting.
if (!process.connected) released();
// An empty event loop shows that a module waits in vain. So the channel must not keep the loop alive.
process.channel?.unref();

const { port1, port2 } = new MessageChannel();
port1.on('message', (url: string) => tell(fileURLToPath(url.replace(/[?#].*$/, ''))));
port1.unref();
const hooks = new URL(`serve-hooks${extname(import.meta.url)}`, import.meta.url);
register(hooks, { data: { port: port2, parent: Number(process.argv[3]) }, transferList: [port2] });

const context = { out: new Output(false), signal, environment: process.env };
// Required files are not imported, and are known once they have been loaded.
const required = (): void => Object.keys(createRequire(import.meta.url).cache).forEach((file) => tell(file));
endProcess(await runModule(context, process.argv[2]!, required).catch(explain));

function tell(file: string): void {
  if (process.connected) process.send!(file);
}
