import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';

/**
 * How long the main thread of another process of this host was ready to run and had no processor, in ms since it began. On an
 * overloaded host this tells a process that cannot run from one that does not. Only Linux says it.
 * @param host the name of the host that the process gives: a process id means another process in another container
 * @returns undefined if it is not known
 */
export function processorWait(pid: number, host: string): number | undefined {
  if (process.platform !== 'linux' || pid === process.pid || host !== hostname()) return undefined;
  try {
    // Time on a processor, time waiting for one, both in ns, and the number of turns.
    const [, waited = ''] = readFileSync(`/proc/${pid}/schedstat`, 'latin1').split(' ');
    return waited === '' ? undefined : Number(waited) / 1e6;
  } catch {
    return undefined;
  }
}
