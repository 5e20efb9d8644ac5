import { createPeer } from '../index.ts';
import type { NetEvent, Peer, PeerOptions, RemotePeer, Selector } from '../index.ts';
import { nobody } from './commands/choose.ts';
import { CliError, EXIT } from './terminal/exit.ts';
import { afterAwake } from '../base/time/awake.ts';
import { systemClock } from '../base/time/clock.ts';
import { unawaited } from '../base/unforeseen.ts';
import { messageOf } from '../base/text.ts';

/**
 * The peer that represents a command while it runs. Usually it is not announced, and it is in its own group. Programs
 * look at their own group by default, so they neither see it come and go nor call it.
 */

/** The group of commands that only look and call. */
export const OBSERVERS = 'app-net:commands';

/** How long a command looks for peers at most, in ms. A peer that hangs must not delay the others. */
export const SEARCH_TIME = 1_000;

/** How much longer it looks while it has not found what it needs, and has not yet tried every candidate, in ms. */
export const LONGER = 4_000;

/**
 * Starts the peer of a command, and begins to stop it when `work` is done. The end of the process does the rest.
 * @throws CliError when it cannot start
 */
export async function withPeer<T>(
  command: string,
  work: (peer: Peer) => Promise<T>,
  options: PeerOptions = {},
): Promise<T> {
  const peer = await startPeer(command, options);
  try {
    return await work(peer);
  } finally {
    // The other peers are told at once; the command need not wait until they have noticed.
    unawaited('at the end', peer.stop());
  }
}

async function startPeer(command: string, options: PeerOptions): Promise<Peer> {
  try {
    const peer = createPeer({
      name: `app-net ${command}`,
      group: OBSERVERS,
      hub: false,
      announce: false,
      drainTime: 100,
      ...options,
    });
    return await peer.start();
  } catch (error) {
    const why = messageOf(error);
    throw new CliError(EXIT.NOT_STARTED, why, 'run app-net doctor to find out what is wrong here');
  }
}

/** The peers of this group; without a group all peers, except those of other running commands. */
export function meant(group: string | undefined): Selector {
  if (group !== undefined) return { group };
  return { group: '*', where: (peer) => peer.group !== OBSERVERS };
}

/** The peers of this group, or all, once every candidate was tried, and after a second, or `time` ms, at the latest. */
export async function search(
  peer: Peer,
  group: string | undefined,
  signal: AbortSignal,
  time: number = SEARCH_TIME,
): Promise<RemotePeer[]> {
  const view = peer.peers.of(meant(group));
  let stopTimer = (): void => {};
  const late = new Promise<void>((resolve) => {
    // Time in which this process did not run proves nothing about others.
    stopTimer = afterAwake(systemClock, time, resolve);
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  try {
    await Promise.race([view.settled(), late]);
  } finally {
    stopTimer();
  }
  signal.throwIfAborted();
  return sorted(view.list());
}

/** `search`, for commands that need at least one peer. @throws CliError when there is none */
export function searchSomebody(
  peer: Peer,
  group: string | undefined,
  signal: AbortSignal,
): Promise<RemotePeer[]> {
  return searchFor(peer, group, signal, (found) => found);
}

/**
 * Finds peers, and chooses among them.
 * @param choose throws a CliError if it does not find what was wanted
 * @throws CliError when there is no peer; what `choose` throws
 */
export async function searchFor<T>(
  peer: Peer,
  group: string | undefined,
  signal: AbortSignal,
  choose: (found: RemotePeer[]) => T,
): Promise<T> {
  const chosen = (found: RemotePeer[]): T => {
    if (found.length === 0) throw nobody(group, groupsOf(peer));
    return choose(found);
  };
  const found = await search(peer, group, signal);
  try {
    return chosen(found);
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
  }
  // On a busy host some peers take longer. This costs nothing when the first search is over.
  return chosen(await search(peer, group, signal, LONGER));
}

function groupsOf(peer: Peer): string[] {
  const everybody = peer.peers.of(meant(undefined)).list();
  return [...new Set(everybody.map(({ group }) => group))].toSorted(compare);
}

/** An event by its name. @throws CliError for an invalid name */
export function eventCalled(peer: Peer, name: string): NetEvent<unknown> {
  try {
    return peer.event(name);
  } catch (error) {
    throw new CliError(EXIT.USAGE, messageOf(error));
  }
}

/** By name, and then by id: the same order every time. */
export function sorted(peers: readonly RemotePeer[]): RemotePeer[] {
  return peers.toSorted((a, b) => compare(a.name, b.name) || compare(a.id, b.id));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
