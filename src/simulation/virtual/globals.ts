import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import timers from 'node:timers';
import timersPromises from 'node:timers/promises';

import { virtualCrypto, virtualMath, virtualWebCrypto } from './chance.ts';
import { VirtualDate } from './date.ts';
import { places } from './place.ts';
import { subtlePrototype, virtualComputations, virtualSubtle } from './threads.ts';
import { virtualSignals, virtualTimers, virtualTimersPromises } from './timers.ts';

const RealDate = globalThis.Date;
const realNow = performance.now.bind(performance);

/** What a story gets in the place of the real thing. Code that runs outside of the story goes on with the real ones. */
const PATCHES: readonly (readonly [object, object])[] = [
  [globalThis, { ...virtualTimers, Date: VirtualDate }],
  [RealDate.prototype, { constructor: VirtualDate }],
  [Math, virtualMath],
  [performance, { now: () => places.getStore()?.now() ?? realNow() }],
  [AbortSignal, virtualSignals],
  [timers, virtualTimers],
  [timersPromises, virtualTimersPromises],
  [timersPromises.scheduler, { wait: virtualTimersPromises.setTimeout }],
  [crypto, { ...virtualCrypto, ...virtualComputations }],
  [globalThis.crypto, virtualWebCrypto],
  [subtlePrototype, virtualSubtle],
];

/** Puts virtual time and seeded chance in the place of the real ones. Returns the function that puts everything back. */
export function installGlobals(): () => void {
  const undo: (() => void)[] = [];
  for (const [target, patch] of PATCHES) {
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
