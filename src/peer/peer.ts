import { createActor } from 'xstate';
import type { AnyActor, AnyActorRef } from 'xstate';

import { createCallerLogic } from '../calls/caller/caller.ts';
import type { CallerRef } from '../calls/caller/caller.ts';
import { createDispatcherLogic } from '../calls/callee/dispatcher.ts';
import type { EventsRef } from '../events/events.ts';
import type { DiscoveryEmitted } from '../presence/messages.ts';
import { evidenceAbout } from '../presence/evidence-about.ts';
import type { Evidence } from '../connection/evidence.ts';
import { createLivenessLogic } from '../connection/liveness.ts';
import { createPeerMachine } from './peer-machine.ts';
import type { PeerRecord } from '../connection/link.ts';
import { Balance } from '../many/balance.ts';
import { callSite } from '../base/call-site.ts';
import type { CallSite } from '../base/call-site.ts';
import { checkTag, readRemoteOptions } from '../functions/connect-arguments.ts';
import type { RemoteOptions } from '../functions/connect-arguments.ts';
import type { Connect, FunctionRecord } from '../functions/connect-types.ts';
import { Connecting } from '../functions/connecting.ts';
import { containedSettings } from './contained-settings.ts';
import { Ending } from './ending.ts';
import { remoteFunction } from '../functions/connected.ts';
import type { RemoteFunction } from '../functions/connected.ts';
import { countersOf, defaultFunctions } from '../functions/default-functions.ts';
import type { PeerInfo } from '../presence/peer-info.ts';
import { hostNetwork } from '../providers/host/host-network.ts';
import { announcedOnHost, searchIsOver } from '../presence/discovery-waits.ts';
import { NetError, stoppedError } from '../base/errors.ts';
import { NetEvent } from '../events/event.ts';
import { EventHub } from '../events/event-hub.ts';
import { deathOf, stoppedBy, tellOfDeath } from './death.ts';
import { forgetAtExit, leaveAtExit } from '../base/leave-at-exit.ts';
import { Middleware } from '../calls/hooks.ts';
import type { Hook } from '../calls/hooks.ts';
import { resolveOptions } from './options.ts';
import type { PeerOptions, Settings } from './options.ts';
import { Outgoing } from '../calls/caller/outgoing.ts';
import { parityOf } from '../functions/parity.ts';
import { Peers } from '../presence/peers.ts';
import { PeerSet } from '../presence/peer-set.ts';
import type { Pool } from '../many/pool.ts';
import { holdProcess, releaseProcess, whileHolding } from '../base/process-hold.ts';
import { Registry } from '../calls/callee/registry.ts';
import type { AnyFunction } from '../calls/callee/registry.ts';
import { RemotePeer } from '../presence/remote-peer.ts';
import { runningPeers, serveListeners } from './running-peers.ts';
import type { Selector } from '../presence/selector.ts';
import type { Description } from '../wire/frames.ts';

/**
 * One peer: what others can find and call, and the place calls to others go out from. A process usually needs
 * just the default one, which `connect`, `getPeers` and the rest act for; tests and gateways make more.
 *
 * @example
 * await using peer = createPeer({ name: 'render-1', group: 'gpu' });
 * await peer.start();
 */
export class Peer {
  readonly id: string;
  readonly name: string;
  readonly group: string;
  readonly hub: boolean;
  /**
   * The XState actor: `getSnapshot().value` is `starting`, `online`, `draining`, `stopped` or `failed`, and
   * `system.get(name)` finds `discovery`, `dispatcher`, `caller`, `events` and `connection:<peer id>`.
   */
  readonly actor: AnyActor;
  /** The live set of other peers; those of the own group, unless `peers.of()` says otherwise. */
  readonly peers: Peers;
  /** Lets other peers call functions of this process. */
  readonly connect: Connect = ((...args: unknown[]) =>
    this.register(args, callSite(this.connect))) as Connect;

