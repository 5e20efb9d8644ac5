import { EventEmitter } from 'eventemitter3';

import type { AtLeast } from './at-least.ts';
import type { Evidence, LeaveReason } from '../../connection/link/evidence.ts';
import type { RemotePeer } from './remote-peer.ts';
import { evaluationUnderWay } from '../../base/reload/evaluation.ts';
import { refuseUnknown } from '../../base/option-checks.ts';
import { checkSelector, matcher, refuseSelector, tagIn } from './selector.ts';
import type { Selector } from './selector.ts';
import { whileHolding } from '../../base/process/process-hold.ts';
import { follow, until } from './view.ts';
import { orWhatIsMissing, whatIsMissing } from './missing.ts';
import type { Follower, PeerSource, PeersChange } from './view.ts';

/**
 * The events of a set of peers, with the listeners that they take.
 *
 * @example
 * const left: PeersEvents['leave'] = (peer, why) => console.log(`${peer.name} is gone: ${why}`);
 * peers.on('leave', left);
 */
export interface PeersEvents {
  /** A peer joined. */
  join: (peer: RemotePeer) => void;
  /** A peer left. `why` is the reason in a word, and `evidence` is what the local peer knew when it decided so. */
  leave: (peer: RemotePeer, why: LeaveReason, evidence: Evidence) => void;
}

/**
 * Options of `peers.ready`.
 *
 * @example
 * await peers.ready(resize, { min: 2, signal: AbortSignal.timeout(5_000) });
 */
export interface ReadyOptions {
  /** How many peers must be there. Default: 1. */
  min?: number | undefined;
  /** Ends the wait when it aborts: the promise rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

const READY: Record<keyof ReadyOptions, true> = { min: true, signal: true };

const EVENTS: Record<keyof PeersEvents, true> = { join: true, leave: true };

/**
 * A live set of other peers: the peers of your own group, or those that `of()` selects. A peer joins when it has proved that it
 * knows the secret, to this peer or to another one. It leaves when it stops or is lost. Each life of a peer has one join and one
 * leave. A connection to the peer is opened when you call it.
 *
 * @example
 * peers.on('join', (peer) => console.log(`${peer.name} is here`));
 * peers.on('leave', (peer, why) => console.log(`${peer.name} is gone: ${why}`));
 */
export class Peers implements Iterable<RemotePeer> {
  readonly #source: () => PeerSource;
  readonly #selector: Selector;
  readonly #emitter = new EventEmitter<PeersEvents>();
  /** Each removes what was kept of a listener, by event and listener. */
  readonly #forget = { join: new Map<unknown, () => void>(), leave: new Map<unknown, () => void>() };
  #detach: (() => void) | undefined;

  /** @internal Use `peers` or `of()`. @param source called at the first use, and not before */
  constructor(source: () => PeerSource, selector: Selector = {}) {
    this.#source = source;
    this.#selector = selector;
  }

