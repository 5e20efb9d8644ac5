import { access, opendir } from 'node:fs/promises';

import { SUFFIX } from './announcement-file.ts';
import { isDraft } from './stale-files.ts';

/** Files that one scan lists, at most. Nobody has so many peers. If there are more, watches still report new ones. */
const MOST_FILES = 16_384;

/** What is in the runtime directory. */
export interface Listing {
  /** The names of the announcements. */
  readonly peers: ReadonlySet<string>;
  /** The names of the drafts. */
  readonly drafts: readonly string[];
}

interface UnderWay {
  readonly ended: Promise<unknown>;
  next: Promise<Listing> | undefined;
}

/** By directory: the listing that is being made, and the one that begins after it. */
const underWay = new Map<string, UnderWay>();

/**
 * The names in the runtime directory, by a listing that begins after this call. Peers of one process that ask while it lists share
 * the next listing: all that start at once ask at once. @throws the file system's own error
 */
export function listAnnouncements(directory: string): Promise<Listing> {
  const current = underWay.get(directory);
  if (!current) return begin(directory);
  return (current.next ??= current.ended.then(() => begin(directory)));
}

function begin(directory: string): Promise<Listing> {
  const listing = list(directory);
  const ended = listing
    .catch(() => {})
    .then(() => underWay.get(directory) === entry && underWay.delete(directory));
  const entry: UnderWay = { ended, next: undefined };
  underWay.set(directory, entry);
  return listing;
}

async function list(directory: string): Promise<Listing> {
  const peers = new Set<string>();
  const drafts: string[] = [];
  let count = 0;
  for await (const { name } of await opendir(directory, { bufferSize: 256 })) {
    if (name.endsWith(SUFFIX)) peers.add(name);
    else if (isDraft(name)) drafts.push(name);
    if ((count += 1) === MOST_FILES) break;
  }
  return { peers, drafts };
}

export function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
