import { createActor } from 'xstate';
import type { AnyActor, AnyActorRef } from 'xstate';

import { createCallerLogic } from '../calls/caller/caller.ts';
import { createDispatcherLogic } from '../calls/callee/dispatcher.ts';
import type { EventsRef } from '../events/events.ts';
import { evidenceAbout } from '../presence/evidence-about.ts';
import { OwnPresence } from '../presence/exchange/own-presence.ts';
import type { Evidence } from '../connection/link/evidence.ts';
import { createLivenessLogic } from '../connection/liveness.ts';
import { createPeerMachine } from './peer-machine.ts';
import type { PeerRecord } from '../connection/link/link.ts';
import { Balance } from '../many/balance.ts';
import { callSite } from '../base/call-site.ts';
import type { CallSite } from '../base/call-site.ts';
import { checkTag, readRemoteOptions } from '../functions/connect-arguments.ts';
import type { RemoteOptions } from '../functions/connect-arguments.ts';
import type { Connect, FunctionRecord } from '../functions/connect-types.ts';
import type { Connecting } from '../functions/connecting.ts';
import type { PeerActor } from './actor-types.ts';
import { containedSettings } from './options/contained-settings.ts';
import { networkOf } from './options/default-network.ts';
import { Ending } from './ending.ts';
import { GuestHost } from './guests/guest-host.ts';
import { Hosting } from './guests/hosting.ts';
import { followDiscovery } from './follow-discovery.ts';
import { remoteFunction } from '../functions/connected.ts';
import type { RemoteFunction } from '../functions/connected.ts';
import { countersOf, defaultFunctions } from '../functions/default-functions.ts';
import type { PeerMetrics } from '../presence/set/peer-metrics.ts';
import { MeasuredCalls } from '../calls/call-stats.ts';
import { observing } from './measuring.ts';
import { announcedOnHost, searchIsOver } from '../presence/discovery-waits.ts';
import { NetError, stoppedError } from '../base/errors.ts';
import { NetEvent } from '../events/event.ts';
import { EventHub } from '../events/event-hub.ts';
import { deathOf, stoppedBy, tellOfDeath } from './death.ts';
import { forgetAtExit, leaveAtExit } from '../base/process/leave-at-exit.ts';
import { outerCall } from '../calls/context.ts';
import { Middleware } from '../calls/hooks.ts';
import type { Hook } from '../calls/hooks.ts';
import { checkStopOptions, serveUntilSignal } from './stop-on.ts';
import type { ServeOptions, StopOptions } from './stop-on.ts';
import type { Settings } from './options/options.ts';
import { Outgoing } from '../calls/caller/outgoing.ts';
import { announcedLimits } from './options/limit-options.ts';
import { Peers } from '../presence/set/peers.ts';
import { PeerSet } from '../presence/set/peer-set.ts';
import type { Pool } from '../many/pool.ts';
import { outsideThread, threadHome } from '../base/process/thread-home.ts';
import { holdProcess, releaseProcess, whileHolding } from '../base/process/process-hold.ts';
import { Registry } from '../calls/callee/registry.ts';
import type { AnyFunction, UntypedFunction } from '../base/function-types.ts';
import { RemotePeer } from '../presence/set/remote-peer.ts';
import type { ThreadPools } from '../threads/pools.ts';
import { callerOf, connectingOf, startInThread, threadPoolsOf } from './own-threads.ts';
import { runningPeers, serveListeners } from './running-peers.ts';
import type { Selector } from '../presence/set/selector.ts';

/**
 * One peer of the network. Other peers find it and call its functions, and it calls theirs. Most processes need only the
 * default peer, which `connect`, `getPeers` and the rest use. Tests and gateways make more with `createPeer`.
 *
 * @example
 * await using peer = createPeer({ name: 'render-1', group: 'gpu' });
 * await peer.start();
 */
