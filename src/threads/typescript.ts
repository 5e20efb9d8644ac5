import { createRequire } from 'node:module';
import { dirname, extname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

const TYPESCRIPT: ReadonlySet<string> = new Set(['.ts', '.mts', '.cts', '.tsx']);

/**
 * What a thread imports to run TypeScript; undefined if it needs nothing. A loader that this thread was started with does not reach
 * the threads that it starts.
 * @throws Error that says what is missing
 */
export function tsxFor(file: string): string | undefined {
  if (!TYPESCRIPT.has(extname(file))) return undefined;
  const { typescript } = process.features as { typescript?: unknown };
  const args = [...process.execArgv, process.env['NODE_OPTIONS'] ?? ''];
  if (typescript && !args.some((each) => each.includes('tsx'))) return undefined;
  try {
    // The part of tsx that is an ES module: the other one cannot be loaded everywhere.
    const { resolve } = createRequire(file);
    return pathToFileURL(join(dirname(resolve('tsx/package.json')), 'dist/esm/api/index.mjs')).href;
  } catch (error) {
    if (typescript) return undefined;
    throw new Error(
      `${file} is TypeScript, which threads of Node ${process.versions.node} run only with tsx; install it (npm install tsx), ` +
        'compile the file, or use Node 22.18 or later',
      { cause: error },
    );
  }
}
