import { AsyncLocalStorage, executionAsyncResource } from 'node:async_hooks';
import { isAbsolute } from 'node:path';

import { fileOf } from '../call-site.ts';

/** One run of the top level of a user's module. Development servers run the same file again and again in one process. */
export interface Evaluation {
  readonly file: string;
  /** For ES modules the query of the URL, since the engine runs each URL once. Otherwise an object of its own for each run. */
  readonly run: string | object;
}

/** Frames that are searched for the top level of a module. */
const FRAMES = 50;

/**
 * The evaluation that the running code is a part of: the top level of a module is on the stack. Undefined for code that
 * runs later, for example in a listener, and wherever the engine cannot tell.
 */
export function evaluationUnderWay(): Evaluation | undefined {
  let isOnlyCode = true;
  for (const site of stackSites()) {
    const fileName = site.getFileName() ?? '';
    // After the end of such a frame, or in an awaited function, the async context is another one.
    if (site.isAsync() || fileName.startsWith('node:')) isOnlyCode = false;
    if (site.getEnclosingLineNumber() !== 1) continue;
    const column = site.getEnclosingColumnNumber();
    if (site.isEval()) {
      // Vite evaluates text: `(async function anonymous(…`. No function of the module itself begins in its first line.
      const file = site.getScriptNameOrSourceURL();
      if (column !== 2 || site.getFunctionName() !== 'eval' || !file || !isAbsolute(file)) continue;
      return isOnlyCode ? { file, run: asyncRun(file) } : undefined;
    }
    // The first column of a file is the beginning of a function without a name only if that is the file's own code.
    if (column !== 1 || site.getFunctionName() !== null) continue;
    if (fileName.startsWith('file:')) {
      const { file, query = '' } = fileOf(fileName);
      return { file, run: query };
    }
    if (isAbsolute(fileName) && !site.isToplevel()) return { file: fileName, run: syncRun(fileName) };
  }
  return undefined;
}

/**
 * Whether `now` is an evaluation of the same file that takes the place of `before`. With queries it does if a number in it
 * has grown, as a version or a time does. `?a` and `?b` are two modules that both live.
 */
export function replacesEvaluation(now: Evaluation, before: Evaluation): boolean {
  if (typeof now.run === 'string' && typeof before.run === 'string') return hasGrown(before.run, now.run);
  return typeof now.run === 'object' && typeof before.run === 'object' && now.run !== before.run;
}

const NUMBER = /(?<=[?&=])\d+(?=&|$)/g;

function hasGrown(before: string, now: string): boolean {
  if (before === '') return /^\?(?:[^&=]+=)?\d+$/.test(now);
  if (before.replace(NUMBER, '') !== now.replace(NUMBER, '')) return false;
  const [old, fresh] = [before, now].map((query) => query.match(NUMBER)?.map(Number) ?? []);
  const changed = fresh!.flatMap((number, at) => (number === old![at] ? [] : [number - old![at]!]));
  return changed.length === 1 && changed[0]! > 0;
}

type Runs = ReadonlyMap<string, object>;

/** The runs of modules that the running code is in, or was begun by. Costs nothing until a module in a text listens. */
const runs = new AsyncLocalStorage<Runs>();
let isTracked = false;

/** The run of a module that may wait at its top level. The async context stays the same after each `await` there. */
function asyncRun(file: string): object {
  const known = runs.getStore();
  const found = known?.get(file);
  if (found) return found;
  const run = {};
  const entered = new Map([...(known ?? []), [file, run]]);
  runs.enterWith(entered);
  if (!isTracked) leaveOuter(executionAsyncResource(), entered);
  isTracked = true;
  return run;
}

/**
 * Up to Node 22 the first `enterWith` of a process also enters whatever the event loop is running, since promises are
 * tracked from then on only. Later evaluations would seem to be a part of the first one.
 */
function leaveOuter(outer: object, entered: Runs): void {
  // The module itself keeps its context: it is copied when the module waits, before the next microtask.
  queueMicrotask(() => {
    for (const key of Object.getOwnPropertySymbols(outer)) {
      if (Reflect.get(outer, key) === entered) Reflect.deleteProperty(outer, key);
    }
  });
}

const turn = new Map<string, object>();

/** The run of a CommonJS module, which is over before the next microtask. */
function syncRun(file: string): object {
  if (turn.size === 0) queueMicrotask(() => turn.clear());
  const run = turn.get(file) ?? {};
  turn.set(file, run);
  return run;
}

function stackSites(): readonly NodeJS.CallSite[] {
  // With `--frozen-intrinsics`, `Error.prepareStackTrace` cannot be set.
  if (Object.isFrozen(Error)) return [];
  // oxlint-disable-next-line typescript/unbound-method -- put back as it was, never called
  const { prepareStackTrace, stackTraceLimit } = Error;
  const holder: { stack?: NodeJS.CallSite[] } = {};
  try {
    Error.stackTraceLimit = FRAMES;
    Error.prepareStackTrace = (_, sites) => sites;
    Error.captureStackTrace(holder, stackSites);
    const sites = holder.stack ?? [];
    // Bun and Deno lack the methods that tell where a function begins.
    return typeof sites[0]?.getEnclosingLineNumber === 'function' ? sites : [];
  } finally {
    Error.prepareStackTrace = prepareStackTrace;
    Error.stackTraceLimit = stackTraceLimit;
  }
}
