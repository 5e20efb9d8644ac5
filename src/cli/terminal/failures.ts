import { NetError } from '../../base/errors.ts';
import { EXIT } from './exit.ts';
import type { ExitCode } from './exit.ts';
import { safe } from './text.ts';
import type { Colors } from './colors.ts';
import { display } from '../commands/values.ts';

/** The failure of a call for people: the first line is the message, the others say where. */
export function failureLines(error: unknown, { red, dim }: Colors): [string, ...string[]] {
  if (!(error instanceof Error)) {
    return [`${red('the function threw:')} ${display(error, { colors: false, columns: 120 })}`];
  }
  const ran = error instanceof NetError ? ` (${error.code}, ran: ${error.ran})` : '';
  const first = `${red(`${safe(error.name, 100)}:`)} ${safe(error.message, 2_000)}${ran}`;
  // Only the frames of the process that ran the function; those of this command do not help.
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  const end = frames.findIndex((line) => line.includes('at peer '));
  return [first, ...frames.slice(0, end + 1).map((line) => dim(safe(line, 300)))];
}

/** Whether the peer itself answered so: the function threw, or the peer has no such function. Then the peer lives. */
export function isAnswer(error: unknown): boolean {
  return !(error instanceof NetError) || error.code === 'NO_SUCH_TAG';
}

export function exitCodeOf(error: unknown): ExitCode {
  if (!(error instanceof NetError)) return EXIT.FAILED;
  return error.code === 'NO_SUCH_TAG' ? EXIT.NOT_FOUND : EXIT.NOT_CALLED;
}
