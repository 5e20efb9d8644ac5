import crypto from 'node:crypto';
import os from 'node:os';
import timers from 'node:timers';

import { ownFrame } from '../base/stack.ts';
import { places, turn } from './virtual/place.ts';
import { replaceAll } from './virtual/globals.ts';

/**
 * Time and chance that a story gets from the real process. Looked for only after a seed has not done the same twice: then the sources of
 * both are replaced by functions that note who calls them.
 */

/** What no seed can repeat. */
const REAL: readonly (readonly [object, string, readonly string[]])[] = [
  [process, 'process', ['kill', 'memoryUsage', 'cpuUsage', 'resourceUsage']],
  [performance, 'performance', ['eventLoopUtilization']],
  [os, 'os', ['cpus', 'freemem', 'loadavg', 'networkInterfaces', 'uptime']],
  [
    crypto,
    'crypto',
    [
      ...['generateKeyPairSync', 'generateKeySync', 'generatePrimeSync', 'generateKeyPair', 'generateKey'],
      ...['generatePrime', 'createECDH', 'createDiffieHellman', 'getDiffieHellman'],
    ],
  ],
];

/** What the simulation replaces for code that it knows to be of the story. */
const REPLACED: readonly (readonly [object, string, readonly string[]])[] = [
  [globalThis, '', ['setTimeout', 'setInterval', 'setImmediate']],
  [timers, 'timers', ['setTimeout', 'setInterval', 'setImmediate']],
  [Date, 'Date', ['now']],
  [Math, 'Math', ['random']],
  [performance, 'performance', ['now']],
  [crypto, 'crypto', ['randomBytes', 'randomInt', 'randomUUID', 'randomFillSync']],
];

/** Something that the story took from the real process. */
export interface Unseeded {
  readonly name: string;
  /** Whether the simulation would have replaced it, had it known that the caller belongs to the story. */
  readonly isLost: boolean;
  readonly stack: string;
}

/** Notes the first call of a real source that a story makes. */
export class UnseededWatch {
  first: Unseeded | undefined;
  #restore: () => void = () => {};

  begin(): void {
    const isOfStory = (): boolean => places.getStore()?.run.isOver === false;
    const isLost = (): boolean => turn.isUnderWay && places.getStore() === undefined;
    this.#restore = replaceAll([
      ...REAL.map((each) => this.#noting(each, isOfStory, false)),
      ...REPLACED.map((each) => this.#noting(each, isLost, true)),
    ]);
  }

  end(): void {
    this.#restore();
  }

  #noting(
    [target, of, names]: readonly [object, string, readonly string[]],
    isWanted: () => boolean,
    isLost: boolean,
  ): readonly [object, object] {
    const note = (name: string): void => {
      if (!this.first && isWanted()) this.#note(of === '' ? name : `${of}.${name}`, isLost);
    };
    const patch = names.map((name) => {
      const original = Reflect.get(target, name) as (...args: unknown[]) => unknown;
      const noting = function (this: unknown, ...args: unknown[]): unknown {
        note(name);
        return Reflect.apply(original, this, args);
      };
      return [name, Object.defineProperties(noting, Object.getOwnPropertyDescriptors(original))];
    });
    return [target, Object.fromEntries(patch) as object];
  }

  #note(name: string, isLost: boolean): void {
    const frames = (new Error(name).stack ?? '').split('\n').slice(4);
    const own = frames.filter((frame) => !frame.includes('node:') && !ownFrame(frame));
    this.first = { name, isLost, stack: (own.length > 0 ? own : frames).join('\n') };
  }
}

/** In words, for the error. */
export function describeUnseeded({ name, isLost }: Unseeded): string {
  return isLost
    ? `${name}() was called by code whose async context is lost, so it was the real one. A promise, timer or listener from before the story called it`
    : `${name}() returns something of the real process`;
}
