import { CliError, EXIT } from './exit.ts';
import type { ExitCode } from './exit.ts';
import { Interrupted } from './interrupt.ts';
import { Output, safe } from './output.ts';

/** Says on stderr what went wrong and what to do. Returns what the process should exit with. */
export function explain(error: unknown): ExitCode {
  if (error instanceof Interrupted) return EXIT.INTERRUPTED;
  const out = new Output(false);
  const { red, dim } = out.errorColors;
  if (error instanceof CliError) {
    out.message(`${red('app-net:')} ${safe(error.message, 2_000)}`);
    if (error.advice !== undefined) out.message(dim(safe(error.advice, 2_000)));
    return error.exitCode;
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  out.message(`${red('app-net:')} ${text}`);
  return EXIT.FAILED;
}
