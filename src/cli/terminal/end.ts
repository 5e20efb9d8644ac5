import { EXIT } from './exit.ts';
import type { ExitCode } from './exit.ts';

/** The end of the process and of its output. */

/** How long a slow reader may hold up a command that was interrupted, in ms. */
const PATIENCE = 1_000;

/**
 * Ends the process once all output has been read; a pipe may be slow. The connections of its peers need no such care:
 * they say goodbye at the exit.
 */
export function endProcess(code: ExitCode): void {
  const exit = (): void => process.exit(code);
  if (code === EXIT.INTERRUPTED) setTimeout(exit, PATIENCE);
  process.stderr.write('', () => process.stdout.write('', exit));
}

let lost = endQuietly;

/**
 * Listens for the loss of stdout and stderr. An `error` event without a listener would end the process with a stack.
 */
export function surviveLostOutput(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => lost(error));
  // Nobody reads the messages any more, but the work of the command may still be wanted.
  process.stderr.on('error', () => {});
}

/** Sets what happens when stdout is lost. Default: the command ends at once. */
export function whenOutputIsLost(what: () => void): void {
  lost = () => {
    lost = () => {};
    what();
  };
}

/** In `app-net peers | head -1` the reader ends first, which is not an error. */
function endQuietly(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') process.stderr.write(`app-net: cannot write to stdout: ${error.message}\n`);
  process.exit(error.code === 'EPIPE' ? EXIT.DONE : EXIT.FAILED);
}
