import { createHook } from 'node:async_hooks';

import { ownFrame } from '../base/stack.ts';
import { places } from './virtual/place.ts';

/**
 * Real input and output inside a story. It ends when the machine has time for it, so no seed could repeat the story. Node tells cheaply
 * how many files, sockets, processes and timers it has open; who opened one costs more, and is asked only when there is a suspicion.
 */

/** How many of each kind are open. */
export type Resources = ReadonlyMap<string, number>;

export function resourcesNow(): Resources {
  const counts = new Map<string, number>();
  for (const name of process.getActiveResourcesInfo()) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

/** Immediates are our own, and writing to the terminal changes nothing in a story. */
const OURS = new Set(['Immediate', 'TTYWrap', 'WriteWrap', 'ShutdownWrap']);

/** What is open now and was not before. */
export function newResources(before: Resources): string | undefined {
  const names = process.getActiveResourcesInfo();
  let counted = 0;
  for (const count of before.values()) counted += count;
  if (names.length <= counted) return undefined;
  for (const [name, count] of resourcesNow()) {
    if (!OURS.has(name) && count > (before.get(name) ?? 0)) return name;
  }
  return undefined;
}

/** Something real that a story began. */
export interface RealWork {
  readonly type: string;
  /** Where: the stack without Node's own frames. */
  readonly stack: string;
}

/** What Node calls asynchronous work that needs the system, another thread or real time. */
const REAL =
  /WRAP$|REQ|REQUEST$|^FILEHANDLE|^WORKER$|^MESSAGEPORT$|^STATWATCHER$|^ZLIB$|^DNSCHANNEL$|^Timeout$|^Immediate$|^SCRYPT|^PBKDF2/;

/** What is over before anything else runs, and what is written for people. */
const HARMLESS = /node:internal\/console\/| at \w*Sync \(node:/;

const FRAMES = 30;

/** Notes the first real work that a story begins. */
export class RealWorkWatch {
  first: RealWork | undefined;
  readonly #hook = createHook({
    init: (_, type) => {
      if (this.first || !REAL.test(type) || places.getStore()?.run.isOver !== false) return;
      const { stackTraceLimit } = Error;
      Error.stackTraceLimit = FRAMES;
      const { stack = '' } = new Error(type);
      Error.stackTraceLimit = stackTraceLimit;
      if (HARMLESS.test(stack)) return;
      const frames = stack.split('\n').slice(2);
      const own = frames.filter((frame) => !frame.includes('node:') && !ownFrame(frame));
      this.first = { type, stack: own.join('\n') };
    },
  });

  begin(): void {
    this.#hook.enable();
  }

  end(): void {
    this.#hook.disable();
  }
}

/** In words, for the error. */
export function describeWork(type: string): string {
  if (type === 'Timeout' || type === 'Immediate')
    return `a real timer (${type}): the code kept \`set${type}\` from before the story, for example in a constant`;
  if (/^FS|^FILE/.test(type)) return `work with files (${type})`;
  if (/ADDRINFO|NAMEINFO|DNS|QUERY/.test(type)) return `a question to the DNS (${type})`;
  if (/TCP|TLS|UDP|PIPE|HTTP/.test(type)) return `a real socket (${type})`;
  if (/PROCESS/.test(type)) return `another process (${type})`;
  if (/WORKER|MESSAGEPORT/.test(type)) return `another thread (${type})`;
  return `work outside of the simulation (${type})`;
}
