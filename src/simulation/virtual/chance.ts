import crypto from 'node:crypto';

import type { Random } from '../random.ts';
import { places } from './place.ts';

/** Node's sources of chance, from the seed. What they return must never protect anything. */

const realRandom = Math.random;

export const virtualMath = { random: (): number => places.getStore()?.random() ?? realRandom() };

const real = {
  randomBytes: crypto.randomBytes,
  randomInt: crypto.randomInt,
  randomUUID: crypto.randomUUID,
  randomFillSync: crypto.randomFillSync,
  randomFill: crypto.randomFill,
  getRandomValues: (...args: [Uint8Array]) => crypto.webcrypto.getRandomValues(...args),
};

export function fill(random: Random, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = Math.floor(random() * 256);
}

type Done = (error: Error | null, value: unknown) => void;

function bytesOf(view: ArrayBufferView | ArrayBuffer, offset = 0, size?: number): Uint8Array {
  const whole = ArrayBuffer.isView(view)
    ? new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
    : new Uint8Array(view);
  return whole.subarray(offset, size === undefined ? undefined : offset + size);
}

/** Takes the place of a function while a story runs: `inside` gets the chance of the place. */
function instead(name: keyof typeof real, inside: (random: Random, args: any[]) => unknown) {
  return function chance(this: unknown, ...args: unknown[]): unknown {
    const place = places.getStore();
    return place ? inside(place.random, args) : Reflect.apply(real[name], this, args);
  };
}

/** Calls back in the next turn, as the real one does. */
function later(done: Done, value: unknown): void {
  places.getStore()!.after(0, () => done(null, value));
}

function randomBytes(random: Random, [size, done]: any[]): unknown {
  const bytes = Buffer.alloc(size as number);
  fill(random, bytes);
  return done ? later(done as Done, bytes) : bytes;
}

function randomInt(random: Random, args: any[]): unknown {
  const done = typeof args.at(-1) === 'function' ? (args.at(-1) as Done) : undefined;
  const numbers = args.filter((each): each is number => typeof each === 'number');
  const [least, most] = numbers.length > 1 ? [numbers[0]!, numbers[1]!] : [0, numbers[0]!];
  const value = least + Math.floor(random() * (most - least));
  return done ? later(done, value) : value;
}

function randomUUID(random: Random): string {
  const bytes = Buffer.alloc(16);
  fill(random, bytes);
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

function randomFillSync(random: Random, [view, offset, size]: any[]): unknown {
  fill(random, bytesOf(view, offset, size));
  return view;
}

function randomFill(random: Random, args: any[]): void {
  const done = args.at(-1) as Done;
  later(done, randomFillSync(random, args.slice(0, -1)));
}

export const virtualCrypto = {
  randomBytes: instead('randomBytes', randomBytes),
  randomInt: instead('randomInt', randomInt),
  randomUUID: instead('randomUUID', randomUUID),
  randomFillSync: instead('randomFillSync', randomFillSync),
  randomFill: instead('randomFill', randomFill),
};

/** The methods of `globalThis.crypto`. `getRandomValues` of node:crypto is a getter that reads it there. */
export const virtualWebCrypto = {
  randomUUID: virtualCrypto.randomUUID,
  getRandomValues: instead('getRandomValues', randomFillSync),
};
