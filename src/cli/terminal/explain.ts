import { NetError } from '../../base/errors.ts';
import { ownFrame } from '../../base/stack.ts';
import { CliError, EXIT } from './exit.ts';
import type { ExitCode } from './exit.ts';
import { exitCodeOf } from './failures.ts';
import { Interrupted } from './interrupt.ts';
import { Output } from './output.ts';
import { safe } from './text.ts';
import { display, jsonable } from '../commands/values.ts';

/**
 * Writes to stderr what went wrong and what to do. Returns the exit code of the process.
 * @param json whether to write a line of JSON, for programs
 */
export function explain(error: unknown, json = false, out: Output = new Output(false)): ExitCode {
  if (isInterruption(error)) return EXIT.INTERRUPTED;
  if (json) {
    const what =
      error instanceof CliError ? { message: error.message, advice: error.advice } : jsonable(error);
    out.messageData({ error: what });
    return error instanceof CliError ? error.exitCode : exitCodeOf(error);
  }
  const { red, dim } = out.errorColors;
  if (error instanceof CliError) {
    out.message(`${red('app-net:')} ${safe(error.message, 2_000)}`);
    if (error.advice !== undefined) out.message(dim(safe(error.advice, 2_000)));
    return error.exitCode;
  }
  if (error instanceof NetError) {
    out.message(`${red('app-net:')} ${safe(error.message, 2_000)} (${error.code}, ran: ${error.ran})`);
    return exitCodeOf(error);
  }
  // An error of the system is about a file or the terminal, and our stack would add nothing.
  const isSystem = error instanceof Error && 'syscall' in error;
  const text =
    error instanceof Error
      ? (!isSystem && stackOf(error)) || error.message
      : display(error, { colors: false, columns: 120 });
  out.message(`${red('app-net:')} ${text}`);
  return EXIT.FAILED;
}

function isInterruption(error: unknown): boolean {
  if (error instanceof Interrupted) return true;
  // The error of Node's own functions that take a signal.
  return error instanceof Error && error.name === 'AbortError' && error.cause instanceof Interrupted;
}

/** The stack without the frames between this command and the module that it serves. */
function stackOf({ stack }: Error): string | undefined {
  const lines = stack?.split('\n') ?? [];
  const end = lines.findLastIndex((line) => !/^ +at /.test(line) || !(INSIDE.test(line) || ownFrame(line)));
  return lines.slice(0, end + 1).join('\n');
}

const INSIDE = /\bnode:internal\//;
