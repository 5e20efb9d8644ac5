import { HOST } from '../../providers/provider.ts';
import type { Announcement } from '../../providers/provider.ts';
import { isOfName, keyOf } from '../../providers/hint.ts';
import type { Hint } from '../../providers/hint.ts';
import { addressesOf, createCandidate, firstDelay, isSame, leadsTo } from './candidate.ts';
import { Carrier } from '../carrier.ts';
import type { DiscoveryContext } from '../discovery-context.ts';
import { noteDropped } from './dropped-hints.ts';
import type { Hands } from '../hands.ts';
import type { Opened } from '../messages.ts';
import { carryOut, wantLink } from '../presence-steps.ts';

/** What discovery does with the hints of its providers. */

/** Returns whether something was new in these hints of one provider. */
export function considerHints(
  context: DiscoveryContext,
  provider: string,
  hints: readonly Hint[],
  hands: Hands,
): boolean {
  const told: Hint[] = [];
  const news = hints.filter((hint) => consider(context, provider, hint, told, hands));
  tellCore(context, told, hands);
  return news.length > 0;
}

/**
 * Returns whether nothing was known of this candidate.
 * @param told gets the hint if the core is to learn of it
 */
function consider(
  context: DiscoveryContext,
  provider: string,
  hint: Hint,
  told: Hint[],
  hands: Hands,
): boolean {
  const { candidates, gone, early, scanning, stopping, turns } = context;
  const self = context.self!;
  if (stopping) return false;
  const id = keyOf(hint);
  if (gone.has(hint.incarnation) || leadsTo(self, hint)) {
    dropHint(context, { provider, key: id, incarnation: '' }, hands);
    return false;
  }
  const known = candidates.get(id);
  const candidate = known ?? createCandidate(id);
  candidates.set(id, candidate);
  // A repeated hint must not reset the pauses between failing dials.
  const before = candidate.hints.get(provider);
  const isNews = !isSame(hint, before);
  candidate.hints.set(provider, hint);
  if (!isNews) return false;
  if (candidate.state === 'dialing' && !hint.isAnybodys && !isOfName(hint) && turns.givesWay(candidate)) {
    // It is dialled again, at its new address, when the connection has ended.
    candidate.state = 'seen';
    candidate.failures = 0;
    candidate.isWanted = true;
    hands.toConnection(id, { type: 'dial.stop' });
    return false;
  }
  if (hint.id !== '' && !hint.isAnybodys) {
    // The core decides whether and when it is dialled. It first learns of all peers of this host that are there already.
    if (provider === HOST && scanning.has(HOST) && !context.late) early.set(id, hint);
    else told.push(hint);
    if (before && isOfName(before) && candidate.isWanted) wantLink(context, candidate, hands);
  } else if (candidate.state === 'seen' || candidate.state === 'left') {
    candidate.state = 'seen';
    candidate.failures = 0;
    hands.later({ type: 'candidate.due', id }, `due:${id}`, firstDelay(self, hint, context.process));
  }
  return !known;
}

/** The first scan of this host is over, or takes too long. */
export function considerEarly(context: DiscoveryContext, hands: Hands): void {
  if (context.stopping) return;
  tellCore(context, [...context.early.values()], hands);
  context.early.clear();
}

function tellCore(context: DiscoveryContext, hints: readonly Hint[], hands: Hands): void {
  if (hints.length === 0) return;
  const found = hints.map((hint) => {
    const { id, incarnation, addresses } = hint;
    const patience = firstDelay(context.self!, hint, context.process);
    return { type: 'hint.found', id, incarnation, addresses, patience } as const;
  });
  carryOut(context, context.carrier!.receiveAll(found), hands);
}

export function dropHint(
  context: DiscoveryContext,
  { provider, key, incarnation }: { provider: string; key: string; incarnation: string },
  hands: Hands,
): void {
  const { candidates, early, turns } = context;
  const candidate = candidates.get(key);
  if (candidate?.hints.get(provider)?.incarnation !== incarnation) return;
  candidate.hints.delete(provider);
  early.delete(key);
  const isTrusted = [...candidate.hints.values()].some(({ isAnybodys }) => !isAnybodys);
  if (!isTrusted) carryOut(context, context.carrier!.receive({ type: 'hint.lost', id: key }), hands);
  const isWaiting = candidate.isWanted && (candidate.state === 'seen' || candidate.state === 'left');
  if (isWaiting && addressesOf(candidate).length === 0) {
    // No dial follows. Perhaps it was only named, and its announcement leads nowhere.
    candidate.isWanted = false;
    const failed = { type: 'dial.failed', id: key, refused: false, moot: true } as const;
    carryOut(context, context.carrier!.receive(failed), hands);
  }
  if (candidate.hints.size > 0 || candidate.told.length > 0) return;
  turns.forget(candidate);
  if (candidate.state === 'seen' || candidate.state === 'left') candidates.delete(key);
}

/** Begins to carry the core of presence. @param ring called when the core has something to do */
export function carrierOf(
  { clock, random, own, neighbours, isGuest, dropped, log }: DiscoveryContext,
  self: Announcement,
  { attachment: { reachable }, keys }: Opened,
  ring: () => void,
): Carrier {
  own.listens(self.addresses);
  return new Carrier({
    ...{ clock, random, own, neighbours, isGuest, ring, ringKey: keys.rings },
    reader: {
      ...{ tags: self.tags, reachable },
      dropped: ({ id, addresses }) =>
        noteDropped({ dropped, log }, 'told', new Map([[id, { count: 1, address: addresses[0]! }]])),
    },
  });
}
