import { refuseUnknown } from '../base/option-checks.ts';
import { isPromise, whenSettled } from '../base/value-shape.ts';
import type { CallMeta } from '../wire/beside.ts';
import { isString } from '../wire/shapes.ts';
import type { PagePeer } from './page-types.ts';

/**
 * Events of the server that the page did not receive.
 *
 * @example
 * net.event('job.done').subscribe(() => {}, {
 *   onGap: ({ missed, why }: PageGap) => console.log(`missed ${missed ?? 'some'}: ${why}`),
 * });
 */
export interface PageGap {
  /** How many events were missed; undefined when the number cannot be known. */
  readonly missed: number | undefined;
  /**
   * `slow`: events came faster than the page took them. `disconnected`: the connection was lost for a while. `restarted`: the
   * server is a new process.
   */
  readonly why: 'slow' | 'disconnected' | 'restarted';
}

/**
 * One event as a listener of a page receives it.
 *
 * @example
 * net.event('*').subscribe((_, { name, sequence }: PageReceived<unknown>) => console.log(name, sequence));
 */
export interface PageReceived<T> {
  /** The name of the event. A subscription to `'*'` tells events apart by it. */
  readonly name: string;
  /** The value that was emitted. */
  readonly payload: T;
  /** The peer that emitted it: the server. */
  readonly peer: PagePeer;
  /** One more than that of the event of this name before it. The first one may have any number. */
  readonly sequence: number;
  /** Says that events may have been missed right before this one; undefined when none were. */
  readonly gap: PageGap | undefined;
  /** The small object that the event was emitted with; `{}` when it had none. */
  readonly meta: CallMeta;
}

/**
 * Options of `subscribe` of a page.
 *
 * @example
 * net.event('job.done').subscribe(console.log, { signal: AbortSignal.timeout(60_000) });
 */
export interface PageSubscribeOptions {
  /** Ends the subscription when it aborts. */
  signal?: AbortSignal | undefined;
  /** Called as soon as it is known that events were missed. */
  onGap?: ((gap: PageGap) => void) | undefined;
  /** Called with an error of the listener. Default: the error is an uncaught one, as with any listener in a page. */
  onError?: ((error: unknown) => void) | undefined;
}

/** Characters of the name of an event. */
const LONGEST_NAME = 256;

const SUBSCRIBE_OPTIONS = { signal: true, onGap: true, onError: true } as const satisfies Record<
  keyof PageSubscribeOptions,
  true
>;

/** A listener, as the subscriptions of a page keep it. */
export interface PageListener {
  take(received: PageReceived<unknown>): void;
  missed(gap: PageGap): void;
}

/** What the events of a page are made of. */
export interface PageHub {
  /** @returns whether the server is subscribed @throws NetError; TypeError */
  emit(name: string, payload: unknown, meta: CallMeta | undefined): boolean;
  /** @returns a function that ends it */
  listen(name: string, listener: PageListener): () => void;
}

/**
 * A named event. A page emits it to the server, and hears it from the server, as far as the pass allows.
 *
 * @example
 * const done = net.event<{ id: string }>('job.done');
 * done.subscribe(({ id }) => console.log(`${id} is done`));
 */
export class PageEvent<T> {
  /** The name of the event, 1 to 256 characters. */
  readonly name: string;
  readonly #hub: PageHub;

  /** @internal Use `net.event()`. */
  constructor(name: string, hub: PageHub) {
    if (!isString(name, LONGEST_NAME) || name === '') {
      throw new TypeError(`name must be a string of 1 to ${LONGEST_NAME} characters`);
    }
    this.name = name;
    this.#hub = hub;
  }

  /**
   * Sends the event to the server if it is subscribed, and returns whether it is. It never waits. While there is no connection, or
   * the network is slow, events are dropped, and the server sees a gap.
   * @throws NetError NOT_SERIALIZABLE or TOO_LARGE; TypeError for the name `*` or wrong options
   *
   * @example
   * net.event<string>('page.typing').emit('ada');
   */
  emit(payload: T, options: { meta?: CallMeta | undefined } = {}): boolean {
    if (this.name === '*') throw new TypeError("'*' stands for every event; emit one by its name");
    refuseUnknown('option', options, { meta: true });
    return this.#hub.emit(this.name, payload, options.meta);
  }

  /**
   * Calls the listener with every event of the server, from now on, also after the connection was lost and is back, until you call
   * the function that it returns.
   * @throws TypeError for a listener that is not a function, and for wrong options
   *
   * @example
   * const off = net.event<string>('news').subscribe((text) => console.log(text));
   * off();
   */
  subscribe(
    listener: (payload: T, received: PageReceived<T>) => unknown,
    options: PageSubscribeOptions = {},
  ): () => void {
    refuseUnknown('option', options, SUBSCRIBE_OPTIONS);
    if (typeof listener !== 'function') throw new TypeError('listener must be a function');
    const { signal, onGap, onError = throwLater } = options;
    if (signal?.aborted) return () => {};
    const guarded = (run: () => unknown): void => {
      try {
        const result = run();
        if (isPromise(result)) whenSettled(result, () => {}, onError);
      } catch (error) {
        onError(error);
      }
    };
    const end = this.#hub.listen(this.name, {
      take: (received) => guarded(() => listener(received.payload as T, received as PageReceived<T>)),
      missed: (gap) => guarded(() => onGap?.(gap)),
    });
    signal?.addEventListener('abort', end, { once: true });
    return () => {
      signal?.removeEventListener('abort', end);
      end();
    };
  }
}

/** Throws an error of the user's code later, as an uncaught error: it must not stop what calls the user's code. */
export function throwLater(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
