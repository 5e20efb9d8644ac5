import { NetError } from '../../base/errors.ts';
import { DialsFailed } from '../../connection/dial/dialing.ts';
import { LostOnTheWay, PeerFull } from '../../connection/dial/handshaking.ts';
import { isOwnTrouble } from '../../connection/dial/probing.ts';
import { NOBODY_AT_NATS } from '../../connection/findings.ts';
import { warnOfTakenId } from '../../connection/id-taken.ts';
import type { PeerRecord } from '../../connection/link/link.ts';
import type { ConnectionFailure } from '../../connection/messages.ts';
import { isOfName } from '../../providers/hint.ts';
import type { Hint } from '../../providers/hint.ts';
import { isAmong, isAtBroker } from '../../transport/address.ts';
import type { Address } from '../../transport/address.ts';
import { isOnHost } from '../../transport/scope.ts';
import { OtherSecret, PassRefused } from '../../wire/handshake/handshake-messages.ts';
import { addressesOf, retryDelay } from './candidate.ts';
import type { Candidate } from './candidate.ts';
import type { DiscoveryContext } from '../discovery-context.ts';
import type { Hands } from '../hands.ts';
import { carryOut } from '../presence-steps.ts';
import { isOfTheCore, retry } from './retrying.ts';

/** What follows when a dial has failed. */

/** A dial that was to lead to the candidate has failed. */
export function noteFailure(
  context: DiscoveryContext,
  candidate: Candidate,
  { error, refused, stranger }: ConnectionFailure,
  hands: Hands,
): void {
  const { id } = candidate;
  const dialled = addressesOf(candidate);
  warnOfTakenId(error);
  candidate.failures += 1;
  candidate.error = error;
  context.log.dialFailed(id, error, candidate.failures);
  const cause = error instanceof NetError ? error.cause : undefined;
  if (cause instanceof OtherSecret || cause instanceof PassRefused) {
    if (cause instanceof PassRefused) context.otherSecrets.passRefused(id);
    else context.otherSecrets.refused(id);
    hands.emit({ type: 'secrets.differ', others: context.otherSecrets });
  }
  const life = context.carrier!.core.get(id)?.incarnation;
  tellProviders(candidate, life, ({ addresses }) => addresses.every((each) => isAmong(refused, each)), hands);
  if (!isOfTheCore(context, candidate)) {
    retry(context, candidate, stranger, hands);
    return;
  }
  const isGone = dialled.length > 0 && dialled.every((each) => isAmong(refused, each) && isOnHost(each.host));
  const isAnswered = !(error instanceof DialsFailed);
  const slow = isAnswered || dialled.every((each) => isOnHost(each.host));
  // The kernel accepts a connection for a process that is too busy to answer. One that knows another peer of this id is not busy.
  const busy = isAnswered
    ? !isTakenId(error)
    : dialled.length > 0 && dialled.every((each) => isAmong(error.accepted, each));
  const failed = { type: 'dial.failed', id, refused: isGone, moot: isMoot(error), slow, busy } as const;
  const record = context.carrier!.record(id);
  carryOut(context, context.carrier!.receive(failed), hands);
  if (!record || record.left) return;
  hands.toCaller({ type: 'link.failed', record, error });
  // The core dials again only those that it needs itself.
  if (record.interests > 0) {
    const delay = retryDelay(candidate.failures, stranger, context.random);
    hands.later({ type: 'link.wanted', record }, `link:${id}`, delay);
  }
}

/**
 * The providers learn that their hints led to no peer.
 * @param life the incarnation that is present
 */
export function tellProviders(
  candidate: Candidate,
  life: string | undefined,
  isRefused: (hint: Hint) => boolean,
  hands: Hands,
): void {
  for (const [provider, hint] of candidate.hints) {
    const dialled = dialledHint(candidate, hint, life);
    hands.toProvider(provider, { type: 'hint.failed', hint: dialled, refused: isRefused(dialled) });
  }
}

/** A peer that is only named was dialled at the addresses that others tell of its present life. */
function dialledHint(candidate: Candidate, hint: Hint, life = ''): Hint {
  if (!isOfName(hint)) return hint;
  return { id: hint.id, incarnation: life, addresses: addressesOf(candidate) };
}

/** The new dial of the connection to this peer has failed. */
export function noteLoss(
  context: DiscoveryContext,
  record: PeerRecord,
  { refused, moot, accepted }: { refused: boolean; moot: boolean; accepted: boolean },
  hands: Hands,
): void {
  const { id, incarnation, doubt } = record;
  const candidate = context.candidates.get(id);
  const dialled = candidate ? addressesOf(candidate) : [];
  const isHere = candidate !== undefined && dialled.every(isSureWhenRefused);
  // A newer life of it may be announced already, elsewhere.
  for (const [provider, hint] of candidate?.hints ?? []) {
    const failing = dialledHint(candidate!, hint, incarnation);
    if (refused && failing.incarnation === incarnation)
      hands.toProvider(provider, { type: 'hint.failed', hint: failing, refused });
  }
  if (candidate?.record === record) {
    candidate.record = undefined;
    candidate.state = 'seen';
  }
  const isSure = refused && (isHere || doubt?.detail === NOBODY_AT_NATS);
  // A process whose connection has closed, and for which this host accepts others, is busy. A silent connection says more.
  const busy = accepted && doubt?.hasClosed === true && dialled.every((each) => isOnHost(each.host));
  const failed = { type: 'dial.failed', id, refused: isSure, moot, busy } as const;
  carryOut(context, context.carrier!.receive(failed), hands);
  if (!record.left) hands.toCaller({ type: 'link.failed', record, error: new Error(doubt?.detail ?? '') });
}

/** Whether the failure says nothing about the other peer. */
function isMoot(error: unknown): boolean {
  if (isOwnTrouble(error)) return true;
  if (!(error instanceof NetError)) return false;
  const { cause } = error;
  return isTakenId(error) || cause instanceof PeerFull || cause instanceof LostOnTheWay;
}

function isTakenId(error: unknown): boolean {
  return error instanceof NetError && error.code === 'ID_TAKEN';
}

/** This host knows of its own ports, and a broker says twice that nobody is there before it counts. */
function isSureWhenRefused(address: Address): boolean {
  return isOnHost(address.host) || isAtBroker(address);
}
