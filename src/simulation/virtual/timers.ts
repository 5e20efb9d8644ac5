import { promisify } from 'node:util';
import timersPromises from 'node:timers/promises';

import type { Entry } from '../timeline.ts';
import { places } from './place.ts';
import type { Place } from './place.ts';

/** Node's timers in virtual time. */

/** As in Node: a delay that is too long, or none, is 1 ms. */
const LONGEST = 2 ** 31 - 1;

type Callback = (...args: unknown[]) => void;

export const real = {
  setTimeout: globalThis.setTimeout,
  clearTimeout: globalThis.clearTimeout,
  setInterval: globalThis.setInterval,
  clearInterval: globalThis.clearInterval,
  setImmediate: globalThis.setImmediate,
  clearImmediate: globalThis.clearImmediate,
};

/** What `setTimeout` returns, with the methods of Node's own. Time has no process to keep alive, so `ref` does nothing. */
class VirtualTimer {
  readonly #place: Place;
  readonly #delay: number;
  readonly #repeats: boolean;
  readonly #run: () => void;
  #entry: Entry | undefined;
  #isRef = true;

  constructor(place: Place, delay: number, repeats: boolean, run: () => void) {
    this.#place = place;
    this.#delay = delay;
    this.#repeats = repeats;
    this.#run = run;
    this.#plan();
  }

  ref(): this {
    this.#isRef = true;
    return this;
  }

  unref(): this {
    this.#isRef = false;
    return this;
  }

  hasRef(): boolean {
    return this.#isRef;
  }

  refresh(): this {
    if (this.#entry) this.#place.cancel(this.#entry);
    this.#plan();
    return this;
  }

  close(): this {
    if (this.#entry) this.#place.cancel(this.#entry);
    this.#entry = undefined;
    return this;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #plan(): void {
    this.#entry = this.#place.after(this.#delay, () => {
      this.#entry = undefined;
      if (this.#repeats) this.#plan();
      this.#run();
    });
  }
}

function delayOf(milliseconds: unknown): number {
  const delay = Number(milliseconds);
  return delay >= 1 && delay <= LONGEST ? Math.trunc(delay) : 1;
}

function timer(repeats: boolean, otherwise: Callback) {
  return (callback: Callback, milliseconds?: number, ...args: unknown[]): unknown => {
    const place = places.getStore();
    if (!place) return Reflect.apply(otherwise, globalThis, [callback, milliseconds, ...args]);
    if (typeof callback !== 'function') throw new TypeError('The "callback" argument must be a function');
    return new VirtualTimer(place, delayOf(milliseconds), repeats, () => callback(...args));
  };
}

/** Each ends timers of both kinds: one that began outside of a story may be ended in it. */
function clear(otherwise: Callback) {
  return (handle: unknown): void => {
    if (handle instanceof VirtualTimer) handle.close();
    else otherwise(handle);
  };
}

function setImmediate(callback: Callback, ...args: unknown[]): unknown {
  const place = places.getStore();
  if (!place) return Reflect.apply(real.setImmediate, globalThis, [callback, ...args]);
  return new VirtualTimer(place, 0, false, () => callback(...args));
}

interface WaitOptions {
  signal?: AbortSignal;
}

/** As `setTimeout` of node:timers/promises. */
function wait<T>(milliseconds?: number, value?: T, options: WaitOptions = {}): Promise<T> {
  const place = places.getStore();
  if (!place) return realPromises.setTimeout<T>(milliseconds, value, options);
  return waitIn(place, delayOf(milliseconds), value as T, options.signal);
}

function waitForTurn<T>(value?: T, options: WaitOptions = {}): Promise<T> {
  const place = places.getStore();
  if (!place) return realPromises.setImmediate<T>(value, options);
  return waitIn(place, 0, value as T, options.signal);
}

function waitIn<T>(place: Place, delay: number, value: T, signal: AbortSignal | undefined): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      place.cancel(entry);
      const error = new Error('The operation was aborted', { cause: signal?.reason });
      reject(Object.assign(error, { name: 'AbortError', code: 'ABORT_ERR' }));
    };
    const entry = place.after(delay, () => {
      signal?.removeEventListener('abort', abort);
      resolve(value);
    });
    if (signal?.aborted) abort();
    else signal?.addEventListener('abort', abort, { once: true });
  });
}

async function* waits<T>(
  milliseconds?: number,
  value?: T,
  options: WaitOptions = {},
): AsyncGenerator<T, void> {
  for (;;) yield await wait(milliseconds, value, options);
}

const realPromises = { ...timersPromises };
const realInterval = realPromises.setInterval;
const realTimeoutSignal = AbortSignal.timeout.bind(AbortSignal);

function interval<T>(milliseconds?: number, value?: T, options: WaitOptions = {}): AsyncIterable<T> {
  return places.getStore()
    ? waits(milliseconds, value, options)
    : (realInterval(milliseconds, value, options) as AsyncIterable<T>);
}

/** A signal that aborts in virtual time. */
function timeoutSignal(milliseconds: number): AbortSignal {
  const place = places.getStore();
  if (!place) return realTimeoutSignal(milliseconds);
  const controller = new AbortController();
  place.after(milliseconds, () =>
    controller.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError')),
  );
  return controller.signal;
}

const custom = <F extends object>(run: F, promised: object): F =>
  Object.assign(run, { [promisify.custom]: promised });

export const virtualTimers = {
  setTimeout: custom(timer(false, real.setTimeout as Callback), wait),
  clearTimeout: clear(real.clearTimeout as Callback),
  setInterval: timer(true, real.setInterval as Callback),
  clearInterval: clear(real.clearInterval as Callback),
  setImmediate: custom(setImmediate, waitForTurn),
  clearImmediate: clear(real.clearImmediate as Callback),
};

export const virtualTimersPromises = { setTimeout: wait, setImmediate: waitForTurn, setInterval: interval };

export const virtualSignals = { timeout: timeoutSignal };
