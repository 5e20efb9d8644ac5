import { once } from 'node:events';
import { basename } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';

import { runningPeers, serveListeners } from '../../peer/running-peers.ts';
import type { RunningPeer } from '../../peer/running-peers.ts';
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
 * Loads the module, and holds the process until a signal; then what runs may finish. A module may end in
 * `await serve()`, and its import then takes as long as its peer lives.
 * @param loaded called when everything is, or failed to be
 * @throws what the module threw, or what its peer died of; CliError when it connects nothing
 */
export async function runModule(
  { out, signal }: Context,
  module: string,
  loaded: () => void = () => {},
): Promise<ExitCode> {
  // As if the module had been started itself: a peer without a name is called after it.
  process.argv.splice(1, process.argv.length, module);
  // A module whose output nobody reads any more has lost the process that wanted it.
  whenOutputIsLost(interrupt);
  if (signal.aborted) return EXIT.INTERRUPTED;
  const aborted = whenAborted(signal);
  const described = new Described(out);
  const imported = importOf(module).finally(loaded);
  // Whoever waits for it below gets the error.
  imported.catch(() => {});
  try {
    const state = await Promise.race([
      imported.then(() => 'loaded' as const),
      loopIsEmpty().then(() => 'stuck' as const),
      aborted.then(() => 'aborted' as const),
    ]);
    if (state !== 'aborted') {
      for (const peer of runningPeers) described.add(peer);
      if (described.size === 0) throw nothingConnected(module, state);
      await Promise.race([peersEnd(), failureOf(imported), aborted]);
    }
    const isOver = await drain(signal, described);
    if (!isOver) return EXIT.INTERRUPTED;
    // The code behind `await serve()`. A module that handles the signal itself mostly ends the process, in its own time.
    const cleaned = handlesItself(signal) ? failureOf(imported) : imported;
    await Promise.race([cleaned, loopIsEmpty(), wait(CLEANUP_TIME, undefined, { ref: false })]);
  } catch (error) {
    // What the module waited for ended with its peer.
    if (!(signal.aborted && isStopped(error))) throw error;
  }
  return EXIT.DONE;
}

/** Stops every peer, those included that start meanwhile. Returns whether there was anything that a signal could end. */
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
    // The file and the line of a syntax error are known to Node only, and told only of an error that nobody catches.
    if (error instanceof SyntaxError) setImmediate(() => rethrow(error));
    else throw error;
    await new Promise(() => {});
  }
}

function rethrow(error: Error): never {
  throw error;
}

/** Never resolves. @throws what `work` does */
async function failureOf(work: Promise<unknown>): Promise<never> {
  await work;
  return new Promise(() => {});
}

/** Resolves when Node has nothing left to wait for: what the module still awaits will never come. */
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
  // Not by its class: the module may use another copy of the library.
  return error instanceof Error && error.name === 'NetError' && runningPeers.size === 0;
}

function nothingConnected(module: string, state: 'loaded' | 'stuck'): CliError {
  const what = state === 'loaded' ? 'was loaded' : 'waits for something that never comes';
  return new CliError(
    EXIT.USAGE,
    `${basename(module)} ${what}, and no function was connected`,
    "write: import { connect } from 'app-net'; export const f = connect(function f() { … });",
  );
}

/** The peers of the module that have been told of on stdout: each once, when it is served or the module is loaded. */
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
