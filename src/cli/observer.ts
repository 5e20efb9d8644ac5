import { createPeer } from '../index.ts';
import type { NetEvent, Peer, PeerOptions, RemotePeer, Selector } from '../index.ts';
import { nobody } from './commands/choose.ts';
import { CliError, EXIT } from './terminal/exit.ts';
import { unawaited } from '../base/unforeseen.ts';

/**
 * The peer that a command is while it runs. It is mostly not announced, and in a group of its own: programs that look at
 * their own group, as all do unless they say otherwise, neither see it come and go nor call it.
 */

/** The group of commands that only look and call. */
export const OBSERVERS = 'app-net:commands';

/** How long a command looks for peers at the most, in ms. One that hangs must not keep the others from being shown. */
export const SEARCH_TIME = 1_000;

/** How much longer it looks while it has found nobody at all and has not yet tried everybody, in ms. */
const LONGER = 4_000;

/**
 * Starts the peer of a command, and begins to stop it when `work` is done; the end of the process does the rest.
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
    // The others are told at once; nobody has to wait until they have taken note.
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
    const why = error instanceof Error ? error.message : String(error);
    throw new CliError(EXIT.NOT_STARTED, why, 'app-net doctor looks at everything that may be wrong here');
  }
}

/** Those of this group; or of all, without other commands that are running. */
export function meant(group: string | undefined): Selector {
  if (group !== undefined) return { group };
  return { group: '*', where: (peer) => peer.group !== OBSERVERS };
}

/** The peers of these groups, or of all, once everybody was tried; at the latest after a second, or `time` ms. */
export async function search(
  peer: Peer,
  group: string | undefined,
  signal: AbortSignal,
  time: number = SEARCH_TIME,
): Promise<RemotePeer[]> {
  const view = peer.peers.of(meant(group));
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, time);
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  try {
    await Promise.race([view.settled(), late]);
  } finally {
    clearTimeout(timer);
  }
  signal.throwIfAborted();
  return sorted(view.list());
}

/** The same where the command has nothing to do without any. @throws CliError when nobody is there */
export async function searchSomebody(
  peer: Peer,
  group: string | undefined,
  signal: AbortSignal,
): Promise<RemotePeer[]> {
  let found = await search(peer, group, signal);
  // A busy host takes longer. It costs nothing where the search is over and nobody is there.
  if (found.length === 0) found = await search(peer, group, signal, LONGER);
  if (found.length === 0) throw nobody(group, groupsOf(peer));
  return found;
}

function groupsOf(peer: Peer): string[] {
  const everybody = peer.peers.of(meant(undefined)).list();
  return [...new Set(everybody.map(({ group }) => group))].toSorted(compare);
}

/** An event by its name. @throws CliError for what can be none */
export function eventCalled(peer: Peer, name: string): NetEvent<unknown> {
  try {
    return peer.event(name);
  } catch (error) {
    throw new CliError(EXIT.USAGE, error instanceof Error ? error.message : String(error));
  }
}

/** By name, and then by id: the same order every time. */
export function sorted(peers: readonly RemotePeer[]): RemotePeer[] {
  return peers.toSorted((a, b) => compare(a.name, b.name) || compare(a.id, b.id));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
