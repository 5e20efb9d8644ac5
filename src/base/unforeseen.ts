/**
 * What is told when something goes wrong that nobody foresaw: a bug of ours, whatever it was that came upon it. It is
 * contained where it happened, and it must not go unseen.
 */

/** At most one process warning in this time, in ms: somebody on the network may be able to cause one with every message. */
const PAUSE = 1_000;

let nextAt = -Infinity;

/** Tells it as a process warning, which Node writes to stderr. For places that have no log at hand, and for logs that are off. */
export function warnOfUnforeseen(doing: string, error: unknown): void {
  const now = performance.now();
  if (now < nextAt) return;
  nextAt = now + PAUSE;
  const text = `something went wrong ${doing}. This is a bug of app-net; please report it. ${stackOf(error)}`;
  process.emitWarning(text, 'AppNetWarning');
}

/** Lets work run that nobody waits for. What it rejects with is told, and ends nothing. */
export function unawaited(doing: string, work: Promise<unknown>): void {
  work.catch((error: unknown) => warnOfUnforeseen(doing, error));
}

/** Everything that is known about an error, whatever was thrown: that, too, may throw when it is looked at. */
export function stackOf(error: unknown): string {
  try {
    return error instanceof Error ? (error.stack ?? String(error)) : String(error);
  } catch {
    return 'an error that cannot be read';
  }
}
