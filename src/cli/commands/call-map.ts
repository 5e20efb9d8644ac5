import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createInterface } from 'node:readline';

import { nameOf } from './chosen-call.ts';
import type { Chosen } from './chosen-call.ts';
import type { Context } from '../context.ts';
import { CliError, EXIT } from '../terminal/exit.ts';
import type { ExitCode } from '../terminal/exit.ts';
import { safe } from '../terminal/text.ts';
import { Progress } from '../terminal/progress.ts';
import { jsonable } from './values.ts';
import { messageOf } from '../../base/text.ts';

/** `app-net call <function> --map FILE`: one input per line, spread over the peers. The results are lines of JSON. */
export async function callMap(
  { out, signal }: Context,
  { own, tag, select, deadline, meta, options }: Chosen,
  file: string,
): Promise<ExitCode> {
  const total = await checkLines(file, options.spread);
  const remote = own.remote<(...args: unknown[]) => unknown>(tag, { idempotent: options.idempotent });
  const progress = out.messagesAreRead ? new Progress(out, total) : undefined;
  let failed = 0;
  try {
    const results = remote.map(linesOf(file, options.spread), {
      args: (input: unknown) => (options.spread ? (input as unknown[]) : [input]),
      select,
      deadline,
      signal,
      meta,
      ...(options.concurrency !== undefined && { concurrency: options.concurrency }),
      ordered: options.ordered ?? false,
      onProgress: (state) => progress?.show(state),
    });
    for await (const result of results) {
      const { index, peer } = result;
      const who = peer && { peer: nameOf(peer) };
      // Both lines are on one terminal: the progress must not be in the way of a line that stays.
      progress?.hide();
      if (result.status === 'fulfilled') {
        out.data({ index, ...who, value: jsonable(result.value) });
      } else {
        failed += 1;
        out.data({ index, ...who, error: jsonable(result.reason) });
      }
      progress?.again();
      await out.taken(signal);
    }
  } catch (error) {
    if (signal.aborted) return EXIT.INTERRUPTED;
    throw error;
  } finally {
    progress?.end();
  }
  return failed === 0 ? EXIT.DONE : EXIT.FAILED;
}

/** The number of inputs. Undefined for input that can be read only once; its lines are checked as they arrive. */
async function checkLines(file: string, spread: boolean | undefined): Promise<number | undefined> {
  if (file === '-') return undefined;
  const stats = await stat(file).catch((error: NodeJS.ErrnoException) => {
    const text = error.code === 'ENOENT' ? `the file ${safe(file)} does not exist` : error.message;
    throw new CliError(EXIT.USAGE, text, 'give a file with one input per line, or - for standard input');
  });
  if (stats.isDirectory()) {
    throw new CliError(EXIT.USAGE, `${safe(file)} is a folder`, 'give a file with one input per line');
  }
  if (!stats.isFile()) return undefined;
  let count = 0;
  for await (const _ of linesOf(file, spread)) count += 1;
  return count;
}

/** @throws CliError naming the line that is not JSON */
async function* linesOf(file: string, spread: boolean | undefined): AsyncGenerator {
  const input = file === '-' ? process.stdin : createReadStream(file);
  let number = 0;
  for await (const line of createInterface({ input, crlfDelay: Infinity })) {
    number += 1;
    if (line.trim() !== '') yield read(line, number, file, spread);
  }
}

function read(line: string, number: number, file: string, spread: boolean | undefined): unknown {
  const place = `line ${number} of ${file === '-' ? 'standard input' : safe(file)}`;
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    const why = messageOf(error);
    throw new CliError(EXIT.USAGE, `${place} is not JSON: ${why}`, 'write one JSON value per line');
  }
  if (spread && !Array.isArray(value)) {
    throw new CliError(
      EXIT.USAGE,
      `${place} is not a JSON array`,
      'with --spread, each line must hold all arguments, such as [5, 10]',
    );
  }
  return value;
}
