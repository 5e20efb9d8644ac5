import { NetError } from '../../base/errors.ts';
import { EXIT } from './exit.ts';
import type { ExitCode } from './exit.ts';
import { safe } from './text.ts';
import type { Colors } from './colors.ts';
import { display } from '../commands/values.ts';

/** What a call failed with, as a person reads it: the first line says it, the others where. */
export function failureLines(error: unknown, { red, dim }: Colors): [string, ...string[]] {
  if (!(error instanceof Error)) {
    return [`${red('thrown there:')} ${display(error, { colors: false, columns: 120 })}`];
  }
  const ran = error instanceof NetError ? ` (${error.code}, ran: ${error.ran})` : '';
  const first = `${red(`${safe(error.name, 100)}:`)} ${safe(error.message, 2_000)}${ran}`;
  // The frames of the process that ran it; those of this command say nothing.
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  const end = frames.findIndex((line) => line.includes('at peer '));
  return [first, ...frames.slice(0, end + 1).map((line) => dim(safe(line, 300)))];
}

export function exitCodeOf(error: unknown): ExitCode {
  if (!(error instanceof NetError)) return EXIT.FAILED;
  return error.code === 'NO_SUCH_TAG' ? EXIT.NOT_FOUND : EXIT.NOT_CALLED;
}
