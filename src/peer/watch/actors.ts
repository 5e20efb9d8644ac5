import type { WatchedActor, WatchedHappening } from '../../presence/set/peer-watch.ts';
import type { ActorSnapshot, ActorSubscription, InspectionEvent, PeerActor } from '../actor-types.ts';

const MOST_ACTORS = 500;
const MOST_TRANSITIONS = 50;

interface TreeActor {
  getSnapshot(): ActorSnapshot;
}

/** Reads the tree of a peer's actors and their states, never their data. */
export class WatchedActors {
  readonly #root: PeerActor;
  readonly #now: () => number;
  readonly #inspection: ActorSubscription;
  readonly #states = new Map<string, string>();
  #transitions: WatchedHappening[] = [];
  #told = '';

  constructor(root: PeerActor, now: () => number) {
    this.#root = root;
    this.#now = now;
    this.#inspection = root.system.inspect((event: InspectionEvent) => this.#inspect(event));
  }

  /** The tree; undefined if it is as it was the last time. */
  read(isFirst: boolean): WatchedActor[] | undefined {
    const actors: WatchedActor[] = [];
    add(actors, 'peer', this.#root, 0);
    const text = JSON.stringify(actors);
    if (!isFirst && text === this.#told) return undefined;
    this.#told = text;
    return actors;
  }

  /** What has changed since the last time. */
  take(): WatchedHappening[] {
    const transitions = this.#transitions;
    this.#transitions = [];
    return transitions;
  }

  stop(): void {
    this.#inspection.unsubscribe();
  }

  #inspect(event: InspectionEvent): void {
    if (event.type !== '@xstate.snapshot') return;
    const state = stateOf(event.snapshot as ActorSnapshot);
    if (state === undefined) return;
    const { sessionId, id } = event.actorRef as { sessionId: string; id?: string };
    const before = this.#states.get(sessionId);
    if (before === state) return;
    this.#states.set(sessionId, state);
    if (this.#states.size > MOST_ACTORS) this.#states.delete(this.#states.keys().next().value!);
    if (this.#transitions.length >= MOST_TRANSITIONS) return;
    const actor = nameOf(id ?? sessionId, event.snapshot as ActorSnapshot);
    this.#transitions.push({ type: 'transition', at: this.#now(), actor, event: event.event.type, state });
  }
}

function add(actors: WatchedActor[], name: string, actor: TreeActor, depth: number): void {
  if (actors.length >= MOST_ACTORS) return;
  const snapshot = actor.getSnapshot();
  actors.push({ name: nameOf(name, snapshot), depth, state: stateOf(snapshot) ?? snapshot.status });
  const children = (snapshot.children ?? {}) as Record<string, TreeActor | undefined>;
  for (const [each, child] of Object.entries(children)) if (child) add(actors, each, child, depth + 1);
}

/** The state of a machine; undefined for other actors. */
function stateOf({ value }: ActorSnapshot): string | undefined {
  if (value === undefined) return undefined;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** A connection is named for the peer that it leads to, as `system.get` knows it. */
function nameOf(name: string, { context }: ActorSnapshot): string {
  return name.startsWith('connection:') ? `connection:${(context as { id: string }).id}` : name;
}
