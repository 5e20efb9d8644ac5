/**
 * Limits the answers that are written although a link is congested. If a peer does not read them, only so many bytes are kept,
 * and then its link is closed. The limit applies to everything that is written to a link, so nobody has to count single answers.
 *
 * Requests, results, values of streams, events and announced functions wait while a link is congested. Everything else is short,
 * and there is little of it as long as both sides keep to the limits: `docs/decisions.md` counts it. So a peer that exceeds this
 * limit asks without reading the answers.
 */

/** The limits of a peer that its links need. */
export interface LinkLimits {
  /** A link is congested if more bytes than this are written and not yet taken by the network. */
  readonly buffered: number;
  /** Calls of the other side that may be unanswered. */
  readonly calls: number;
  /** Names that the other side may be subscribed to. */
  readonly subscriptions: number;
}

/** Bytes that may still be written to a congested link. */
const MOST_UNREAD = 4 * 1024 * 1024;

/** More bytes for each call that may be answered or cancelled, and for each subscription. */
const UNREAD_EACH = 256;

/** @param ownCalls number of calls that this side has made on the link: each may be cancelled, which is a short frame, too */
export function mostUnread({ calls, subscriptions }: LinkLimits, ownCalls: number): number {
  return MOST_UNREAD + UNREAD_EACH * (calls + subscriptions + ownCalls);
}
