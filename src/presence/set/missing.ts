import { near } from '../../base/near.ts';
import { nameFor, nameIn, readableTag } from '../../base/tag.ts';
import { printable } from '../../base/text.ts';
import { callBeyond } from '../beyond-pass.ts';
import type { RemotePeer } from './remote-peer.ts';
import { matcher, tagIn } from './selector.ts';
import type { Selector } from './selector.ts';
import type { PeerSource } from './view.ts';

/** What a wait for peers lacked when its time was over. */

/**
 * The same wait. If its signal is that of a timeout, the error says what was missing.
 * @param who was waited for: `the peers`
 * @throws what `wait` throws; for the TimeoutError of `AbortSignal.timeout()` another one, with that as its cause
 */
export async function orWhatIsMissing<T>(wait: Promise<T>, who: string, missing: () => string): Promise<T> {
  try {
    return await wait;
  } catch (error) {
    if (!(error instanceof DOMException) || error.name !== 'TimeoutError') throw error;
    const timeout = new DOMException(`${who} were not there in time: ${missing()}`, 'TimeoutError');
    Object.defineProperty(timeout, 'cause', { value: error, configurable: true, writable: true });
    throw timeout;
  }
}

/**
 * What is missing, such as `2 peers in group main, none has img.resize@1; group gpu has one that does`.
 * @param tag the function that was waited for; default: the selector's `has`
 */
export function whatIsMissing(
  source: PeerSource,
  selector: Selector,
  tag: string | undefined,
  min: number,
): string {
  const { has, ...rest } = selector;
  const wanted = [tag, has === undefined ? undefined : tagIn(has)].filter((each) => each !== undefined);
  const beyond = wanted.map((each) => callBeyond(source.ownRights, each)).find((text) => text !== undefined);
  if (beyond !== undefined) return beyond;
  const there = source.current();
  if (there.length === 0) return ['no other peer is there', ...whyNobody(source)].join('; ');
  const fits = matcher(rest, source.group);
  const meant = there.filter((peer) => fits(peer));
  const hasAll = (peer: RemotePeer): boolean => wanted.every((each) => peer.has(each));
  const having = meant.filter(hasAll);
  const parts = [`${count(meant)} ${placeOf(rest, source.group)}`];
  if (wanted.length > 0 && meant.length > 0) {
    const names = wanted.map((each) => readableTag(each)).join(' and ');
    parts[0] += having.length === 0 ? `, none has ${names}` : `, ${have(having)} ${names}`;
  }
  if (min > 1) parts[0] += `, and ${min} were asked for`;
  if (wanted.length > 0 && having.length === 0) {
    const tags = [...new Set(meant.flatMap((peer) => peer.functions))];
    const alike = wanted.flatMap((each) => near(each, tags, nameIn).map((found) => nameFor(found, each)));
    if (alike.length > 0) parts.push(`there is ${alike.join(', ')}`);
  }
  for (const [group, others] of byGroup(there.filter((peer) => hasAll(peer) && !meant.includes(peer)))) {
    const what = wanted.length > 0 ? (others === 1 ? 'that does' : 'that do') : 'more';
    parts.push(`group ${group} has ${others === 1 ? 'one' : others} ${what}`);
  }
  return printable(parts.join('; '));
}

/** Why there may be nobody at all. */
export function whyNobody({ otherSecrets }: Pick<PeerSource, 'otherSecrets'>): string[] {
  // `doctor` has the secret, and knows nothing of passes.
  if (otherSecrets?.isPass) return [otherSecrets.text];
  return [...(otherSecrets ? [otherSecrets.text] : []), 'npx app-net doctor looks for the reason'];
}

function count({ length }: readonly unknown[]): string {
  return length === 1 ? '1 peer' : `${length === 0 ? 'no' : length} peers`;
}

function have({ length }: readonly unknown[]): string {
  return length === 1 ? '1 has' : `${length} have`;
}

/** Where the peers are that the selector means, in words. */
function placeOf({ group, ...others }: Selector, ownGroup: string): string {
  const names = typeof group === 'string' ? [group] : (group ?? [ownGroup]);
  const place = names.includes('*') ? 'in all groups' : `in group ${names.join(' or ')}`;
  const fields = Object.entries(others).filter(([, value]) => value !== undefined);
  return fields.length === 0 ? place : `${place} that fit ${fields.map(([field]) => field).join(', ')}`;
}

/** How many there are in each group, the largest groups first. */
function byGroup(peers: readonly RemotePeer[]): [group: string, count: number][] {
  const counts = new Map<string, number>();
  for (const { group } of peers) counts.set(group, (counts.get(group) ?? 0) + 1);
  return [...counts].toSorted(([, a], [, b]) => b - a).slice(0, 3);
}
