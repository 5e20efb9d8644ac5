import { access, opendir } from 'node:fs/promises';

import { SUFFIX } from './announcement-file.ts';
import { isDraft } from './stale-files.ts';

/** Files that one scan lists, at most. Nobody has so many peers. If there are more, watches still report new ones. */
const MOST_FILES = 16_384;

/** The names of the announcements and drafts in the runtime directory. @throws the file system's own error */
export async function listAnnouncements(
  directory: string,
): Promise<{ peers: Set<string>; drafts: string[] }> {
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
