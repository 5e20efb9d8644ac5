/// <reference types="node" preserve="true" />

import { callSite } from './base/call-site.ts';
import type { Evidence } from './connection/evidence.ts';
import type { RemoteOptions } from './functions/connect-arguments.ts';
import type { Connect, FunctionRecord } from './functions/connect-types.ts';
import type { RemoteFunction } from './functions/connected.ts';
import { NetEvent } from './events/event.ts';
import { resolveOptions } from './peer/options.ts';
import type { Hook } from './calls/hooks.ts';
import type { PeerOptions } from './peer/options.ts';
import { Peer } from './peer/peer.ts';
import { Peers } from './presence/peers.ts';
import type { AnyFunction } from './calls/callee/registry.ts';
import type { RemotePeer } from './presence/remote-peer.ts';
import type { Selector } from './presence/selector.ts';

export { createPeer } from './peer/peer.ts';
export type { Peer } from './peer/peer.ts';
export type { ConnectOptions, RecordOptions, RemoteOptions } from './functions/connect-arguments.ts';
export type {
  Connect,
  ConnectedRecord,
  FunctionRecord,
  StaticMethodDecorator,
} from './functions/connect-types.ts';
export { connected } from './functions/connected.ts';
export { current } from './calls/context.ts';
export type { CallContext } from './calls/context.ts';
export { NetError } from './base/errors.ts';
export type { NetErrorCode, Ran } from './base/errors.ts';
export { registerError } from './wire/values/error-classes.ts';
export type { PeerInfo } from './presence/peer-info.ts';
export type { Logger, LogLevel } from './base/log.ts';
export type { LoopLoad } from './base/loop-load.ts';
export type { Connected, Remote, RemoteFunction, Target } from './functions/connected.ts';
export type { Hook, HookedCall } from './calls/hooks.ts';
export type { NetEvent } from './events/event.ts';
export type { EventListener, Received, SubscribeOptions, SubscribedOptions } from './events/event-types.ts';
export type { EventStream, EventStreamOptions } from './events/event-stream.ts';
export type { Subscription } from './events/subscription.ts';
export type { Gap } from './events/interests.ts';
export type { PeerLimits } from './peer/limit-options.ts';
export type { SlowSubscribers } from './events/topics.ts';
export type { PeerOptions } from './peer/options.ts';
export type { Peers, PeersChange, PeersEvents, ReadyOptions } from './presence/peers.ts';
export type { AnyOptions } from './many/any.ts';
export type { PeerResult } from './many/all.ts';
export type { MapOptions, MapProgress, MapResult } from './many/map-options.ts';
export type { Results } from './many/results.ts';
export type { CallOptions, RemotePeer } from './presence/remote-peer.ts';
export type { Evidence, Findings, Redial } from './connection/evidence.ts';
export type { LeaveReason } from './connection/evidence.ts';
export type { Scope } from './transport/scope.ts';
export type { Selector } from './presence/selector.ts';
export type { TlsOptions } from './transport/tls.ts';
export type { Clock } from './base/clock.ts';

/** The default peer of this process: made and started by the first use of anything below but `configure`. */
let standard: Peer | undefined;
let configured: PeerOptions = {};

function defaultPeer(): Peer {
  if (!standard) {
    standard = new Peer(resolveOptions(configured, process.env), false);
    // Nobody may be waiting for the start, and a peer that silently is none would be hard to find.
    standard.start().catch((error: unknown) => {
      const text = error instanceof Error ? error.message : String(error);
      process.emitWarning(`the default peer could not start: ${text}`, 'AppNetWarning');
    });
  }
  return standard;
}

/**
 * Sets the options of the default peer. Comes before its first use; imports run first, so put this into a module
 * of its own that is imported before those that call `connect`.
 * @throws Error when the default peer is in use already; TypeError naming an option that cannot be meant
 */
export function configure(options: PeerOptions): void {
  if (standard) {
    throw new Error(
      'configure() comes before the first use of the default peer, and that was already; imports run first, ' +
        'so call it in a module that is imported before those that use connect()',
    );
  }
  resolveOptions(options, process.env);
  configured = { ...configured, ...options };
}

/** Lets other peers call functions of this process. */
export const connect: Connect = ((...args: unknown[]) =>
  defaultPeer().register(args, callSite(connect))) as Connect;

/**
 * Takes a function back, or each of an object: others can no longer call it. Returns whether it, or any of them, was
 * connected.
 */
export function disconnect(what: AnyFunction | FunctionRecord): boolean {
  return defaultPeer().disconnect(what);
}

/**
 * Adds a hook that goes around every call from here on: those that this process makes and those that run here. The
 * first added is the outermost. Returns what takes it out again.
 *
 * @example
 * use(async (call, next) => {
 *   const start = performance.now();
 *   try {
 *     return await next();
 *   } finally {
 *     console.log(call.direction, call.tag, performance.now() - start);
 *   }
 * });
 */
export function use(hook: Hook): () => void {
  return defaultPeer().use(hook);
}

/**
 * A function that only others have: types and a tag.
 *
 * @example
 * import type { multiply } from './math.ts';
 * const mul = remote<typeof multiply>('math.multiply');
 * await mul.on(peer)(2, 3);
 */
export function remote<F extends AnyFunction>(tag: string, options: RemoteOptions = {}): RemoteFunction<F> {
  return defaultPeer().remote<F>(tag, options);
}

/**
 * The peers that are there once the first search is over; of the own group, unless the selector says otherwise.
 *
 * @example
 * for (const peer of await getPeers()) console.log(await multiplyValues.on(peer)(5, 10));
 */
export function getPeers(selector: Selector = {}): Promise<RemotePeer[]> {
  return defaultPeer().getPeers(selector);
}

/** Why the peer with this id is held for alive, suspect or gone; `${evidence(id)}` says it in words. */
export function evidence(id: string): Evidence | undefined {
  return defaultPeer().evidence(id);
}

/** The live set of other peers. */
export const peers: Peers = new Peers(() => defaultPeer().events.source);

/**
 * A name under which peers tell each other that something happened. Events go to those other peers that subscribe.
 * The default peer is started by the first use of the event, not by this call.
 * @throws TypeError for what cannot be a name
 *
 * @example
 * export const done = event<{ id: string }>('job.done');
 * done.emit({ id: '42' });
 * done.subscribe(({ id }, { peer }) => console.log(`${peer.name} has done ${id}`), { from: { group: 'gpu' } });
 */
export function event<T = unknown>(name: string): NetEvent<T> {
  return new NetEvent<T>(name, () => defaultPeer().events);
}

/** Keeps this process alive as a peer, until it is killed. */
export function serve(): Promise<void> {
  return defaultPeer().serve();
}
