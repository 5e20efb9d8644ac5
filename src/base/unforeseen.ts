import { keepApart } from './process/module-state.ts';
import { isBriefText, messageOf } from './text.ts';

/**
 * Reports of unexpected errors. Such an error is a bug of this library, whatever input triggered it. It is contained where it
 * happened, and it must never be silent.
 */

/** At most one process warning in this time, in ms: somebody on the network might be able to cause one with every message. */
const PAUSE = 1_000;

/** Returns a function that emits a process warning, which Node writes to stderr, unless it has just done so. */
export function seldomWarning(): (text: string) => void {
  let nextAt = -Infinity;
  keepApart({ fresh: () => -Infinity, take: () => nextAt, put: (at) => (nextAt = at) });
  return (text) => {
    const now = performance.now();
    if (now < nextAt) return;
    nextAt = now + PAUSE;
    process.emitWarning(text, 'AppNetWarning');
  };
}

const warn = seldomWarning();

/** For places that have no log, and for logs that are off. */
export function warnOfUnforeseen(doing: string, error: unknown): void {
  warn(`unexpected error ${doing}. This is a bug of app-net; please report it: ${stackOf(error)}`);
}

/** Runs work that nobody waits for. A rejection is reported and ends nothing. */
export function unawaited(doing: string, work: Promise<unknown>): void {
  work.catch((error: unknown) => warnOfUnforeseen(doing, error));
}

/** The stack of an error, or the text of any other thrown value. Reading a thrown value can itself throw. */
export function stackOf(error: unknown): string {
  try {
    const hasStack = error instanceof Error && isBriefText(error.name) && isBriefText(error.message);
    const stack: unknown = hasStack ? error.stack : undefined;
    return typeof stack === 'string' ? stack : messageOf(error);
  } catch {
    return 'an error that cannot be read';
  }
}
