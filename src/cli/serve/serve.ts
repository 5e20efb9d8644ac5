import { existsSync } from 'node:fs';
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
  /** Starts anew when the module, or anything it imports, changes. */
  watch?: boolean;
}

const TYPESCRIPT = new Set(['.ts', '.mts', '.cts', '.tsx']);

export async function serve(context: Context, given: string, options: ServeOptions): Promise<ExitCode> {
  const module = resolve(given);
  if (!existsSync(module)) throw new CliError(EXIT.USAGE, `there is no file ${module}`);
  const loader = TYPESCRIPT.has(extname(module)) ? typescriptLoader(module) : undefined;
  // As the module's own peer reads them.
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
 * What makes Node read TypeScript: tsx, where the module's project has it; a newer Node does without.
 * @throws CliError
 */
function typescriptLoader(module: string): string | undefined {
  for (const from of [module, resolve('package.json')]) {
    try {
      return pathToFileURL(createRequire(from).resolve('tsx')).href;
    } catch {
      // Not there; perhaps where the command was given.
    }
  }
  // Of Node 22 and later.
  if ((process.features as { typescript?: unknown }).typescript) return undefined;
  throw new CliError(
    EXIT.USAGE,
    `${basename(module)} is TypeScript, which Node ${process.versions.node} cannot read`,
    'npm install --save-dev tsx',
  );
}
