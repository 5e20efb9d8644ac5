import { statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

import type { Context } from '../context.ts';
import { CliError, EXIT } from '../terminal/exit.ts';
import type { ExitCode } from '../terminal/exit.ts';
import { runModule } from './module.ts';

/** `app-net serve <module>`: loads a module and keeps it as a peer. */

export interface ServeOptions {
  name?: string;
  group?: string;
  /** Restarts when the module, or anything that it imports, changes. */
  watch?: boolean;
}

const TYPESCRIPT = new Set(['.ts', '.mts', '.cts', '.tsx']);

export async function serve(context: Context, given: string, options: ServeOptions): Promise<ExitCode> {
  const module = resolve(given);
  const stats = statSync(module, { throwIfNoEntry: false });
  if (!stats) throw new CliError(EXIT.USAGE, `the file ${module} does not exist`);
  if (stats.isDirectory())
    throw new CliError(EXIT.USAGE, `${module} is a folder`, 'give a JavaScript or TypeScript file');
  const loader = TYPESCRIPT.has(extname(module)) ? typescriptLoader(module) : undefined;
  // The module's own peer reads these variables.
  if (options.name !== undefined) process.env['APP_NET_NAME'] = options.name;
  if (options.group !== undefined) process.env['APP_NET_GROUP'] = options.group;
  if (!options.watch) return runHere(context, module, loader);
  const { watchModule } = await import('./watch.ts');
  return watchModule(context, module, loader === undefined ? [] : ['--import', loader]);
}

async function runHere(context: Context, module: string, loader: string | undefined): Promise<ExitCode> {
  if (loader !== undefined) await import(loader);
  return runModule(context, module);
}

/**
 * The loader that makes Node read TypeScript: tsx, when the module's project has it. A newer Node needs none.
 * @throws CliError
 */
function typescriptLoader(module: string): string | undefined {
  for (const from of [module, resolve('package.json')]) {
    try {
      return pathToFileURL(createRequire(from).resolve('tsx')).href;
    } catch {
      // Not there; perhaps in the folder of the command.
    }
  }
  // Node 22.18 and later.
  if ((process.features as { typescript?: unknown }).typescript) return undefined;
  throw new CliError(
    EXIT.USAGE,
    `${basename(module)} is TypeScript, which Node ${process.versions.node} cannot read`,
    'run npm install --save-dev tsx, or use Node 22.18 or later',
  );
}
