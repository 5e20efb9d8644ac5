/**
 * XState's types, as far as users see them. XState's own declarations do not compile with `exactOptionalPropertyTypes`, so
 * ours do not import them. `spec/types/actors.ts` compares the two.
 */

// States, contexts and messages differ from actor to actor; docs/states.md lists them. XState's types have `any` there, too.
/* oxlint-disable typescript/no-explicit-any */

declare global {
  // As XState and RxJS declare it.
  interface SymbolConstructor {
    readonly observable: symbol;
  }
}

/**
 * Ends a subscription to an actor.
 *
 * @example
 * const subscription: ActorSubscription = createPeer().actor.subscribe(({ value }) => console.log(value));
 * subscription.unsubscribe();
 */
export interface ActorSubscription {
  /** Ends it. */
  unsubscribe(): void;
}

/**
 * Follows the snapshots of an actor.
 *
 * @example
 * const observer: ActorObserver = { next: ({ value }) => console.log(value), complete: () => console.log('over') };
 * createPeer().actor.subscribe(observer);
 */
export interface ActorObserver {
  /** Called with each new snapshot. */
  next?: (snapshot: any) => void;
  /** Called with what the actor died of. */
  error?: (error: any) => void;
  /** Called when the actor is done or stopped. */
  complete?: () => void;
}

/**
 * The state of a peer's actor.
 *
 * @example
 * const { value }: ActorSnapshot = createPeer().actor.getSnapshot();
 * console.log(value); // starting
 */
export interface ActorSnapshot {
  /** `active` while the actor runs. */
  readonly status: 'active' | 'done' | 'error' | 'stopped';
  /** `starting`, `online`, `draining`, `stopped` or `failed`. */
  readonly value: any;
  /** Its data. */
  readonly context: any;
  /** Its child actors, by their names. */
  readonly children: any;
  /** The result of an actor that is done. */
  readonly output: any;
  /** The error that it died of. */
  readonly error: unknown;
  /** Whether the actor is in this state. */
  matches(state: any): boolean;
}

/**
 * All actors of one peer.
 *
 * @example
 * const system: ActorSystem = createPeer().actor.system;
 * console.log(system.get('dispatcher').getSnapshot().context.running);
 */
export interface ActorSystem {
  /** The actor with this name: `discovery`, `dispatcher`, `caller`, `events` or `connection:<peer id>`. Undefined if there is none. */
  get(name: any): any;
  /** Every actor that has a name. */
  getAll(): any;
  /** Calls the inspector with every event and snapshot of every actor from now on. */
  inspect(inspector: any): ActorSubscription;
  /** @hidden Wanted by the types of XState. */
  readonly scheduler: any;
  /** @hidden Wanted by the types of XState. */
  readonly getSnapshot: any;
  /** @hidden Wanted by the types of XState. */
  readonly start: any;
  /** @hidden Wanted by the types of XState. */
  readonly _clock: any;
  /** @hidden Wanted by the types of XState. */
  readonly _logger: any;
}

/**
 * The XState actor of a peer. Functions of XState take it, too, such as `waitFor`.
 *
 * @example
 * const own = await createPeer().start();
 * const actor: PeerActor = own.actor;
 * console.log(actor.getSnapshot().value); // online
 * console.log(actor.system.get('discovery').getSnapshot().value); // settled
 */
export interface PeerActor {
  /** Its name. */
  readonly id: string;
  /** Its name in its system. */
  readonly sessionId: string;
  /** All actors of the peer. */
  readonly system: ActorSystem;
  /** Its logic. */
  readonly src: any;
  /** What it is doing now. */
  getSnapshot(): ActorSnapshot;
  /** The same as plain data. */
  getPersistedSnapshot(): any;
  /** Follows its snapshots. */
  subscribe(observer: ActorObserver): ActorSubscription;
  /** Calls back with each new snapshot. */
  subscribe(
    next: (snapshot: any) => void,
    error?: (error: any) => void,
    complete?: () => void,
  ): ActorSubscription;
  /** Calls back with each event that it emits. */
  on(type: any, handler: (emitted: any) => void): ActorSubscription;
  /** Follows a part of its snapshots. */
  select(selector: (snapshot: any) => any, equal?: (a: any, b: any) => boolean): any;
  /** For libraries of observables. */
  [Symbol.observable](): any;
  /** Sends it a message, as its own actors do. You should not need it. */
  send(message: any): void;
  /** Use `start()` of the peer. */
  start(): any;
  /** Use `stop()` of the peer. */
  stop(): any;
}

/**
 * An actor as an `InspectionEvent` names it.
 *
 * @example
 * const nameOf = ({ sessionId }: InspectedActor) => sessionId;
 */
export interface InspectedActor {
  /** Its name in its system. */
  readonly sessionId: string;
  /** What it is doing now. */
  getSnapshot(): any;
  /** Sends it a message. */
  send(message: any): void;
}

/**
 * An event that XState tells an inspector.
 *
 * @example
 * createPeer({
 *   inspect: (event: InspectionEvent) => {
 *     if (event.type === '@xstate.snapshot') console.log(event.actorRef.sessionId, event.snapshot.status);
 *   },
 * });
 */
export type InspectionEvent = {
  /** Names the tree of actors. */
  readonly rootId: string;
  /** The actor that the event is about; the recipient of a message. */
  readonly actorRef: InspectedActor;
} & (
  | { readonly type: '@xstate.actor' }
  | {
      readonly type: '@xstate.event';
      readonly event: { readonly type: string; readonly [key: string]: any };
      readonly sourceRef: InspectedActor | undefined;
    }
  | {
      readonly type: '@xstate.snapshot' | '@xstate.transition' | '@xstate.microstep';
      readonly event: { readonly type: string; readonly [key: string]: any };
      readonly snapshot: {
        readonly status: ActorSnapshot['status'];
        readonly output: unknown;
        readonly error: unknown;
      };
    }
  | { readonly type: '@xstate.action'; readonly action: { readonly type: string; readonly params: unknown } }
);

/**
 * Called with every event and snapshot of every actor. An inspector that is made for XState fits.
 *
 * @example
 * const inspect: Inspector = ({ type }) => console.log(type);
 * const watched = createPeer({ inspect });
 */
// A method's parameter may be narrower, so that functions that take XState's own type are accepted.
export type Inspector = {
  /** Called with everything that happens. */
  inspect(event: InspectionEvent): void;
}['inspect'];
