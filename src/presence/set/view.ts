import { Evidence } from '../../connection/link/evidence.ts';
import type { LeaveReason } from '../../connection/link/evidence.ts';
import type { ModuleListeners } from '../../base/reload/module-listeners.ts';
import { whileHolding } from '../../base/process/process-hold.ts';
import type { OtherSecrets } from '../other-secrets.ts';
import type { RemotePeer } from './remote-peer.ts';
import { matcher } from './selector.ts';
import type { Selector } from './selector.ts';
import type { Rights } from '../../wire/handshake/pass.ts';

/** The whole set of one local peer, and views of it that follow a selector. */

export interface PeerSource {
  readonly group: string;
  /** Whether the first search is over. */
  readonly searched: boolean;
  /** The listeners that modules added while they were evaluated, whatever they select. */
  readonly ofModules: ModuleListeners;
  /** Peers that have another secret than the local one, if there is any. */
  readonly otherSecrets: OtherSecrets | undefined;
  /** Of the local peer, if it has a pass. */
  readonly ownRights: Rights | undefined;
  /** Why the local peer has ended, once it has. */
  readonly ended: Error | undefined;
  current(): RemotePeer[];
  /** The same, to be counted: nothing is copied. */
  each(): Iterable<RemotePeer>;
  get(id: string): RemotePeer | undefined;
  /** Returns a function that removes the listener. `ended` is called once, when the local peer ends. */
  subscribe(listener: (change: SourceChange) => void, ended: (error: Error) => void): () => void;
  /** Starts the local peer if it has not started. Resolves when its first search is over. */
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

/** The callbacks of somebody that follows a view. */
export interface Follower {
  changed: (change: SourceChange) => void;
  /** The selector's `where` threw. The peer that it was called with counts as not selected. */
  failed: (error: unknown) => void;
  ended: () => void;
}

export interface View {
  /** The selected peers, now. The set changes before the follower is called. */
  readonly inside: ReadonlySet<RemotePeer>;
  stop(): void;
}

/** The evidence for a peer that is still there, but no longer fits the selector. */
const UNSELECTED = new Evidence('alive', { detail: 'it no longer fits the selector' });

/**
 * Follows the peers that fit a selector. With `has` or `where`, a peer also joins when it begins to fit, and leaves with
 * `stopped` when it no longer fits.
 * @throws TypeError for an invalid selector; what its `where` throws for peers that are already there
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
 * Resolves with the first result of `check` that is not undefined. It calls `check` now and at each change of the set. It starts
 * the local peer, and keeps the process alive meanwhile.
 * @param more for checks that depend on more than the set: called with a function that checks again, and returns a function that
 *   ends it
 * @throws the signal's reason; what `check` throws; NetError STOPPED if the local peer stops
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
    // If the local peer cannot start, `subscribe` reports it.
    source.settled().catch(() => {});
  });
  return whileHolding(wait);
}
