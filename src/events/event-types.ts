import type { Gap } from './interests.ts';
import type { RemotePeer } from '../presence/set/remote-peer.ts';
import type { CallMeta, TraceContext } from '../wire/beside.ts';
import type { Selector } from '../presence/set/selector.ts';

/** Events as users see them: what they are given, and what they may ask for. */

/**
 * One event as a subscriber receives it.
 *
 * @example
 * event('*').subscribe((_, { name, peer, sequence }: Received<unknown>) => {
 *   console.log(peer.name, name, sequence);
 * });
 */
export interface Received<T> {
  /** The name of the event. A subscription to `'*'` tells events apart by it. */
  readonly name: string;
  /** The value that was emitted. */
  readonly payload: T;
  /** The peer that emitted it. */
  readonly peer: RemotePeer;
  /**
   * One more than that of the event before it, of this name and this peer. The first one may have any number. A new life of the peer
   * counts anew.
   */
  readonly sequence: number;
  /** Says that events of this peer may have been missed right before this one; undefined when none were. */
  readonly gap: Gap | undefined;
  /** The small object that the event was emitted with; `{}` when it had none. */
  readonly meta: CallMeta;
  /** The trace that the event belongs to; undefined when it has none. */
  readonly trace: TraceContext | undefined;
}

/**
 * Options of `emit`.
 *
 * @example
 * done.emit({ id: '42' }, { meta: { tenant: 'acme' } });
 */
export interface EmitOptions {
  /** A small object that travels with the event: plain JSON values, at most 4,096 characters of JSON. */
  meta?: CallMeta | undefined;
}

/**
 * Options of `subscribe`.
 *
 * @example
 * done.subscribe(({ id }) => console.log(id), {
 *   from: { group: 'gpu' },
 *   signal: AbortSignal.timeout(60_000),
 *   onGap: ({ missed, why }, peer) => console.log(`missed ${missed ?? 'some'} of ${peer.name}: ${why}`),
 * });
 */
export interface SubscribeOptions {
  /** The peers whose events you want, whenever they join. Default: all peers of your own group. */
  from?: Selector | undefined;
  /** Ends the subscription when it aborts. */
  signal?: AbortSignal | undefined;
  /**
   * Called as soon as it is known that events of a peer were missed. The `gap` of an event comes later: with the next
   * event of that peer.
   */
  onGap?: ((gap: Gap, peer: RemotePeer) => void) | undefined;
  /**
   * Called with an error that the listener throws or that its promise rejects with. Default: the error is an uncaught
   * exception, as with any listener in Node.js.
   */
  onError?: ((error: unknown) => void) | undefined;
}

/**
 * Options of `ready` of an event.
 *
 * @example
 * await done.ready({ min: 2, signal: AbortSignal.timeout(5_000) });
 */
export interface SubscribedOptions {
  /** How many peers must be subscribed. Default: 1. */
  min?: number | undefined;
  /** Ends the wait when it aborts: the promise rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/**
 * A function that receives events: the payload, and everything else that is known about the event.
 *
 * @example
 * const listener: EventListener<{ id: string }> = ({ id }, { peer }) => console.log(`${peer.name} has done ${id}`);
 * done.subscribe(listener);
 */
export type EventListener<T> = (payload: T, event: Received<T>) => unknown;
