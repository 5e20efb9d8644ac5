import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

import { isFields, isString } from '../../wire/shapes.ts';

/**
 * Where a process runs, as far as it decides what another process can find out about it. Containers, and even hosts, can share a
 * runtime directory. Each network namespace has its own loopback, each pid namespace has its own process ids, and both mean
 * nothing on another host.
 */
export interface Place {
  /** The boot id of the kernel, or the name of the host on a system without one. */
  host: string;
  /** The namespace of process ids: the text of `/proc/self/ns/pid`. Absent on a system without namespaces. */
  processes?: string;
  /** The network namespace: the text of `/proc/self/ns/net`. Absent on a system without namespaces. */
  network?: string;
}

/** Characters of each part; real ones have at most 64. */
const LONGEST_PART = 256;

let own: Place | undefined | 'unknown' = 'unknown';

/** Undefined if the system does not tell. Then nothing on this host can prove anything about another peer. */
export function ownPlace(): Place | undefined {
  // Cached, because a process never moves.
  if (own === 'unknown') own = findPlace();
  return own;
}

/** Whether both have the same loopback, so that a refused dial proves that nobody listens. */
export function shareNetwork(one: Place | undefined, other: Place | undefined): boolean {
  return isSameHost(one, other) && one?.network === other?.network;
}

/** Whether a process id means the same process to both. */
export function shareProcesses(one: Place | undefined, other: Place | undefined): boolean {
  return isSameHost(one, other) && one?.processes === other?.processes;
}

export function isPlace(value: unknown): value is Place {
  if (!isFields(value)) return false;
  const { host, processes = '', network = '' } = value;
  return host !== '' && [host, processes, network].every((part) => isString(part, LONGEST_PART));
}

function isSameHost(one: Place | undefined, other: Place | undefined): boolean {
  return one !== undefined && one.host === other?.host;
}

function findPlace(): Place | undefined {
  if (process.platform !== 'linux') return { host: hostname() };
  try {
    return {
      host: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
      processes: readlinkSync('/proc/self/ns/pid'),
      network: readlinkSync('/proc/self/ns/net'),
    };
  } catch {
    // /proc is not mounted. The host name is no substitute, because two containers may have the same one.
    return undefined;
  }
}
