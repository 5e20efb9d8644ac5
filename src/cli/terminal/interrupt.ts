import { SAME_PRESS } from '../../peer/stop-on.ts';
import { EXIT } from './exit.ts';

/** Ctrl-C and similar signals. The first one ends the command in order, a second one ends the process at once. */

/** The signals that ask a process to end. SIGHUP arrives when its terminal is closed. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
export type EndSignal = (typeof SIGNALS)[number];

/** The reason with which a command's signal is aborted. */
export class Interrupted extends Error {
  readonly by: EndSignal;

  constructor(by: EndSignal) {
    super('interrupted');
    this.by = by;
  }
}

/**
 * Aborts at the first signal that asks this process to end; a second one ends it.
 * @param terminal whether this process is the one that the person at the terminal started
 */
export function interruption(terminal = true): AbortSignal {
  const controller = new AbortController();
  let abortedAt = -Infinity;
  const ended = (by: EndSignal): void => {
    // Many programs reload their configuration at a SIGHUP. A module that listens for it wants that and not the end.
    if (by === 'SIGHUP' && isHandledElsewhere(by)) return;
    if (controller.signal.aborted) {
      if (performance.now() - abortedAt >= SAME_PRESS) process.exit(EXIT.INTERRUPTED);
      return;
    }
    abortedAt = performance.now();
    // Begins a new line after the ^C that the terminal shows.
    if (terminal && by === 'SIGINT' && process.stderr.isTTY) process.stderr.write('\n');
    controller.abort(new Interrupted(by));
  };
  for (const name of SIGNALS) process.on(name, ended);
  return controller.signal;
}

/** How long a command may take to end in order after the first signal, in ms. */
const PATIENCE = 1_000;

/** Resolves when a command that was interrupted has used up its time; never if it was not interrupted. */
export function outOfPatience(signal: AbortSignal): Promise<typeof EXIT.INTERRUPTED> {
  return new Promise((resolve) => {
    const wait = (): unknown => setTimeout(resolve, PATIENCE, EXIT.INTERRUPTED);
    if (signal.aborted) wait();
    else signal.addEventListener('abort', wait, { once: true });
  });
}

/** Whether another listener handles the signal, as a served module may. */
export function isHandledElsewhere(name: EndSignal): boolean {
  return process.listenerCount(name) > 1;
}

/** Does what a signal would do, and runs the handlers of a served module too. On Windows no real signal could. */
export function interrupt(): void {
  process.emit('SIGTERM', 'SIGTERM');
}
