import { createRequire, register } from 'node:module';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MessageChannel } from 'node:worker_threads';

import { explain } from './explain.ts';
import { interruption } from './interrupt.ts';
import { Output } from './output.ts';
import { runModule } from './serve-module.ts';

/** What `serve --watch` starts again and again. It tells its parent what it loads, and ends when that lets go of it. */

const released = new AbortController();
process.once('disconnect', () => released.abort());
const signal = AbortSignal.any([interruption(), released.signal]);

const { port1, port2 } = new MessageChannel();
port1.on('message', (url: string) => tell(fileURLToPath(url.replace(/[?#].*$/, ''))));
port1.unref();
const hooks = new URL(`serve-hooks${extname(import.meta.url)}`, import.meta.url);
register(hooks, { data: { port: port2 }, transferList: [port2] });

const context = { out: new Output(false), signal, environment: process.env };
// What is required is not imported, and known when it has been.
const required = (): void => Object.keys(createRequire(import.meta.url).cache).forEach((file) => tell(file));
process.exitCode = await runModule(context, process.argv[2]!, required).catch(explain);
if (process.connected) process.disconnect();

function tell(file: string): void {
  if (process.connected) process.send!(file);
}
