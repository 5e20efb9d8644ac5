import type { HostProcess } from '../../base/process/host-process.ts';
import type { Hint } from '../../providers/hint.ts';
import { isAmong, nearestFirst } from '../../transport/address.ts';
import type { Address } from '../../transport/address.ts';
import type { PeerRecord } from '../../connection/link/link.ts';
import type { FromDiscovery } from '../messages.ts';

/** How long the peer with the higher id waits to be dialled before it dials itself, in ms. */
const PATIENCE = 250;

/** Time between two attempts to reach a candidate, the first and the longest, in ms. It doubles each time, with full jitter. */
const FIRST_RETRY = 100;
const LONGEST_RETRY = 10_000;

/**
 * The longest time, in ms, if somebody answers that has another secret, or is not a peer. This is unlikely to change. On a
 * network shared by several worlds, each peer would otherwise keep dialling all peers of the other worlds.
 */
const LONGEST_RETRY_OF_STRANGERS = 60_000;

/** Pause before peers are dialled that were lost together with one that is back, in ms, with full jitter. */
const SOON = 1_000;

/** Pause before an address is tried again at which this peer found itself, in ms, with full jitter. */
const SELF_RETRY = 60_000;

/**
 * Something that may be a peer, from the first hint until the last hint is withdrawn.
 *
 * `seen`: it is not linked. `dialing`: a connection is being made. `up`: the connection is open. `suspect`: the peer is silent or
 * its connection closed, and a new dial decides about it. `left`: it was up. Peers are present without being linked.
 */
export interface Candidate {
  /** The id of the peer, or `host:port` if only an address is known. Ids of peers never contain a colon. */
  readonly id: string;
  state: 'seen' | 'dialing' | 'up' | 'suspect' | 'left';
  /** The hints, by provider. Empty if the peer dialled us, or if all hints were withdrawn. */
  readonly hints: Map<string, Hint>;
  /** For an address: the id of the peer that answered there last. Several addresses may lead to one peer. */
  answeredBy: string | undefined;
  /** Failed dials since it was last up. */
  failures: number;
  /** The hinted addresses when it was last up. */
  proved: readonly Address[];
  /** How often a connection to it was lost. */
  generation: number;
  /** The error of the last failed dial. */
  error: unknown;
  /** When it is dialled again after a failed dial, on the clock. */
  dueAt: number;
  /** Whether it was ever up, or a dial has failed. The first search waits for this. */
  tried: boolean;
  /** The peer, while it is linked. */
  record: PeerRecord | undefined;
  /** Where it listens, as itself and others tell, while it is present. */
  told: readonly Address[];
  /** A dial is asked for, and has not begun: by the core of presence, or by somebody that needs a link. */
  isWanted: boolean;
}

export function createCandidate(id: string): Candidate {
  return {
    id,
    state: 'seen',
    hints: new Map(),
    answeredBy: undefined,
    failures: 0,
    proved: [],
    generation: 0,
    error: undefined,
    dueAt: 0,
    tried: false,
    record: undefined,
    told: [],
    isWanted: false,
  };
}

/**
 * All hinted addresses, in the order in which they are tried. Addresses that may be lies come last, and only after the trusted
 * ones have failed, so that lies delay nothing.
 */
export function addressesOf({ hints, failures, told }: Candidate): Address[] {
  const all = [...hints.values()];
  const hinted = all.flatMap(({ addresses, isAnybodys }) => (isAnybodys ? [] : addresses));
  const trusted = nearestFirst([...hinted, ...told]);
  if (trusted.length > 0 && failures === 0) return trusted;
  const others = nearestFirst(all.flatMap(({ addresses, isAnybodys }) => (isAnybodys ? addresses : [])));
  return [...trusted, ...others.filter((address) => !isAmong(trusted, address))];
}

/** Returns the message that makes the peer dial the candidate, and sets its state to `dialing`. */
export function dialOf(candidate: Candidate): Extract<FromDiscovery, { type: 'peer.dial' }> {
  candidate.state = 'dialing';
  candidate.isWanted = false;
  candidate.answeredBy = undefined;
  const { id, generation } = candidate;
  return { type: 'peer.dial', id, addresses: addressesOf(candidate), generation };
}

/** Where a joined peer can be dialled again: its hinted addresses, and those at which it answered before. */
export function whereabouts(candidates: ReadonlyMap<string, Candidate>, id: string): Address[] {
  const leading = [...candidates.values()].filter((each) => each.id === id || each.answeredBy === id);
  return nearestFirst(leading.flatMap((each) => addressesOf(each)));
}

/** Drops the hints at a life that is over. */
export function dropHints({ hints }: Candidate, incarnation: string): void {
  for (const [provider, hint] of hints) if (hint.incarnation === incarnation) hints.delete(provider);
}

/** Whether two hints of one provider are equal. */
export function isSame(hint: Hint, other: Hint | undefined): boolean {
  return (
    hint.incarnation === other?.incarnation &&
    hint.isAnybodys === other.isAnybodys &&
    hint.addresses.length === other.addresses.length &&
    hint.addresses.every((address) => isAmong(other.addresses, address))
  );
}

/** Whether a hint leads back to this peer. */
export function leadsTo(self: Hint, { id, addresses }: Hint): boolean {
  return id ? id === self.id : addresses.every((address) => isAmong(self.addresses, address));
}

/** How long to wait before the first dial, in ms. One side of each pair waits, so that connections rarely cross. */
export function firstDelay(self: Hint, hint: Hint, { isRunning }: Pick<HostProcess, 'isRunning'>): number {
  // Do not wait if the other side cannot dial us: this peer is not announced, or a peer at a bare address may not know it.
  if (self.id < hint.id || self.addresses.length === 0 || hint.id === '') return 0;
  // Do not wait for a process that is dead: the dial is refused at once, and the stale announcement can be removed. This only saves
  // time. A process in another container looks dead, too, and is dialled as it should be.
  return hint.pid !== undefined && !isRunning(hint.pid) ? 0 : PATIENCE;
}

/**
 * How long to wait, in ms, before dialling an address again that led to this peer itself. The time is long, because the address
 * will mostly lead to this peer again. It is not endless, because several peers may be behind one address, and each dial reaches
 * another.
 */
export function selfDelay(random: () => number): number {
  return random() * SELF_RETRY;
}

/**
 * The candidates that were lost, too, when one lost peer comes back. The network works again, so they are dialled soon, and not
 * only at the end of their pauses, which have become long.
 */
export function lostAsWell(candidates: ReadonlyMap<string, Candidate>, now: number): Candidate[] {
  return [...candidates.values()].filter(
    ({ state, generation, failures, dueAt }) =>
      state === 'seen' && generation > 0 && failures > 0 && dueAt > now + SOON,
  );
}

/** How long to wait before dialling those candidates, in ms. */
export function soonDelay(random: () => number): number {
  return random() * SOON;
}

/**
 * How long to wait before the next dial, in ms.
 * @param stranger whether somebody without the secret answered at every address
 */
export function retryDelay(failures: number, stranger: boolean, random: () => number): number {
  const longest = stranger ? LONGEST_RETRY_OF_STRANGERS : LONGEST_RETRY;
  return random() * Math.min(longest, FIRST_RETRY * 2 ** failures);
}
