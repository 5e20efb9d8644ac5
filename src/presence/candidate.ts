import type { Hint } from '../providers/hint.ts';
import { isAmong, nearestFirst } from '../transport/address.ts';
import type { Address } from '../transport/address.ts';
import type { PeerRecord } from '../connection/link.ts';
import type { FromDiscovery } from './messages.ts';

/** How long the peer with the higher id waits to be dialled before it dials itself, in ms. */
const PATIENCE = 250;

/** Between attempts to reach a candidate: from the first to the longest, in ms, doubling, with full jitter. */
const FIRST_RETRY = 100;
const LONGEST_RETRY = 10_000;

/**
 * The longest where somebody answers who has another secret, or is no peer: that will hardly change, and on a network
 * that several worlds share each peer would knock at all the doors of the others. In ms.
 */
const LONGEST_RETRY_OF_STRANGERS = 60_000;

/** Before those are dialled that were lost together with one that is back, in ms, with full jitter. */
const SOON = 1_000;

/** Before an address is tried again at which this peer found itself, in ms, with full jitter. */
const SELF_RETRY = 60_000;

/**
 * Somebody who may be a peer, from the first hint until the hint is taken back.
 *
 * `seen`: to be dialled, or waited for. `dialing`: a connection is on its way. `up`: it is open. `suspect`: nothing
 * is heard of it, and a fresh dial decides. `left`: it was up; with the hint still there it is dialled again.
 */
export interface Candidate {
  /** The peer's; or `host:port` when only an address is known. No id of a peer has a colon. */
  readonly id: string;
  state: 'seen' | 'dialing' | 'up' | 'suspect' | 'left';
  /** Where it may be found, by the provider that says so; empty when it came to us, or all was taken back. */
  readonly hints: Map<string, Hint>;
  /** Of an address: the id of the peer that answered there last. Several addresses may lead to one peer. */
  answeredBy: string | undefined;
  /** Dials that failed since it was last up. */
  failures: number;
  /** Where it was hinted at when it was last up. */
  proved: readonly Address[];
  /** How often a connection to it was lost. */
  generation: number;
  /** What the last dial failed with. */
  error: unknown;
  /** When it is dialled again after a failed dial, on the clock. */
  dueAt: number;
  /** Whether it was ever up or given up on: what the first search waits for. */
  tried: boolean;
  /** While it is up. */
  record: PeerRecord | undefined;
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
  };
}

/**
 * Every address that is hinted at, in the order in which they are tried: what may be a lie comes last, and not before what
 * is none has failed, so that it delays nothing.
 */
export function addressesOf({ hints, failures }: Candidate): Address[] {
  const all = [...hints.values()];
  const trusted = nearestFirst(all.flatMap(({ addresses, isAnybodys }) => (isAnybodys ? [] : addresses)));
  if (trusted.length > 0 && failures === 0) return trusted;
  const others = nearestFirst(all.flatMap(({ addresses, isAnybodys }) => (isAnybodys ? addresses : [])));
  return [...trusted, ...others.filter((address) => !isAmong(trusted, address))];
}

/** The message that has it dialled; from here on it is. */
export function dialOf(candidate: Candidate): Extract<FromDiscovery, { type: 'peer.dial' }> {
  candidate.state = 'dialing';
  candidate.answeredBy = undefined;
  const { id, generation } = candidate;
  return { type: 'peer.dial', id, addresses: addressesOf(candidate), generation };
}

/** Where a peer that has joined can be dialled afresh: what is hinted at, and where it answered before. */
export function whereabouts(candidates: ReadonlyMap<string, Candidate>, id: string): Address[] {
  const leading = [...candidates.values()].filter((each) => each.id === id || each.answeredBy === id);
  return nearestFirst(leading.flatMap((each) => addressesOf(each)));
}

/** Forgets what is known of a life that is over. */
export function dropHints({ hints }: Candidate, incarnation: string): void {
  for (const [provider, hint] of hints) if (hint.incarnation === incarnation) hints.delete(provider);
}

/** Whether two hints of one provider say the same. */
export function isSame(hint: Hint, other: Hint | undefined): boolean {
  return (
    hint.incarnation === other?.incarnation &&
    hint.isAnybodys === other.isAnybodys &&
    hint.addresses.length === other.addresses.length &&
    hint.addresses.every((address) => isAmong(other.addresses, address))
  );
}

/** Whether a hint, of whatever provider, leads back to this peer. */
export function leadsTo(self: Hint, { id, addresses }: Hint): boolean {
  return id ? id === self.id : addresses.every((address) => isAmong(self.addresses, address));
}

/** How long to wait before the first dial, in ms. Of each pair one dials, so that connections rarely cross. */
export function firstDelay(self: Hint, hint: Hint): number {
  // Nobody can dial a peer that is not announced, and whoever is at an address has perhaps never heard of this one.
  if (self.id < hint.id || self.addresses.length === 0 || hint.id === '') return 0;
  return processIsGone(hint) ? 0 : PATIENCE;
}

/**
 * Whether the announced process is known to be dead: nobody to wait for, so the refused dial that lets the stale
 * announcement be removed comes at once. Only a saving of time; a process in another container looks dead too,
 * and is dialled as it should be.
 */
function processIsGone({ pid }: Hint): boolean {
  if (pid === undefined) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

/**
 * How long to wait before an address is dialled again that led to this peer itself, in ms. Long, since mostly it will
 * again; not for ever, since behind one address there may be several peers, each dial reaching another.
 */
export function selfDelay(random: () => number): number {
  return random() * SELF_RETRY;
}

/**
 * Who was lost as well when a peer was lost that is back now: the network is, so they are dialled soon and not at the
 * end of their pauses, which have become long meanwhile.
 */
export function lostAsWell(candidates: ReadonlyMap<string, Candidate>, now: number): Candidate[] {
  return [...candidates.values()].filter(
    ({ state, generation, failures, dueAt }) =>
      state === 'seen' && generation > 0 && failures > 0 && dueAt > now + SOON,
  );
}

/** How long to wait before they are dialled, in ms. */
export function soonDelay(random: () => number): number {
  return random() * SOON;
}

/**
 * How long to wait before the next dial, in ms.
 * @param stranger whether somebody answered, at every address, and did not have the secret
 */
export function retryDelay(failures: number, stranger: boolean, random: () => number): number {
  const longest = stranger ? LONGEST_RETRY_OF_STRANGERS : LONGEST_RETRY;
  return random() * Math.min(longest, FIRST_RETRY * 2 ** failures);
}
