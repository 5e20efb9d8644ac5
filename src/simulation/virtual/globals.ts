import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import timers from 'node:timers';
import timersPromises from 'node:timers/promises';
import zlib from 'node:zlib';

import { virtualCrypto, virtualMath, virtualWebCrypto } from './chance.ts';
import { VirtualDate } from './date.ts';
import { places } from './place.ts';
import type { Place } from './place.ts';
import { subtlePrototype, virtualCompression, virtualComputations, virtualSubtle } from './threads.ts';
import { virtualSignals, virtualTimers, virtualTimersPromises } from './timers.ts';

const RealDate = globalThis.Date;
const realNow = performance.now.bind(performance);
const realHrtime = process.hrtime.bind(process);
const realBigint = process.hrtime.bigint.bind(process.hrtime);
const realUptime = process.uptime.bind(process);

function hrtime(before?: [number, number]): [number, number] {
  const place = places.getStore();
  if (!place) return realHrtime(before);
  const [seconds, nanoseconds] = before ?? [0, 0];
  const passed = nanosecondsOf(place) - (BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds));
  return [Number(passed / 1_000_000_000n), Number(passed % 1_000_000_000n)];
}

function bigint(): bigint {
  const place = places.getStore();
  return place ? nanosecondsOf(place) : realBigint();
}

function nanosecondsOf(place: Place): bigint {
  return BigInt(Math.round(place.now() * 1_000_000));
}

function uptime(): number {
  const place = places.getStore();
  return place ? place.now() / 1_000 : realUptime();
}

type Patches = readonly (readonly [object, object])[];

/** What a story gets in the place of the real thing. Code that runs outside of the story goes on with the real ones. */
const PATCHES: Patches = [
  [globalThis, { ...virtualTimers, Date: VirtualDate }],
  [RealDate.prototype, { constructor: VirtualDate }],
  [Math, virtualMath],
  [performance, { now: () => places.getStore()?.now() ?? realNow() }],
  [process, { hrtime: Object.assign(hrtime, { bigint }), uptime }],
  [AbortSignal, virtualSignals],
  [timers, virtualTimers],
  [timersPromises, virtualTimersPromises],
  [
    timersPromises.scheduler,
    { wait: virtualTimersPromises.setTimeout, yield: virtualTimersPromises.setImmediate },
  ],
  [crypto, { ...virtualCrypto, ...virtualComputations }],
  [zlib, virtualCompression],
  [globalThis.crypto, virtualWebCrypto],
  [subtlePrototype, virtualSubtle],
];

/** Puts virtual time and seeded chance in the place of the real ones. Returns the function that puts everything back. */
export function installGlobals(): () => void {
  return replaceAll(PATCHES);
}

/** Returns the function that puts everything back. */
export function replaceAll(patches: Patches): () => void {
  const undo: (() => void)[] = [];
  for (const [target, patch] of patches) {
    for (const [name, value] of Object.entries(patch)) {
      const before = Object.getOwnPropertyDescriptor(target, name);
      const enumerable = before?.enumerable ?? false;
      Object.defineProperty(target, name, { value, enumerable, configurable: true, writable: true });
      undo.push(() => {
        if (before) Object.defineProperty(target, name, before);
        else Reflect.deleteProperty(target, name);
      });
    }
  }
  // Without this, `import { setTimeout } from 'node:timers'` would still be the real one.
  syncBuiltinESMExports();
  return () => {
    for (const each of undo.toReversed()) each();
    syncBuiltinESMExports();
  };
}
