import type { Gap } from './interests.ts';
import type { RemotePeer } from '../presence/remote-peer.ts';
import type { Selector } from '../presence/selector.ts';

/** Events as users see them: what they are given, and what they may ask for. */

/** One event as a subscriber gets it. */
export interface Received<T> {
  /** What it is called; says which one it is in a subscription to `'*'`. */
  readonly name: string;
  readonly payload: T;
  /** Who emitted it. */
  readonly peer: RemotePeer;
  /** Counts the events of this name that this peer has emitted in this life. */
  readonly sequence: number;
  /** Something of this peer may have been missed right before this one; undefined when nothing was. */
  readonly gap: Gap | undefined;
}

export interface SubscribeOptions {
  /** Whose events: those of the peers that this means, whenever they join. Default: all of the own group. */
  from?: Selector | undefined;
  /** Ends the subscription. */
  signal?: AbortSignal | undefined;
  /**
   * Called as soon as it is known that events of a peer were missed, while `gap` of an event has to wait for the next
   * one of that peer.
   */
  onGap?: ((gap: Gap, peer: RemotePeer) => void) | undefined;
  /**
   * Gets what the listener throws, or its promise rejects with. Without it that is an uncaught exception, as with any
   * listener of Node's.
   */
  onError?: ((error: unknown) => void) | undefined;
}

export interface SubscribedOptions {
  /** How many peers it takes. Default: 1. */
  min?: number | undefined;
  /** Ends the wait: it rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** Gets the payload, and all there is to know about the event. */
export type EventListener<T> = (payload: T, event: Received<T>) => unknown;
