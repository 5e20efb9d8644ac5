import { interruption } from './interrupt.ts';
import { Output } from './output.ts';
import { explain } from './explain.ts';
import { runModule } from './serve-module.ts';

/** What `serve --watch` starts again and again. */

const context = { out: new Output(false), signal: interruption(), environment: process.env };
process.exitCode = await runModule(context, process.argv[2]!).catch(explain);
