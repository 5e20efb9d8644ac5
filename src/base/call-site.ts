import { fileURLToPath } from 'node:url';

/** A place in the user's code. `file` is an absolute path, or what Node calls code without one (`[eval]`). */
export interface CallSite {
  file: string;
  line: number;
  column: number;
}

/**
 * The place that called `below`, a function on the current stack. Undefined where the engine cannot say.
 */
export function callSite(below: (...args: never[]) => unknown): CallSite | undefined {
  // With `--frozen-intrinsics` there are no hooks.
  if (Object.isFrozen(Error)) return shownSite(below);
  // oxlint-disable-next-line typescript/unbound-method -- put back as it was, never called
  const { prepareStackTrace, stackTraceLimit } = Error;
  const holder: { stack?: NodeJS.CallSite[] } = {};
  try {
    Error.stackTraceLimit = 1;
    Error.prepareStackTrace = (_, sites) => sites;
    Error.captureStackTrace(holder, below);
    // The trace is made when `stack` is read, so it has to be read before the hook is put back.
    const site = holder.stack?.[0];
    if (!site) return undefined;
    Error.prepareStackTrace = prepareStackTrace;
    return {
      // The file that runs, whatever its source map says: a tag must not depend on source maps being on.
      file: toPath(site.getFileName() ?? site.getEvalOrigin() ?? '[eval]'),
      ...(mappedPlace(below) ?? { line: site.getLineNumber() ?? 0, column: site.getColumnNumber() ?? 0 }),
    };
  } finally {
    Error.prepareStackTrace = prepareStackTrace;
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** Line and column as stacks show them, that is, by the source map where there is one. */
function mappedPlace(below: (...args: never[]) => unknown): { line: number; column: number } | undefined {
  const { line, column } = shownSite(below) ?? {};
  return line === undefined || column === undefined ? undefined : { line, column };
}

/** The place as stacks show it: the file, too, is that of the source map. */
function shownSite(below: (...args: never[]) => unknown): CallSite | undefined {
  const holder: { stack?: string } = {};
  Error.captureStackTrace(holder, below);
  const [, shown = ''] = String(holder.stack).split('\n', 2);
  const [, file, line, column] = /^ +at (?:.* \()?(.+?):(\d+):(\d+)\)?$/.exec(shown) ?? [];
  return file === undefined ? undefined : { file: toPath(file), line: Number(line), column: Number(column) };
}

export function formatCallSite(site: CallSite | undefined): string {
  return site ? `${site.file}:${site.line}:${site.column}` : 'an unknown place';
}

function toPath(fileName: string): string {
  // Loaders add queries (`math.ts?tsx-namespace=…`, `?t=123` after a hot reload); the file is the same.
  const [name = fileName] = fileName.split('?', 1);
  return name.startsWith('file:') ? fileURLToPath(name) : name;
}
