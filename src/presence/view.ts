import { Evidence } from '../connection/evidence.ts';
import type { LeaveReason } from '../connection/evidence.ts';
import { whileHolding } from '../base/process-hold.ts';
import type { RemotePeer } from './remote-peer.ts';
import { matcher } from './selector.ts';
import type { Selector } from './selector.ts';

/** The whole set of one local peer, and how the parts of it that selectors mean are followed. */

export interface PeerSource {
  readonly group: string;
  /** Whether the first search is over. */
  readonly searched: boolean;
  /** Why the local peer is no more, once it is. */
  readonly ended: Error | undefined;
  current(): RemotePeer[];
  get(id: string): RemotePeer | undefined;
  /** Returns what takes the listener off again. `ended` is told once, when the local peer is no more. */
  subscribe(listener: (change: SourceChange) => void, ended: (error: Error) => void): () => void;
  /** Starts the local peer if need be; resolves when its first search is over. */
  settled(): Promise<void>;
}

/**
 * A value that `watch()` yields: first a snapshot, then each change. `functions` says that the functions of a peer changed;
 * `peer.functions` has them.
 *
 * @example
 * for await (const change of peers.watch()) {
 *   if (change.type === 'snapshot') console.log(`${change.peers.length} peers`);
 *   else console.log(change.type, change.peer.name);
 * }
 */
export type PeersChange =
  | { type: 'snapshot'; peers: RemotePeer[] }
  | { type: 'join'; peer: RemotePeer }
  | { type: 'leave'; peer: RemotePeer; why: LeaveReason; evidence: Evidence }
  | { type: 'functions'; peer: RemotePeer };

export type SourceChange = Exclude<PeersChange, { type: 'snapshot' }>;

/** Who follows a part of the set. */
export interface Follower {
  changed: (change: SourceChange) => void;
  /** The selector's `where` threw: the peer it was asked about counts as not meant. */
  failed: (error: unknown) => void;
  ended: () => void;
}

export interface View {
  /** Those that are meant, now; it changes before the follower is told. */
  readonly inside: ReadonlySet<RemotePeer>;
  stop(): void;
}

/** Of a peer that is still there, and no longer what the selector means. */
const UNSELECTED = new Evidence('alive', { detail: 'the selector no longer means it' });

/**
 * Follows the peers that a selector means. With `has` or `where` a peer also joins when it comes to fit, and leaves,
 * with `stopped`, when it does no longer.
 * @throws TypeError for what is no selector; what its `where` throws about those that are there
 */
export function follow(source: PeerSource, selector: Selector, follower: Follower): View {
  const matches = matcher(selector, source.group);
  const inside = new Set(source.current().filter(matches));
  const stop = source.subscribe((change) => {
    const { peer } = change;
    const was = inside.delete(peer);
    let threw: { error: unknown } | undefined;
    let is = false;
    try {
      is = change.type !== 'leave' && matches(peer);
    } catch (error) {
      threw = { error };
    }
    if (is) inside.add(peer);
    if (!was && is) follower.changed({ type: 'join', peer });
    else if (was && !is) {
      const unselected = { type: 'leave', peer, why: 'stopped', evidence: UNSELECTED } as const;
      follower.changed(change.type === 'leave' ? change : unselected);
    } else if (is) follower.changed(change);
    if (threw) follower.failed(threw.error);
  }, follower.ended);
  return { inside, stop };
}

/**
 * Resolves with what `check` returns, as soon as that is something; it is asked now and at each change of the set.
 * Starts the local peer, and keeps the process alive meanwhile.
 * @param more called with what asks again: for what depends on more than the set; returns what ends that
 * @throws the signal's reason; what `check` throws; NetError STOPPED when the local peer stops
 */
export function until<T>(
  source: PeerSource,
  signal: AbortSignal | undefined,
  check: () => T | undefined,
  more: (again: () => void) => () => void = () => () => {},
): Promise<T> {
  const wait = new Promise<T>((resolve, reject) => {
    signal?.throwIfAborted();
    let over = false;
    const done = (settle: () => void): void => {
      over = true;
      unsubscribe();
      endMore();
      signal?.removeEventListener('abort', abort);
      settle();
    };
    const abort = (): void => done(() => reject(signal?.reason as Error));
    const again = (): void => {
      if (over) return;
      try {
        const found = check();
        if (found !== undefined) done(() => resolve(found));
      } catch (error) {
        done(() => reject(error));
      }
    };
    const unsubscribe = source.subscribe(again, (error) => done(() => reject(error)));
    const endMore = more(again);
    signal?.addEventListener('abort', abort, { once: true });
    again();
    // That the local peer cannot start is told through `subscribe`.
    source.settled().catch(() => {});
  });
  return whileHolding(wait);
}
