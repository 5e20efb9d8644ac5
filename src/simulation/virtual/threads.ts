import crypto from 'node:crypto';

import { places } from './place.ts';

/**
 * Computations that end on a thread of Node's pool, when that has time. A simulation waits for each of them, one at a time, so that they
 * end in the same order in each run.
 */

type Callback = (...results: unknown[]) => void;

const CALLBACKS = ['scrypt', 'pbkdf2', 'hkdf', 'generateKeyPair', 'generateKey'] as const;

const SUBTLE = [
  ...['encrypt', 'decrypt', 'sign', 'verify', 'digest', 'generateKey', 'deriveKey', 'deriveBits'],
  ...['importKey', 'exportKey', 'wrapKey', 'unwrapKey'],
] as const;

function withCallback(original: (...args: unknown[]) => unknown) {
  const waitedFor = function (this: unknown, ...args: unknown[]): unknown {
    const place = places.getStore();
    const done = args.at(-1);
    if (!place || typeof done !== 'function') return Reflect.apply(original, this, args);
    const work = (): Promise<unknown[]> =>
      new Promise((resolve) => {
        const settle: Callback = (...results) => resolve(results);
        Reflect.apply(original, this, [...args.slice(0, -1), settle]);
      });
    const tell = (...results: unknown[]): void => {
      place.after(0, () => {
        (done as Callback)(...results);
      });
    };
    place.waitFor(work).then((results) => tell(...results), tell);
    return undefined;
  };
  // `promisify` reads there what it has to return.
  return Object.defineProperties(waitedFor, Object.getOwnPropertyDescriptors(original));
}

function withPromise(original: (...args: unknown[]) => Promise<unknown>) {
  return function waitedFor(this: unknown, ...args: unknown[]): Promise<unknown> {
    const place = places.getStore();
    const begin = (): Promise<unknown> => Reflect.apply(original, this, args);
    return place ? place.waitFor(begin) : begin();
  };
}

type Functions = Record<string, (...args: unknown[]) => unknown>;

export const virtualComputations: Functions = Object.fromEntries(
  CALLBACKS.map((name) => [name, withCallback((crypto as unknown as Functions)[name]!)]),
);

export const subtlePrototype = Object.getPrototypeOf(crypto.webcrypto.subtle) as Functions;

export const virtualSubtle: Functions = Object.fromEntries(
  SUBTLE.map((name) => [name, withPromise(subtlePrototype[name] as () => Promise<unknown>)]),
);
