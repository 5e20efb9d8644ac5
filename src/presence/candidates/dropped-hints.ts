import { addressText } from '../../transport/address.ts';
import type { DroppedHints } from '../../providers/provider.ts';
import type { DiscoveryContext } from '../discovery-context.ts';

/** Hints that were dropped because their tag is wrong: their sender lies, or belongs to another world. */

/** Ids that are remembered, at most. */
const MOST_IDS = 1_024;

/** Counts dropped hints, and logs the first ones. */
export function noteDropped(
  { dropped, log }: Pick<DiscoveryContext, 'dropped' | 'log'>,
  provider: string,
  hints: DroppedHints,
): void {
  if (dropped.size === 0)
    log.hintsDropped(
      provider,
      [...hints].map(([id, { address }]) => `${id} at ${addressText(address)}`),
    );
  for (const [id, { count, address }] of hints) {
    const known = dropped.get(id);
    if (known || dropped.size < MOST_IDS) dropped.set(id, { count: (known?.count ?? 0) + count, address });
  }
}

/** The dropped hints at this id in words, for the evidence; undefined if there were none. */
export function droppedText({ dropped }: DiscoveryContext, id: string): string | undefined {
  const count = dropped.get(id)?.count;
  if (count === undefined) return undefined;
  return `${count} ${count === 1 ? 'hint' : 'hints'} with a wrong tag dropped`;
}
