import { isAbsolute } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A place in the user's code. `file` is an absolute path, or what Node calls code without one (`[eval]`). */
export interface CallSite {
  file: string;
  /** What a loader added to the file's name when it evaluated the file once more (`?t=123`). */
  query?: string;
  line: number;
  column: number;
}

/**
 * The place that called `below`, a function on the current stack. Undefined if the engine cannot tell.
 */
export function callSite(below: (...args: never[]) => unknown): CallSite | undefined {
  // With `--frozen-intrinsics`, `Error.prepareStackTrace` cannot be set.
  if (Object.isFrozen(Error)) return shownSite(below);
  // oxlint-disable-next-line typescript/unbound-method -- put back as it was, never called
  const { prepareStackTrace, stackTraceLimit } = Error;
  const holder: { stack?: NodeJS.CallSite[] } = {};
  try {
    Error.stackTraceLimit = 1;
    Error.prepareStackTrace = (_, sites) => sites;
    Error.captureStackTrace(holder, below);
    // The engine makes the trace when `stack` is first read, so read it before the hook is restored.
    const site = holder.stack?.[0];
    if (!site) return undefined;
    Error.prepareStackTrace = prepareStackTrace;
    const shown = shownSite(below);
    const running = site.getFileName() ?? site.getEvalOrigin() ?? '[eval]';
    return {
      // The file that runs, not the one in its source map: a tag must not depend on source maps being enabled. Vite evaluates
      // text that has no file, and only stacks name it.
      ...(site.getFileName() === null && shown && isAbsolute(shown.file)
        ? fileOf(shown.file)
        : fileOf(running)),
      line: shown?.line ?? site.getLineNumber() ?? 0,
      column: shown?.column ?? site.getColumnNumber() ?? 0,
    };
  } finally {
    Error.prepareStackTrace = prepareStackTrace;
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** The place as stacks show it. The file, too, is the one in the source map. */
function shownSite(below: (...args: never[]) => unknown): CallSite | undefined {
  const holder: { stack?: string } = {};
  Error.captureStackTrace(holder, below);
  const [, shown = ''] = String(holder.stack).split('\n', 2);
  const [, file, line, column] = /^ +at (?:.* \()?(.+?):(\d+):(\d+)\)?$/.exec(shown) ?? [];
  return file === undefined ? undefined : { ...fileOf(file), line: Number(line), column: Number(column) };
}

export function formatCallSite(site: CallSite | undefined): string {
  return site ? `${site.file}:${site.line}:${site.column}` : 'an unknown place';
}

export function fileOf(fileName: string): Pick<CallSite, 'file' | 'query'> {
  // Loaders add queries (`math.ts?tsx-namespace=…`, `?t=123` after a hot reload) to the name of the same file.
  const [name = fileName] = fileName.split('?', 1);
  const query = fileName.slice(name.length);
  return { file: name.startsWith('file:') ? fileURLToPath(name) : name, ...(query && { query }) };
}
