/** Ctrl-C: the first ends what a command does, in order; a second one ends the process. */

/** What the signal of a command is aborted with. */
export class Interrupted extends Error {
  constructor() {
    super('interrupted');
  }
}

/** Aborts at the first Ctrl-C, or when the process is told to end. */
export function interruption(): AbortSignal {
  const controller = new AbortController();
  const interrupt = (): void => {
    if (controller.signal.aborted) process.exit(130);
    // After the ^C that the terminal shows.
    if (process.stderr.isTTY) process.stderr.write('\n');
    controller.abort(new Interrupted());
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  return controller.signal;
}
