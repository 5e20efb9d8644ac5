import { once } from 'node:events';
import { basename } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';

import { runningPeers, serveListeners } from '../../peer/running-peers.ts';
import type { RunningPeer } from '../../peer/running-peers.ts';
import { ownFrame } from '../../base/stack.ts';
import { readableTag } from '../../base/tag.ts';
import type { Context } from '../context.ts';
import { whenOutputIsLost } from '../terminal/end.ts';
import { CliError, EXIT } from '../terminal/exit.ts';
import type { ExitCode } from '../terminal/exit.ts';
import { interrupt, Interrupted, isHandledElsewhere } from '../terminal/interrupt.ts';
import { safe } from '../terminal/text.ts';
import type { Output } from '../terminal/output.ts';
import { CLEANUP_TIME } from './times.ts';
import { count } from '../terminal/units.ts';

/** The life of a served module: loaded, kept as a peer until a signal, drained, and given time to clean up. */

/**
 * Loads the module and holds the process until a signal. Then the calls that run may finish. A module may end in `await
 * serve()`; its import then takes as long as its peer lives.
 * @param loaded called when the module is loaded, or has failed
 * @throws what the module threw, or what its peer died of; CliError when it connects nothing
 */
export async function runModule(
  { out, signal }: Context,
  module: string,
  loaded: () => void = () => {},
): Promise<ExitCode> {
  // As if the module had been started directly: a peer without a name is named after it.
  process.argv.splice(1, process.argv.length, module);
  // When nobody reads the module's output any more, the process that wanted it has gone.
  whenOutputIsLost(interrupt);
  if (signal.aborted) return EXIT.INTERRUPTED;
  const aborted = whenAborted(signal);
  const described = new Described(out);
  const imported = importOf(module).finally(loaded);
  // The awaits below get the error.
  imported.catch(() => {});
  try {
    const state = await Promise.race([
      imported.then(() => 'loaded' as const),
      loopIsEmpty().then(() => 'stuck' as const),
      aborted.then(() => 'aborted' as const),
    ]);
    if (state !== 'aborted') {
      const connected = [...runningPeers];
      // The line on stdout says that the functions can be called. A peer that is starting cannot be found yet.
      await Promise.race([Promise.all(connected.map((peer) => peer.start())), aborted]);
      if (!signal.aborted) for (const peer of connected) described.add(peer);
      if (connected.length + described.size === 0) throw nothingConnected(module, state);
      await Promise.race([peersEnd(), failureOf(imported), aborted]);
    }
    const isOver = await drain(signal, described);
    if (!isOver) return EXIT.INTERRUPTED;
    // The code after `await serve()`. A module that handles the signal itself usually ends the process at a time of its
    // choice.
    const cleaned = handlesItself(signal) ? failureOf(imported) : imported;
    await Promise.race([cleaned, loopIsEmpty(), wait(CLEANUP_TIME, undefined, { ref: false })]);
  } catch (error) {
    // The module's wait ended with its peer.
    if (!(signal.aborted && isStopped(error))) throw error;
  }
  return EXIT.DONE;
}

/** Stops every peer, those that start meanwhile too. Returns whether a signal had anything to end. */
async function drain(signal: AbortSignal, described: Described): Promise<boolean> {
  if (runningPeers.size === 0 && described.size === 0 && !handlesItself(signal)) return false;
  while (runningPeers.size > 0) await Promise.all([...runningPeers].map((peer) => peer.stop()));
  return true;
}

/** Resolves when no peer runs any more. @throws what one of them died of */
async function peersEnd(): Promise<void> {
  while (runningPeers.size > 0) await Promise.all([...runningPeers].map((peer) => peer.serve()));
}

async function importOf(module: string): Promise<void> {
  try {
    await import(pathToFileURL(module).href);
  } catch (error) {
    if (!isSyntaxError(error)) throw error;
    if (error.code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX') throw needsCompiler(error);
    if (tellsPlace(error)) throw error;
    // Node alone knows the file and the line, and prints them only for an uncaught error.
    setImmediate(() => rethrow(error));
    await new Promise(() => {});
  }
}

function rethrow(error: Error): never {
  throw error;
}

function isSyntaxError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof SyntaxError;
}

/** Whether the stack begins with the wrong line, or names a line of the module that made the error. */
function tellsPlace({ stack = '' }: Error): boolean {
  const lines = stack.split('\n');
  const isOutside = (line: string): boolean => !/\bnode:|<anonymous>/.test(line) && !ownFrame(line);
  return !lines[0]!.startsWith('SyntaxError') || lines.some((line) => /^ +at /.test(line) && isOutside(line));
}

/** An `enum`, for example: Node only removes types, and this needs code in their place. */
function needsCompiler({ message, stack = '' }: Error): CliError {
  const place = /^\S+:\d+$/m.exec(stack.split('\n', 1)[0]!)?.[0];
  return new CliError(
    EXIT.USAGE,
    place === undefined ? message : `${place}: ${message}`,
    'run npm install --save-dev tsx, which reads all of TypeScript',
  );
}

/** Never resolves. @throws what `work` throws */
async function failureOf(work: Promise<unknown>): Promise<never> {
  await work;
  return new Promise(() => {});
}

/** Resolves when Node has nothing left to wait for. Anything that the module still awaits will never happen. */
function loopIsEmpty(): Promise<unknown> {
  return once(process, 'beforeExit');
}

function whenAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function handlesItself(signal: AbortSignal): boolean {
  return signal.reason instanceof Interrupted && isHandledElsewhere(signal.reason.by);
}

function isStopped(error: unknown): boolean {
  // The class cannot tell: the module may use another copy of the library.
  return error instanceof Error && error.name === 'NetError' && runningPeers.size === 0;
}

function nothingConnected(module: string, state: 'loaded' | 'stuck'): CliError {
  const what = state === 'loaded' ? 'was loaded' : 'waits for something that never happens';
  return new CliError(
    EXIT.USAGE,
    `${basename(module)} ${what}, and it connected no function`,
    "connect one: import { connect } from 'app-net'; export const f = connect(function f() { … });",
  );
}

/** The peers that stdout has announced. Each is announced once, when it is served or the module is loaded. */
class Described {
  readonly #peers = new Set<RunningPeer>();
  readonly #out: Output;

  constructor(out: Output) {
    this.#out = out;
    serveListeners.add((peer) => this.add(peer));
  }

  get size(): number {
    return this.#peers.size;
  }

  add(peer: RunningPeer): void {
    if (this.#peers.has(peer)) return;
    this.#peers.add(peer);
    const { name, group, functions } = peer;
    const groupName = safe(group, 60);
    this.#out.line(
      `${safe(name, 60)} serves ${count(functions.length, 'function')} in the group ${groupName}`,
    );
    for (const tag of functions) this.#out.line(`  ${safe(readableTag(tag))}`);
  }
}