  /** How many peers are there now. */
  get size(): number {
    const source = this.#source();
    const matches = matcher(this.#selector, source.group);
    let count = 0;
    for (const peer of source.each()) if (matches(peer)) count += 1;
    return count;
  }

  /** Returns the peers that are there now. */
  list(): RemotePeer[] {
    const source = this.#source();
    return source.current().filter(matcher(this.#selector, source.group));
  }

  /** Returns the peer with this id, or undefined if it is not there now. */
  get(id: string): RemotePeer | undefined {
    const source = this.#source();
    const peer = source.get(id);
    return peer && matcher(this.#selector, source.group)(peer) ? peer : undefined;
  }

  /** Iterates the peers that are there now. */
  [Symbol.iterator](): Iterator<RemotePeer> {
    return this.list()[Symbol.iterator]();
  }

  /**
   * Returns another live set. Its selector stands alone: it is not added to the selector of this set. With `has` or
   * `where` a peer also joins when it begins to fit, and leaves with `stopped` when it no longer fits.
   * @throws TypeError for an invalid selector
   *
   * @example
   * peers.of({ group: '*', hub: true }).on('join', (peer) => console.log(peer.name));
   */
  of(selector: Selector): Peers {
    checkSelector(selector);
    return peersOf(this.#source, { ...selector });
  }

  /**
   * Waits until the first search is over, and resolves with the peers that are there then.
   * @throws NetError STOPPED when the local peer stops; the error that kept the local peer from starting
   */
  async settled(): Promise<RemotePeer[]> {
    await whileHolding(this.#source().settled());
    return this.list();
  }

  /**
   * Yields a snapshot of the set, then every change, until the loop is left, the signal aborts or the local peer stops.
   * The process stays alive while the loop waits.
   * @param options `signal` ends the loop when it aborts
   * @throws any error of the selector's `where`
   *
   * @example
   * for await (const change of peers.watch({ signal: AbortSignal.timeout(60_000) })) console.log(change.type);
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
        // The selector's `where` may have thrown any value.
        // oxlint-disable-next-line only-throw-error
        if (failed && !signal?.aborted) throw failed.error;
        if (over) return;
        // The loop waits for a change, and keeps the process alive.
        await whileHolding(new Promise<void>((resolve) => (wake = resolve)));
      }
    } finally {
      signal?.removeEventListener('abort', end);
      unsubscribe();
    }
  }

  /**
   * Resolves with the peers you ask for, as soon as there are at least `min`. The process stays alive meanwhile.
   * @param which a connected function or its tag: peers of this set that have it. Or a selector, which stands alone as in
   * `of()`
   * @throws the signal's reason, and for `AbortSignal.timeout()` a TimeoutError that says what is missing; any error of the
   *   selector's `where`; NetError STOPPED when the local peer stops; TypeError for an invalid selector or wrong options
   *
   * @example
   * const [one, two] = await peers.ready(resize, { min: 2 });
   * await peers.ready({ group: 'gpu', has: resize });
   */
  ready<N extends number = 1>(
    which: string | { readonly tag: string } | Selector,
    options: ReadyOptions & { min?: N | undefined } = {},
  ): Promise<AtLeast<N>> {
    refuseSelector(options, (field) => `write ready({ ${field}, has: fn })`);
    refuseUnknown('option', options, READY);
    const { min = 1, signal } = options;
    const tag = isSelector(which) ? undefined : tagIn(which);
    const view = isSelector(which) ? this.of(which) : this;
    if (!Number.isSafeInteger(min) || min < 1) throw new TypeError('min: give a whole number, 1 or more');
    const wait = until(this.#source(), signal, () => {
      const found = view.list().filter((peer) => tag === undefined || peer.has(tag));
      return found.length >= min ? (found as AtLeast<N>) : undefined;
    });
    return signal
      ? orWhatIsMissing(wait, 'the peers', () => whatIsMissing(view.#source(), view.#selector, tag, min))
      : wait;
  }

  /**
   * Calls the listener at each join or leave from now on. Peers that are there already do not join again. A module that is
   * evaluated again (in Vite, for instance) replaces the listeners that it added at its top level.
   * @throws TypeError for an unknown event, or a listener that is not a function
   */
  on<Name extends keyof PeersEvents>(event: Name, listener: PeersEvents[Name]): this {
    this.#listen(event, listener);
    this.#emitter.on(event, listener as never);
    return this;
  }

  /**
   * Calls the listener at the next join or leave only.
   * @throws TypeError for an unknown event, or a listener that is not a function
   */
  once<Name extends keyof PeersEvents>(event: Name, listener: PeersEvents[Name]): this {
    this.#listen(event, listener);
    this.#emitter.once(event, listener as never);
    return this;
  }

  /** Removes a listener. */
  off<Name extends keyof PeersEvents>(event: Name, listener: PeersEvents[Name]): this {
    this.#emitter.off(event, listener as never);
    this.#forget[event]?.get(listener)?.();
    return this;
  }

  /** A module that is evaluated again replaces its listeners. */
  #listen<Name extends keyof PeersEvents>(event: Name, listener: PeersEvents[Name]): void {
    checkListener(event, listener);
    this.#attach();
    const evaluation = evaluationUnderWay();
    if (!evaluation) return;
    const forget = this.#forget[event];
    const end = (): void => {
      this.off(event, listener);
    };
    forget.get(listener)?.();
    const forgetIt = this.#source().ofModules.add(evaluation, event, end);
    forget.set(listener, () => {
      forget.delete(listener);
      forgetIt();
    });
  }

  /** Emits changes of the source as long as there is a listener. */
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
      // No caller waits for this, so it is an uncaught exception, like an error of a listener.
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

/** @throws TypeError for an unknown event, or a listener that is not a function */
function checkListener(event: string, listener: unknown): void {
  refuseUnknown('event', { [event]: listener }, EVENTS);
  if (typeof listener !== 'function') throw new TypeError(`${event}: give a function`);
}

/** A selector has no `tag`. A connected function, or one from `remote()`, has one. */
function isSelector(which: string | { readonly tag: string } | Selector): which is Selector {
  return typeof which === 'object' && which !== null && !('tag' in which);
}

/** Not in the class: a bundler renames a class that refers to itself, and people see that name. */
function peersOf(source: () => PeerSource, selector: Selector): Peers {
  return new Peers(source, selector);
}
