/**
 * The one rule for everything that is answered unasked: of what a peer does not read only so much is kept, and then its
 * link ends. It holds for whatever is written to a link, so nothing has to be counted where it is made.
 *
 * Requests, results, values of streams, events and told functions wait while a link is congested. What does not is
 * short, and there is little of it as long as both sides keep to the limits: `docs/decisions.md` counts it. So what is more
 * than this is for a peer that asks and does not read the answers.
 */

/** What a peer takes from each other one, as far as its links need it. */
export interface LinkLimits {
  /** Bytes written to a link and not yet taken by the network, above which it is congested. */
  readonly buffered: number;
  /** Calls of the other side that may be unanswered. */
  readonly calls: number;
  /** Names that the other side may be subscribed to. */
  readonly subscriptions: number;
}

/** Bytes that may still be written to a link that is congested … */
const MOST_UNREAD = 4 * 1024 * 1024;

/** … and so many more for each call that may be answered or taken back, and for each subscription. */
const UNREAD_EACH = 256;

/** @param ownCalls of this side on the link: each may be taken back, which is a short frame as well */
export function mostUnread({ calls, subscriptions }: LinkLimits, ownCalls: number): number {
  return MOST_UNREAD + UNREAD_EACH * (calls + subscriptions + ownCalls);
}