export class Peer extends GuestHost {
  /** Its identity, which no other live peer has. */
  readonly id: string;
  /** Its name for people. */
  readonly name: string;
  /** The group it belongs to. */
  readonly group: string;
  /** Whether it is labelled as a hub. */
  readonly hub: boolean;
  /**
   * The XState actor: `getSnapshot().value` is `starting`, `online`, `draining`, `stopped` or `failed`, and
   * `system.get(name)` finds `discovery`, `dispatcher`, `caller`, `events` and `connection:<peer id>`.
   */
  readonly actor: PeerActor;
  /** The live set of the other peers of this peer's group. `peers.of()` makes other sets. */
  readonly peers: Peers;
  /**
   * Returns what this peer has done, in numbers. It counts calls from the first time that somebody asks, here or from another
   * peer. Until then, calls pay nothing for it. `metricsText()` turns the numbers into text for Prometheus.
   */
  readonly metrics: () => PeerMetrics;
  /** Lets other peers call functions of this process. */
  readonly connect: Connect = ((...args: unknown[]) =>
    this.register(args, callSite(this.connect))) as Connect;

  readonly #actor: AnyActor;
  readonly #settings: Settings;
  readonly #holds: boolean;
  readonly #registry: Registry;
  readonly #connecting: Connecting;
  readonly #set: PeerSet;
  /** @internal Carries events, and makes views of the peers. */
  readonly events: EventHub;
  readonly #pool: Pool;
  #started: Promise<this> | undefined;
  readonly #middleware = new Middleware();
  readonly #threads: ThreadPools;
  readonly #outgoing: Outgoing;
  /** The object that users hold for each life of another peer. */
  readonly #handles = new WeakMap<PeerRecord, RemotePeer>();
  readonly #remotePeer = (record: PeerRecord): RemotePeer => {
    let peer = this.#handles.get(record);
    if (!peer) {
      peer = new RemotePeer(record, this.#outgoing.to(record), this.#settings.clock);
      this.#handles.set(record, peer);
    }
    return peer;
  };
  /** Why nothing works any more; undefined while the peer works. */
  #over: NetError | undefined;
  /** The unexpected error that it died of. */
  #death: Error | undefined;
  readonly #ended: Promise<void>;
  readonly #ending = new Ending();
  #markEnded: () => void = () => {};