  readonly #settings: Settings;
  readonly #holds: boolean;
  readonly #registry: Registry;
  readonly #connecting: Connecting;
  readonly #set: PeerSet;
  readonly #events: EventHub;
  readonly #pool: Pool;
  #started: Promise<this> | undefined;
  readonly #middleware = new Middleware();
  readonly #outgoing: Outgoing;
  /** The object that users hold for each life of another peer. */
  readonly #handles = new WeakMap<PeerRecord, RemotePeer>();
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
    const { id, name, group, hub, limits, clock, stacks, inspect } = settings;
    this.id = id;
    this.name = name;
    this.group = group;
    this.hub = hub;
    this.#settings = settings;
    this.#holds = holds;
    const describe = (): Description => ({
      ...{ name, group, hub, pid: process.pid, host: settings.hostname },
      functions: this.#registry.tags(),
    });
    const counters = (): PeerInfo['counters'] => countersOf(this.actor);
    const peers = (): number => this.#set.current().length;
    const defaults = defaultFunctions({ id, clock, describe, peers, counters });
    this.#registry = new Registry((added, removed) => {
      if (this.#started) (this.actor as AnyActorRef).send({ type: 'functions.changed', added, removed });
    }, defaults);
    this.#set = new PeerSet(group, () => this.#settle());
    this.peers = new Peers(() => this.#set);
    this.#events = new EventHub(settings, this.#set, (peer) => this.#set.get(peer));
    const machine = createPeerMachine(
      createCallerLogic({ clock, queue: limits.queue, holds: !holds, stacks, log: settings.log }),
      createDispatcherLogic({
        ...{ registry: this.#registry, clock, limits, stacks, middleware: this.#middleware },
        remotePeer: ({ record }) => this.#remotePeer(record),
      }),
      createLivenessLogic(settings),
      this.#events.logic,
    );
    const self = {
      id,
      incarnation: settings.incarnation,
      limits: {
        ...{ message: limits.message, calls: limits.calls },
        ...{ streams: limits.streams, running: limits.running, subscriptions: limits.subscriptions },
      },
      describe,
    };
    const network = settings.network ?? hostNetwork(settings);
    this.actor = createActor(machine, {
      input: { settings, self, network, ending: this.#ending },
      clock,
      ...(inspect && { inspect }),
    });
    this.#ended = new Promise((resolve) => (this.#markEnded = resolve));
    this.#pool = {
      source: this.#set,
      balance: new Balance({ random: settings.random, now: () => clock.now() }),
      ...{ clock, random: settings.random, deadline: settings.deadline },
    };
    this.#connecting = new Connecting(this.#registry, this.#pool, parityOf(settings));
    this.#outgoing = new Outgoing({
      ...{ clock, deadline: settings.deadline, middleware: this.#middleware },
      caller: this.actor.system.get('caller') as CallerRef,
      remotePeer: (record) => this.#remotePeer(record),
      over: () => this.#over,
    });
    this.#followDiscovery();
  }

  /**
   * Listens and begins to look for others. Resolves once others can find it.
   * @throws what kept it from starting: an occupied port, an unsafe runtime directory, …
   */
  start(): Promise<this> {
    this.#started ??= whileHolding(this.#start());
    return this.#started;
  }

  /**
   * Leaves: takes no more calls, lets those that run finish for up to `drainTime`, says goodbye to every peer,
   * closes everything. A stopped peer cannot be started again. Never rejects. When it resolves, nothing of this peer is
   * left: no socket, no server, no watcher, no timer.
   */
  async stop(): Promise<void> {
    if (!this.#started) {
      this.#refuseStart();
      this.#end(stoppedError());
      return;
    }
    this.actor.send({ type: 'peer.stop' });
    this.#refuseStart();
    await whileHolding(this.#ended.then(() => this.#ending.over()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** @internal `connect`, for callers that know the place that it was called from. */
  register(args: readonly unknown[], place: CallSite | undefined): unknown {
    return this.#connecting.connect(args, place);
  }

  /**
   * Adds a hook that goes around every call from here on: those that this peer makes and those that run here. The
   * first added is the outermost. Returns what takes it out again.
   */
  use(hook: Hook): () => void {
    return this.#middleware.use(hook);
  }

  /**
   * Takes a function back, or each of an object: others can no longer call it. Returns whether it, or any of them, was
   * connected.
   */
  disconnect(what: AnyFunction | FunctionRecord): boolean {
    return this.#connecting.disconnect(what);
  }

  /**
   * A function that only others have: types and a tag.
   *
   * @example
   * const multiply = peer.remote<typeof import('./math.ts').multiply>('math.multiply');
   * await multiply.on(other)(2, 3);
   */
  remote<F extends AnyFunction>(tag: string, options: RemoteOptions = {}): RemoteFunction<F> {
    checkTag(tag);
    return remoteFunction<F>({ tag, ...readRemoteOptions(options), pools: [this.#pool] });
  }

  /**
   * The peers that are there once the first search is over; of the own group, unless the selector says otherwise.
   * Starts this peer if need be.
   */
  getPeers(selector: Selector = {}): Promise<RemotePeer[]> {
    return this.peers.of(selector).settled();
  }

  /**
   * Why the peer with this id is held for alive, suspect or gone, or what became of the search for it; undefined for
   * one that was never heard of. For people who debug networks: it reads `silent 6.0 s, own lag 12 ms, redial refused`.
   */
  evidence(id: string): Evidence | undefined {
    return evidenceAbout(id, this.actor.system);
  }

  /**
   * A name under which this peer tells others that something happened, or listens to them.
   * @throws TypeError for what cannot be a name
   */
  event<T = unknown>(name: string): NetEvent<T> {
    return new NetEvent<T>(name, () => this.#events);
  }

  /**
   * Keeps the process alive until this peer is stopped, and starts it if need be.
   * @throws what kept it from starting; and what it died of, which is a bug of this library
   */
  async serve(): Promise<void> {
    await this.start();
    for (const heard of serveListeners) heard(this);
    await whileHolding(this.#ended);
    if (this.#death) throw this.#death;
  }

  /** Tags of the functions that others can call, now. */
  get functions(): readonly string[] {
    return this.#registry.tags();
  }

  /** @internal Carries events, and makes views of the peers. */
  get events(): EventHub {
    return this.#events;
  }

  async #start(): Promise<this> {
    if (this.#holds) holdProcess();
    leaveAtExit(this.actor);
    runningPeers.add(this);
    await new Promise<void>((resolve, reject) => {
      const online = (): void => {
        if (this.actor.getSnapshot().value === 'online') resolve();
      };
      const over = (error?: unknown): void => {
        this.#death = deathOf(this.actor, error);
        const cause = this.#death ?? this.actor.getSnapshot().context.error;
        forgetAtExit(this.actor);
        runningPeers.delete(this);
        if (this.#holds) releaseProcess();
        this.#end(this.#death ? stoppedBy(this.#death) : stoppedError(cause));
        reject((cause as Error | undefined) ?? stoppedError());
        if (this.#death) tellOfDeath(this.actor, this.#death, this.#settings.log);
      };
      this.actor.subscribe({ next: online, error: over, complete: () => over() });
      this.actor.start();
      const events = this.actor.system.get('events') as EventsRef;
      this.#events.start((message) => events.send(message));
    });
    const discovery = this.actor.system.get('discovery') as AnyActor | undefined;
    if (discovery) await announcedOnHost(discovery);
    if (this.actor.getSnapshot().value !== 'online') throw stoppedError();
    return this;
  }

  #refuseStart(): void {
    this.#started = Promise.reject(stoppedError());
    this.#started.catch(() => {});
  }

  #end(error: NetError): void {
    this.#over = error;
    this.#events.stop();
    this.#set.end(error);
    this.#markEnded();
  }

  async #settle(): Promise<void> {
    await this.start();
    const discovery = this.actor.system.get('discovery') as AnyActor | undefined;
    if (discovery === undefined || this.actor.getSnapshot().value !== 'online') throw stoppedError();
    await searchIsOver(discovery, this.#set);
  }

  #followDiscovery(): void {
    const discovery = this.actor.system.get('discovery');
    discovery.on('*', (event: DiscoveryEmitted) => {
      if (event.type === 'search.settled') {
        this.#set.searched = true;
        return;
      }
      const { record } = event;
      const peer = this.#remotePeer(record);
      if (event.type === 'peer.joined') this.#set.apply({ type: 'join', peer });
      else if (event.type === 'peer.left')
        this.#set.apply({ type: 'leave', peer, why: event.why, evidence: record.evidence! });
      else this.#set.apply({ type: 'functions', peer });
    });
  }

  #remotePeer(record: PeerRecord): RemotePeer {
    let peer = this.#handles.get(record);
    if (!peer) {
      peer = new RemotePeer(record, this.#outgoing, this.#settings.clock);
      this.#handles.set(record, peer);
    }
    return peer;
  }
}

/**
 * Makes a peer that is independent of the default one; several in one process are as good as several processes.
 * It holds the process from `start()` to `stop()`.
 * @throws TypeError naming an option that cannot be meant; NetError INSECURE for a host that is not loopback
 */
export function createPeer(options: PeerOptions = {}): Peer {
  return new Peer(resolveOptions(options, process.env), true);
}
