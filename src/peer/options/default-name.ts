import { basename } from 'node:path';
import { isMainThread, threadId } from 'node:worker_threads';

import { LONGEST_NAME } from '../../base/option-checks.ts';

/** The name of a peer that is given none: the script, the process and, in a worker thread, the thread. */
export function defaultName(): string {
  const script = process.argv[1];
  const thread = isMainThread ? '' : `/${threadId}`;
  return `${script ? basename(script) : 'node'}:${process.pid}${thread}`.slice(-LONGEST_NAME);
}
