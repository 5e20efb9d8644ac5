import { EventEmitter } from 'eventemitter3';

import type { Evidence, LeaveReason } from '../connection/evidence.ts';
import type { RemotePeer } from './remote-peer.ts';
import { refuseUnknown } from '../base/option-checks.ts';
import { checkSelector, matcher, refuseSelector, tagIn } from './selector.ts';
import type { Selector } from './selector.ts';
import { whileHolding } from '../base/process-hold.ts';
import { follow, until } from './view.ts';
import type { Follower, PeerSource, SourceChange } from './view.ts';

export interface PeersEvents {
  join: (peer: RemotePeer) => void;
  /** `evidence`: why it was held for gone. */
  leave: (peer: RemotePeer, why: LeaveReason, evidence: Evidence) => void;
}

/** What `watch()` gives: first a snapshot, then each change. */
export type PeersChange = { type: 'snapshot'; peers: RemotePeer[] } | SourceChange;

export interface ReadyOptions {
  /** How many peers it takes. Default: 1. */
  min?: number | undefined;
  /** Ends the wait: it rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

const READY: Record<keyof ReadyOptions, true> = { min: true, signal: true };

const EVENTS: Record<keyof PeersEvents, true> = { join: true, leave: true };

/**
 * The live set of peers: those of the own group, or those that `of()` selects. Peers join once they have proved
 * themselves, and leave at once when they stop or their connection breaks; one join and one leave a life.
 *
 * @example
 * peers.on('join', (peer) => console.log(`${peer.name} is here`));
 * peers.on('leave', (peer, why) => console.log(`${peer.name} is gone: ${why}`));
 */
export class Peers implements Iterable<RemotePeer> {
  readonly #source: () => PeerSource;
  readonly #selector: Selector;
  readonly #emitter = new EventEmitter<PeersEvents>();
  #detach: (() => void) | undefined;

  /** @param source called at the first use, and not before */
  constructor(source: () => PeerSource, selector: Selector = {}) {
    this.#source = source;
    this.#selector = selector;
  }

  /** How many there are, now. */
  get size(): number {
    return this.list().length;
  }

  /** Those that are there now. */
  list(): RemotePeer[] {
    const source = this.#source();
    return source.current().filter(matcher(this.#selector, source.group));
  }

  /** The peer with this id, if it is there now. */
  get(id: string): RemotePeer | undefined {
    return this.list().find((peer) => peer.id === id);
  }

  [Symbol.iterator](): Iterator<RemotePeer> {
    return this.list()[Symbol.iterator]();
  }

  /**
   * Another live view; its selector stands alone and is not added to this one's.
   * @throws TypeError for what is no selector
   */
  of(selector: Selector): Peers {
    checkSelector(selector);
    return peersOf(this.#source, { ...selector });
  }

  /** Those that are there once the first search is over. */
  async settled(): Promise<RemotePeer[]> {
    await whileHolding(this.#source().settled());
    return this.list();
  }

  /**
   * A snapshot of the set, then every change, until the loop is left, the signal aborts or the local peer stops.
   * The process is kept alive while the loop waits.
   */
  async *watch({ signal }: { signal?: AbortSignal | undefined } = {}): AsyncGenerator<
    PeersChange,
    void,
    void
  > {
    const changes: PeersChange[] = [{ type: 'snapshot', peers: this.list() }];
    let wake: () => void = () => {};
    let over = false;
    let failed: { error: unknown } | undefined;
    const end = (): void => {
      over = true;
      wake();
    };
    const unsubscribe = this.#follow({
      changed: (change) => {
        changes.push(change);
        wake();
      },
      failed: (error) => {
        failed ??= { error };
        end();
      },
      ended: end,
    });
    signal?.addEventListener('abort', end, { once: true });
    if (signal?.aborted) over = true;
    try {
      for (;;) {
        while (changes.length > 0 && !signal?.aborted) yield changes.shift()!;
        // What the selector's `where` threw, and it may throw anything.
        // oxlint-disable-next-line only-throw-error
        if (failed && !signal?.aborted) throw failed.error;
        if (over) return;
        // The wait is what the loop is for.
        await whileHolding(new Promise<void>((resolve) => (wake = resolve)));
      }
    } finally {
      signal?.removeEventListener('abort', end);
      unsubscribe();
    }
  }

  /**
   * Resolves with the peers that are meant, as soon as there are enough of them. The process is kept alive meanwhile.
   * @param which a connected function or its tag: those of this view that have it. Or a selector, which stands alone
   * as in `of()`
   * @throws the signal's reason; what the selector's `where` throws; NetError STOPPED when the local peer stops
   *
   * @example
   * const [one, two] = await peers.ready(resize, { min: 2 });
   * await peers.ready({ group: 'gpu', has: resize });
   */
  ready(
    which: string | { readonly tag: string } | Selector,
    options: ReadyOptions = {},
  ): Promise<RemotePeer[]> {
    refuseSelector(options, (field) => `ready({ ${field}, has: fn })`);
    refuseUnknown('option', options, READY);
    const { min = 1, signal } = options;
    const tag = isSelector(which) ? undefined : tagIn(which);
    const view = isSelector(which) ? this.of(which) : this;
    if (!Number.isSafeInteger(min) || min < 1) throw new TypeError('min: give a whole number, 1 or more');
    return until(this.#source(), signal, () => {
      const found = view.list().filter((peer) => tag === undefined || peer.has(tag));
      return found.length >= min ? found : undefined;
    });
  }

  /** Calls the listener at each join, or each leave, from now on. Those that are there already do not join again. */
  on<Name extends keyof PeersEvents>(event: Name, listener: PeersEvents[Name]): this {
    checkListener(event, listener);
    this.#attach();
    this.#emitter.on(event, listener as never);
    return this;
  }

  once<Name extends keyof PeersEvents>(event: Name, listener: PeersEvents[Name]): this {
    checkListener(event, listener);
    this.#attach();
    this.#emitter.once(event, listener as never);
    return this;
  }

  off<Name extends keyof PeersEvents>(event: Name, listener: PeersEvents[Name]): this {
    this.#emitter.off(event, listener as never);
    return this;
  }

  /** Emits from the source as long as somebody listens. */
  #attach(): void {
    this.#detach ??= this.#follow({
      changed: (change) => {
        if (this.#emitter.eventNames().length === 0) {
          this.#detach?.();
          this.#detach = undefined;
        } else if (change.type === 'join') {
          this.#emitter.emit('join', change.peer);
        } else if (change.type === 'leave') {
          this.#emitter.emit('leave', change.peer, change.why, change.evidence);
        }
      },
      // Nobody waits for it: like what a listener throws.
      failed: (error) => {
        throw error;
      },
      ended: () => {},
    });
  }

  #follow(follower: Follower): () => void {
    const view = follow(this.#source(), this.#selector, follower);
    return () => view.stop();
  }
}

/** @throws TypeError for an event that never happens, or what is no function */
function checkListener(event: string, listener: unknown): void {
  refuseUnknown('event', { [event]: listener }, EVENTS);
  if (typeof listener !== 'function') throw new TypeError(`${event}: give a function`);
}

/** A selector has no `tag`; a connected function, or what `remote()` gives, has. */
function isSelector(which: string | { readonly tag: string } | Selector): which is Selector {
  return typeof which === 'object' && which !== null && !('tag' in which);
}

/** Not in the class: a bundler renames a class that names itself, and people see its name. */
function peersOf(source: () => PeerSource, selector: Selector): Peers {
  return new Peers(source, selector);
}
