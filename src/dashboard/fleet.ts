import { AsyncResource } from 'node:async_hooks';

import type { Peer, PeersChange, PeerWatch, RemotePeer, Selector } from '../index.ts';
import { unawaited } from '../base/unforeseen.ts';
import { FleetHappenings } from './happenings.ts';
import type { FleetMessage, FleetPeer } from './messages.ts';
import { FunctionSums, LinkSums, callsOf, eventsOf, shapeOf } from './sums.ts';
import { WatchedPeer } from './watched-peer.ts';

/** Time between two messages to a page, in ms. */
const TICK = 250;

/** What changes slowly is told with each of so many messages. */
const SLOWLY = 4;

/** A page that falls further behind gets a snapshot instead. */
const MOST_UNREAD = 20;

/** How long the peers are still watched after the last page has gone, in ms: it may be loaded again. */
const LINGER = 2_000;

interface Reader {
  unread: FleetMessage[];
  isBehind: boolean;
  wake: () => void;
}

/** Watches all peers while a page wants to know of them. */
export class Fleet {
  readonly #own: Peer;
  readonly #selector: Selector;
  readonly #readers = new Set<Reader>();
  #watching: Watching | undefined;
  #lingering: NodeJS.Timeout | undefined;

  /** Not within the call of the page that happens to be the first: its calls would end with that one. */
  readonly #begin: () => Watching;

  constructor(own: Peer, selector: Selector) {
    this.#own = own;
    this.#selector = selector;
    this.#begin = AsyncResource.bind(() => new Watching(own, selector, (delta) => this.#tell(delta)));
  }

  /** The peer with this id, if it is shown. */
  find(id: string): RemotePeer | undefined {
    return this.#own.peers
      .of(this.#selector)
      .list()
      .find((peer) => peer.id === id);
  }

  async *read(): AsyncGenerator<FleetMessage, void, void> {
    const reader: Reader = { unread: [], isBehind: true, wake: () => {} };
    this.#readers.add(reader);
    clearTimeout(this.#lingering);
    this.#watching ??= this.#begin();
    const watching = this.#watching;
    try {
      while (!watching.isOver) {
        const message = reader.isBehind ? watching.snapshot() : reader.unread.shift();
        if (reader.isBehind) reader.unread = [];
        reader.isBehind = false;
        if (message) yield message;
        else await new Promise<void>((resolve) => (reader.wake = resolve));
      }
    } finally {
      this.#readers.delete(reader);
      if (this.#readers.size === 0) this.#lingering = setTimeout(() => this.#rest(), LINGER).unref();
    }
  }

  stop(): void {
    clearTimeout(this.#lingering);
    this.#rest();
    for (const { wake } of this.#readers) wake();
  }

  #tell(delta: FleetMessage): void {
    for (const reader of this.#readers) {
      reader.unread.push(delta);
      if (reader.unread.length > MOST_UNREAD) reader.isBehind = true;
      reader.wake();
    }
  }

  #rest(): void {
    this.#watching?.stop();
    this.#watching = undefined;
  }
}

class Watching {
  isOver = false;
  readonly #peers = new Map<RemotePeer, WatchedPeer>();
  readonly #rows = new Map<string, string>();
  readonly #functions = new FunctionSums();
  readonly #links = new LinkSums();
  readonly #happenings = new FleetHappenings();
  readonly #abort = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #ticks = 0;
  #ticked = performance.now();
  /** The states of the connections that each peer has told last. */
  readonly #shapes = new WeakMap<RemotePeer, string>();
  #isReshaped = true;
  #known: Pick<FleetMessage, 'links' | 'events' | 'queues'> = {};

  constructor(own: Peer, selector: Selector, tell: (delta: FleetMessage) => void) {
    this.#timer = setInterval(() => tell(this.#delta()), TICK);
    unawaited('in the dashboard', this.#follow(own, selector));
  }

  stop(): void {
    this.isOver = true;
    clearInterval(this.#timer);
    this.#abort.abort();
    for (const peer of this.#peers.values()) peer.stop();
  }

  snapshot(): FleetMessage {
    const peers = this.#list().map((peer) => peer.row(this.#ticked));
    return {
      ...{ type: 'snapshot', at: Date.now(), peers, gone: [], functions: [] },
      ...{ calls: this.#calls(), happened: this.#happenings.list(), ...this.#known },
    };
  }

  #list(): WatchedPeer[] {
    return [...this.#peers.values()];
  }

  #calls(): FleetMessage['calls'] {
    return callsOf(this.#list().filter((peer) => peer.isLive(this.#ticked)));
  }

  #delta(): FleetMessage {
    const now = performance.now();
    const isSlow = this.#ticks % SLOWLY === 0;
    this.#ticks += 1;
    const list = this.#list();
    const message: FleetMessage = {
      ...{ type: 'delta', at: Date.now(), ...this.#changedRows(list), functions: this.#functions.take() },
      ...{ calls: this.#calls(), happened: this.#happenings.take() },
    };
    this.#ticked = now;
    if (isSlow || this.#isReshaped) {
      this.#isReshaped = false;
      const links = this.#links.read(list, now);
      this.#known.links = links;
      message.links = links;
    }
    if (isSlow) {
      const events = eventsOf(list);
      Object.assign(this.#known, events);
      Object.assign(message, events);
    }
    return message;
  }

  /** By the time of the tick before: if this process is late, messages may wait in its sockets. */
  #changedRows(list: readonly WatchedPeer[]): Pick<FleetMessage, 'peers' | 'gone'> {
    const peers: FleetPeer[] = [];
    const gone = new Set(this.#rows.keys());
    for (const peer of list) {
      const row = peer.row(this.#ticked);
      gone.delete(row.id);
      const text = JSON.stringify(row);
      if (this.#rows.get(row.id) === text) continue;
      this.#rows.set(row.id, text);
      peers.push(row);
    }
    for (const id of gone) this.#rows.delete(id);
    return { peers, gone: [...gone] };
  }

  async #follow(own: Peer, selector: Selector): Promise<void> {
    const { signal } = this.#abort;
    try {
      for await (const change of own.peers.of(selector).watch({ signal })) this.#changed(change);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  #changed(change: PeersChange): void {
    if (change.type === 'snapshot') {
      for (const peer of change.peers) this.#watch(peer);
    } else if (change.type === 'join') {
      this.#happenings.joined(change.peer);
      this.#watch(change.peer);
    } else if (change.type === 'leave') {
      this.#happenings.left(change.peer, change.why, change.evidence.text);
      this.#peers.get(change.peer)?.stop();
      this.#peers.delete(change.peer);
      this.#isReshaped = true;
    }
  }

  #watch(remote: RemotePeer): void {
    const peer = new WatchedPeer(remote, (message) => this.#take(remote, message));
    this.#peers.set(remote, peer);
    unawaited('in the dashboard', peer.follow());
  }

  #take(remote: RemotePeer, { functions, happened, links }: PeerWatch): void {
    this.#functions.add(functions);
    const shape = links && shapeOf(links);
    if (shape !== undefined && shape !== this.#shapes.get(remote)) {
      this.#shapes.set(remote, shape);
      this.#isReshaped = true;
    }
    for (const each of happened) {
      if (each.type === 'gap') this.#happenings.missed(each, each.event, each.missed, remote.name);
      else if (each.type !== 'transition') this.#happenings.witnessed(each);
    }
  }
}