  /** @internal Use `createPeer()`. @param holds whether the running peer keeps the process alive */
  constructor(given: Settings, holds: boolean) {
    const settings = containedSettings(given);
    const hosting = new Hosting(settings);
    super(hosting);
    const { id, incarnation, name, group, hub, limits, log, clock, process, stacks, pass } = settings;
    this.id = id;
    this.name = name;
    this.group = group;
    this.hub = hub;
    this.#settings = settings;
    this.#holds = holds;
    const describe = () => ({
      ...{ name, group, hub, pid: process.pid, host: settings.hostname },
      functions: this.#registry.tags(),
    });
    const measured = new MeasuredCalls();
    const counters = (): ReturnType<typeof countersOf> => countersOf(this.#actor);
    const peers = (): number => this.#set.current().length;
    const defaults = defaultFunctions({
      ...{ id, clock, process, describe, peers, counters, metrics: () => this.metrics() },
      ...{ work: () => this.#registry.work(), watch: (options) => watch.read(options) },
    });
    this.#registry = new Registry((added, removed) => {
      if (this.#started) (this.#actor as AnyActorRef).send({ type: 'functions.changed', added, removed });
    }, defaults);
    this.#set = new PeerSet(group, () => this.#settle(), pass?.rights);
    this.peers = new Peers(() => this.#set);
    const find = (peer: string): RemotePeer | undefined => this.#set.get(peer);
    this.events = new EventHub(settings, this.#set, find, () => outerCall()?.travels);
    const machine = createPeerMachine(
      createCallerLogic({ measured, clock, queue: limits.queue, holds: !holds, stacks, log, pass }),
      createDispatcherLogic({
        ...{ id, measured, registry: this.#registry, clock, limits, stacks, middleware: this.#middleware },
        ...{ log, process, remotePeer: ({ record }) => this.#remotePeer(record) },
      }),
      createLivenessLogic(settings),
      this.events.logic,
    );
    const own = new OwnPresence({ id, incarnation }, Date.now(), describe);
    const self = { id, incarnation, limits: announcedLimits(limits), describe: () => own.describe() };
    this.#actor = createActor(machine, {
      input: { settings, self, network: networkOf(settings), own, hosting, ending: this.#ending },
      clock,
      ...(settings.inspect && { inspect: settings.inspect }),
    });
    this.actor = this.#actor;
    this.#ended = new Promise((resolve) => (this.#markEnded = resolve));
    this.#pool = {
      source: this.#set,
      balance: new Balance({ random: settings.random, now: () => clock.now() }),
      ...{ id, clock, random: settings.random, deadline: settings.deadline },
    };
    this.#threads = threadPoolsOf(settings, this.#set);
    const connects = { registry: this.#registry, pool: this.#pool, threads: this.#threads };
    this.#connecting = connectingOf(settings, connects, () => this.#outgoing);
    this.#outgoing = new Outgoing({
      ...{ id, clock, deadline: settings.deadline, middleware: this.#middleware },
      caller: callerOf(this.#actor),
      remotePeer: this.#remotePeer,
      over: () => this.#over,
    });
    const comings = followDiscovery(this.#actor.system, this.#set, this.#remotePeer, settings);
    const seen = { ...connects, id, clock, process, calls: measured, comings, counters, describe, peers };
    const ping = (record: PeerRecord): Promise<number> => this.#remotePeer(record).ping();
    const { metrics, watch } = observing({ ...seen, actor: this.#actor, topics: this.events.topics, ping });
    this.metrics = metrics;
  }

  /**
   * Listens, and begins to search for other peers. Resolves once other peers can find it.
   * @throws the error that kept it from starting: an occupied port, an unsafe runtime directory, …
   */
  start(): Promise<this> {
    this.#started ??= whileHolding(this.#start());
    return this.#started;
  }

  /**
   * Leaves the network: takes no more calls, lets running calls finish for up to `drainTime` ms, says goodbye to every
   * peer, and closes everything. When it resolves, no socket, server, watcher or timer of this peer is left. A stopped
   * peer cannot be started again.
   * @throws TypeError for an option that does not exist
   */
  async stop(options: StopOptions = {}): Promise<void> {
    checkStopOptions(options);
    if (!this.#started) {
      this.#refuseStart();
      this.#end(stoppedError());
      return;
    }
    (this.#actor as AnyActorRef).send({ type: 'peer.stop', drainTime: options.drainTime });
    this.#refuseStart();
    await whileHolding(this.#ended.then(() => this.#ending.over()));
  }

  /** Stops the peer, so that `await using` works. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** @internal `connect`, for callers that know the place that it was called from. */
  register(args: readonly unknown[], place: CallSite | undefined): unknown {
    return this.#connecting.connect(args, place);
  }

  /**
   * Adds a hook that wraps every call from now on: calls that this peer makes and calls that it runs for others. The hook
   * that was added first is the outermost. Returns a function that removes the hook.
   */
  use(hook: Hook): () => void {
    return this.#middleware.use(hook);
  }

  /** Stops sharing a function, or each function of an object. Returns whether any of them was connected. */
  disconnect(what: AnyFunction | FunctionRecord): boolean {
    return this.#connecting.disconnect(what);
  }

  /**
   * Returns a function that only other peers have, made from its type and its tag.
   * @throws TypeError for a wrong tag or option
   *
   * @example
   * const local = createPeer();
   * const multiply = local.remote<(a: number, b: number) => number>('math.multiply');
   * await multiply.any()(2, 3);
   */
  remote<F extends AnyFunction = UntypedFunction>(tag: string, options?: RemoteOptions): RemoteFunction<F> {
    checkTag(tag);
    return remoteFunction<F>({ tag, ...readRemoteOptions(options), pools: [this.#pool] });
  }

  /** Starts this peer if necessary, waits until its first search is over, and resolves with the selected peers. */
  getPeers(selector: Selector = {}): Promise<RemotePeer[]> {
    return this.peers.of(selector).settled();
  }

  /**
   * Returns why the peer with this id is considered alive, suspect or gone, or how the search for it went; undefined for
   * an unknown id. As text it reads `silent 6.0 s, own lag 12 ms, redial refused`.
   */
  evidence(id: string): Evidence | undefined {
    return evidenceAbout(id, this.#actor.system);
  }

  /** Returns the event of this name. @throws TypeError for a name that is not a string of 1 to 256 characters */
  event<T = unknown>(name: string): NetEvent<T> {
    return new NetEvent<T>(name, () => outsideThread(this.events));
  }

  /**
   * Starts the peer if necessary, and keeps the process alive until the peer is stopped. With `stopOn` a signal stops
   * the peer: it answers the calls that run, and then `serve()` resolves.
   * @throws the error that kept it from starting, or the error that it died of, which is a bug of this library;
   *   TypeError for a name in `stopOn` that is not the name of a signal
   *
   * @example
   * const server = createPeer({ name: 'server' });
   * await server.serve({ stopOn: ['SIGTERM', 'SIGINT'] });
   */
  serve(options: ServeOptions = {}): Promise<void> {
    const serve = async (): Promise<void> => {
      await this.start().then(() => this.#threads.warm());
      for (const heard of serveListeners) heard(this);
      await whileHolding(this.#ended);
      if (this.#death) throw this.#death;
    };
    return serveUntilSignal(options, serve, (how) => this.stop(how));
  }

  /** Tags of the functions that other peers can call now. */
  get functions(): readonly string[] {
    return this.#registry.tags();
  }

  async #start(): Promise<this> {
    if (threadHome()) return startInThread(this, this.#set, this.#remotePeer);
    if (this.#holds) holdProcess();
    leaveAtExit(this.#actor);
    runningPeers.add(this);
    await new Promise<void>((resolve, reject) => {
      const online = (): void => {
        if (this.#actor.getSnapshot().value === 'online') resolve();
      };
      const over = (error?: unknown): void => {
        this.#death = deathOf(this.#actor, error);
        const cause = this.#death ?? this.#actor.getSnapshot().context.error;
        forgetAtExit(this.#actor);
        runningPeers.delete(this);
        if (this.#holds) releaseProcess();
        this.#end(this.#death ? stoppedBy(this.#death) : stoppedError(cause));
        reject((cause as Error | undefined) ?? stoppedError());
        if (this.#death) tellOfDeath(this.#actor, this.#death, this.#settings.log);
      };
      this.#actor.subscribe({ next: online, error: over, complete: () => over() });
      this.#actor.start();
      const events = this.#actor.system.get('events') as EventsRef;
      this.events.start((message) => events.send(message));
    });
    const discovery = this.#actor.system.get('discovery') as AnyActor | undefined;
    if (discovery) await announcedOnHost(discovery);
    if (this.#actor.getSnapshot().value !== 'online') throw stoppedError();
    return this;
  }

  #refuseStart(): void {
    this.#started = Promise.reject(stoppedError());
    this.#started.catch(() => {});
  }

  #end(error: NetError): void {
    this.#over = error;
    for (const work of [this.endHosting(), this.#threads.end(error.message)]) this.#ending.add(work);
    this.events.stop();
    this.#set.end(error);
    this.#markEnded();
  }

  async #settle(): Promise<void> {
    await this.start();
    if (threadHome()) return;
    const discovery = this.#actor.system.get('discovery') as AnyActor | undefined;
    if (discovery === undefined || this.#actor.getSnapshot().value !== 'online') throw stoppedError();
    await searchIsOver(discovery, this.#set);
  }
}
