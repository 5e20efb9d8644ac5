import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

import { isFields, isString } from '../../wire/guards.ts';

/**
 * Where a process runs, as far as that decides what another process can find out about it. A runtime directory can be
 * shared by containers, and by hosts: loopback is another one in each network namespace, a process id means another
 * process in each pid namespace, and both mean nothing on another host.
 */
export interface Place {
  /** The boot id of the kernel; where a system has none, the name of the host. */
  host: string;
  /** The namespace of process ids: the text of `/proc/self/ns/pid`. Missing where a system has no namespaces. */
  processes?: string;
  /** The namespace of the network: the text of `/proc/self/ns/net`. Likewise. */
  network?: string;
}

/** Characters of each part; real ones have at most 64. */
const LONGEST_PART = 256;

let own: Place | undefined | 'unknown' = 'unknown';

/** Undefined where the system does not say: then nothing that is seen here proves anything about anybody else. */
export function ownPlace(): Place | undefined {
  // A process stays where it is.
  if (own === 'unknown') own = findPlace();
  return own;
}

/** Whether an address of loopback leads to the same place for both, so that a refused dial proves that nobody listens. */
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
    // Without a mounted /proc. Two containers may well have one name.
    return undefined;
  }
}
