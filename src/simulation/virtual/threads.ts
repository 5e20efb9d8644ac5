import crypto from 'node:crypto';
import zlib from 'node:zlib';

import { places } from './place.ts';

/**
 * Computations that end on a thread of Node's pool, when that has time. A simulation waits for each of them, one at a time, so that they
 * end in the same order in each run.
 */

type Callback = (...results: unknown[]) => void;

const CALLBACKS = [
  ...['scrypt', 'pbkdf2', 'hkdf', 'argon2', 'generateKeyPair', 'generateKey', 'generatePrime', 'checkPrime'],
  ...['sign', 'verify', 'diffieHellman', 'encapsulate', 'decapsulate'],
] as const;

const COMPRESSION = [
  ...['deflate', 'deflateRaw', 'gzip', 'inflate', 'inflateRaw', 'gunzip', 'unzip'],
  ...['brotliCompress', 'brotliDecompress', 'zstdCompress', 'zstdDecompress'],
] as const;

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

/** Waits for those of the functions that this version of Node has. */
function inTurn(module: object, names: readonly string[]): Functions {
  const functions = module as Functions;
  const there = names.filter((name) => typeof functions[name] === 'function');
  return Object.fromEntries(there.map((name) => [name, withCallback(functions[name]!)]));
}

export const virtualComputations = inTurn(crypto, CALLBACKS);
export const virtualCompression = inTurn(zlib, COMPRESSION);

export const subtlePrototype = Object.getPrototypeOf(crypto.webcrypto.subtle) as Functions;

export const virtualSubtle: Functions = Object.fromEntries(
  SUBTLE.map((name) => [name, withPromise(subtlePrototype[name] as () => Promise<unknown>)]),
);
