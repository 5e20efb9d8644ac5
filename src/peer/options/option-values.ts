import { resolve } from 'node:path';

import { milliseconds, portRange } from '../../base/option-checks.ts';

/** Values that several options give together. */

interface SilenceOptions {
  ping?: number | undefined;
  suspect?: number | undefined;
}

interface PortOptions {
  port?: number | undefined;
  portRange?: readonly [number, number] | undefined;
}

/** The silence until a peer is asked for a sign of life, and until it is suspect. */
export function silence(options: SilenceOptions): { ping: number; suspect: number } {
  const ping = milliseconds('ping', options.ping, 2_000);
  if (!(ping >= 20)) throw new TypeError('ping: give a number of milliseconds, 20 or more');
  const suspect = milliseconds('suspect', options.suspect, 3 * ping);
  if (suspect < 2 * ping)
    throw new TypeError('suspect: give at least twice `ping`, or no answer could come in time');
  return { ping, suspect };
}

export function ports(
  options: PortOptions,
  env: (name: string) => string | undefined,
): readonly [number, number] {
  // Code wins as a whole: a range in the environment does not widen a port in code.
  if (options.portRange) return portRange('portRange', options.portRange);
  if (options.port !== undefined) return portRange('port', [options.port, options.port]);
  const given = env('APP_NET_PORT_RANGE');
  if (given) {
    const [, first, last] = /^(\d+)-(\d+)$/.exec(given) ?? [];
    return portRange('APP_NET_PORT_RANGE', [Number(first), Number(last)]);
  }
  const port = Number(env('APP_NET_PORT') ?? 0);
  return portRange('APP_NET_PORT', [port, port]);
}

/** The absolute path, because a program may change its working directory later. */
export function directory(option: string, given: string | undefined): string | undefined {
  if (given === undefined) return undefined;
  if (typeof given !== 'string' || !given || given.includes('\0')) {
    throw new TypeError(`${option}: give the path of a directory`);
  }
  return resolve(given);
}
