import { peerLine, printable } from './wire/failure.ts';
import type { Balance } from './balance.ts';
import type { Clock } from './clock.ts';
import { NetError } from './errors.ts';
import { near } from './near.ts';
import type { PeerSource } from './view.ts';
import { whileHolding } from './process-hold.ts';
import type { RemotePeer } from './remote-peer.ts';
import { matcher } from './selector.ts';
import type { Selector } from './selector.ts';
import { nameIn, readableTag } from './tag.ts';
import { whenAborted } from './when-aborted.ts';

/** The local peer, as far as a call needs it that may go to any of several others. */
export interface Pool {
  readonly source: PeerSource;
  readonly balance: Balance;
  readonly clock: Clock;
  readonly random: () => number;
  /** How long a call may take when it does not say, in ms. */
  readonly deadline: number;
}

/** The peers that a function may be called on: those that are meant and have it. Others only, never this process. */
export class Candidates {
  readonly tag: string;
  readonly pool: Pool;
  #searched = false;
  readonly #matches: (peer: RemotePeer) => boolean;

  /** @throws TypeError for what is no selector */
  constructor(pool: Pool, tag: string, selector: Selector) {
    this.pool = pool;
    this.tag = tag;
    this.#matches = matcher(selector, pool.source.group);
  }

  /** Those that are there now. @throws what the selector's `where` throws */
  list(): RemotePeer[] {
    return this.pool.source.current().filter((peer) => peer.has(this.tag) && this.#matches(peer));
  }

  /** The first search is over: who is not there now may never be. */
  get searched(): boolean {
    return this.#searched || this.pool.source.searched;
  }

  /**
   * Waits for so many ms, or until the set of peers changes or its first search is over. The process is kept alive
   * meanwhile.
   * @throws the signal's reason; NetError STOPPED when the local peer stops
   */
  change(within: number, signal: AbortSignal | undefined): Promise<void> {
    return this.#wait(within, signal, true);
  }

  /** Waits for so many ms, likewise. */
  pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
    return this.#wait(milliseconds, signal, false);
  }

  #wait(milliseconds: number, signal: AbortSignal | undefined, changes: boolean): Promise<void> {
    const { source, clock } = this.pool;
    const wait = new Promise<void>((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason as Error);
        return;
      }
      const done = (settle: () => void): void => {
        clock.clearTimeout(timer);
        unsubscribe();
        unwatch?.();
        settle();
      };
      const end = (): void => done(resolve);
      const timer: unknown =
        milliseconds < Infinity ? clock.setTimeout(end, Math.ceil(milliseconds)) : undefined;
      const unsubscribe = source.subscribe(changes ? end : () => {}, (error) => done(() => reject(error)));
      const unwatch = signal && whenAborted(signal, (reason) => done(() => reject(reason)));
      // Also starts the local peer, if it is not; that it cannot start is told through `subscribe`.
      const searched = (): void => {
        this.#searched = true;
        end();
      };
      if (changes && !this.searched) source.settled().then(searched, () => {});
    });
    return whileHolding(wait);
  }

  /** Why there is nobody to call, and what is near. */
  nobody(): Error {
    const { source } = this.pool;
    if (source.ended) return source.ended;
    const there = source.current();
    const meant = there.filter(this.#matches);
    const elsewhere = there.find((peer) => peer.has(this.tag));
    const tags = [...new Set(meant.flatMap((peer) => peer.functions))];
    const alike = near(this.tag, tags, nameIn).map((tag) => readableTag(tag));
    const what = `a function ${JSON.stringify(readableTag(this.tag))}`;
    const text = [
      meant.length === 0
        ? `no peer is there that could have ${what}`
        : `none of ${meant.length} peers has ${what}`,
      ...(alike.length > 0 ? [`there is ${alike.join(', ')}`] : []),
      ...(elsewhere
        ? [`${peerLine(elsewhere)}, group ${JSON.stringify(elsewhere.group)}, has it and is not selected`]
        : []),
    ].join('; ');
    return new NetError('NO_SUCH_TAG', printable(text), { tag: this.tag });
  }
}
