import type { DiscoveryContext } from './discovery-context.ts';

/** Hints that were dropped because their tag is wrong: somebody lies, or belongs to another world. */

/** Ids of which it is remembered. */
const MOST_IDS = 1_024;

/** Counts them, and tells the user of the first. @param counts by the id that they name */
export function noteDropped(
  { dropped, log }: DiscoveryContext,
  provider: string,
  counts: ReadonlyMap<string, number>,
): void {
  if (dropped.size === 0) log.hintsDropped(provider, [...counts.keys()]);
  for (const [id, count] of counts) {
    const known = dropped.get(id);
    if (known !== undefined || dropped.size < MOST_IDS) dropped.set(id, (known ?? 0) + count);
  }
}

/** In words, for evidence; undefined where there was none. */
export function droppedText({ dropped }: DiscoveryContext, id: string): string | undefined {
  const count = dropped.get(id);
  if (count === undefined) return undefined;
  return `${count} ${count === 1 ? 'hint' : 'hints'} with a wrong tag dropped`;
}
