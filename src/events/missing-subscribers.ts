import { near } from '../base/near.ts';
import { printable } from '../base/text.ts';
import { emitBeyond } from '../presence/beyond-pass.ts';
import { whyNobody } from '../presence/set/missing.ts';
import type { PeerSource } from '../presence/set/view.ts';

/**
 * What a wait for subscribers lacked when its time was over, such as `2 peers, none subscribes to "job.done"; there are
 * subscribers of job.don`.
 * @param found how many peers subscribe
 * @param names of the events that have subscribers
 */
export function missingSubscribers(
  source: PeerSource,
  name: string,
  { found, min, names }: { found: number; min: number; names: readonly string[] },
): string {
  const beyond = emitBeyond(source.ownRights, name);
  if (beyond !== undefined) return beyond;
  const { length } = source.current();
  if (length === 0) return ['no other peer is there', ...whyNobody(source)].join('; ');
  const count = found === 0 ? 'none subscribes' : found === 1 ? '1 subscribes' : `${found} subscribe`;
  const parts = [`${length === 1 ? '1 peer' : `${length} peers`}, ${count} to ${JSON.stringify(name)}`];
  if (min > 1) parts[0] += `, and ${min} were asked for`;
  const alike = found === 0 ? near(name, names) : [];
  if (alike.length > 0) parts.push(`there are subscribers of ${alike.join(', ')}`);
  return printable(parts.join('; '));
}
