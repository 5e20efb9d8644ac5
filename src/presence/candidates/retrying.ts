import { retryDelay, selfDelay } from './candidate.ts';
import type { Candidate } from './candidate.ts';
import type { DiscoveryContext } from '../discovery-context.ts';
import type { Hands } from '../hands.ts';

/**
 * When something is dialled again of which the core of presence knows nothing: a bare address, or a hint that anybody may have
 * sent.
 */

/** Whether the core of presence decides when it is dialled: it is present, or a trusted hint leads to it. */
export function isOfTheCore({ carrier }: DiscoveryContext, { id, hints }: Candidate): boolean {
  if (carrier?.core.get(id)) return true;
  return [...hints.values()].some((hint) => hint.id !== '' && !hint.isAnybodys);
}

/** Dials it again later, as long as somebody hints at it. */
export function retry(
  context: DiscoveryContext,
  candidate: Candidate,
  stranger: boolean,
  hands: Hands,
): void {
  const { id, hints, answeredBy, failures } = candidate;
  if (context.stopping) return;
  if (hints.size === 0) {
    context.candidates.delete(id);
    return;
  }
  const { random } = context;
  const toItself = answeredBy === context.self!.id;
  const delay = toItself ? selfDelay(random) : retryDelay(failures, stranger, random);
  candidate.dueAt = context.clock.now() + delay;
  hands.later({ type: 'candidate.due', id }, `due:${id}`, delay);
}

/** The peer that answered at these addresses has left. Another one may listen there now. */
export function retryItsAddresses(context: DiscoveryContext, peer: string, hands: Hands): void {
  for (const address of context.candidates.values()) {
    if (address.answeredBy !== peer) continue;
    address.state = 'left';
    address.answeredBy = undefined;
    retry(context, address, false, hands);
  }
}
