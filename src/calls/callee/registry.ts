import { isAbsolute } from 'node:path';

import { formatCallSite } from '../../base/call-site.ts';
import type { CallSite } from '../../base/call-site.ts';
import { near } from '../../base/near.ts';
import { MOST_FUNCTIONS, MOST_TAG_CHARACTERS } from '../../wire/functions-frames.ts';
import type { AnyFunction } from '../../base/function-types.ts';
import type { FunctionWork } from '../../presence/set/peer-info.ts';
import { RESERVED, nameIn, readableTag } from '../../base/tag.ts';
import type { Telling } from './limited.ts';
import type { Threads } from './threads.ts';
import type { Turns } from './turns.ts';

export interface Registration {
  readonly tag: string;
  /** The function that was given to `connect`. */
  readonly fn: AnyFunction;
  /** The function that is called: the same one, bound to the object that it belongs to. */
  readonly run: AnyFunction;
  /** Where `connect` was called. */
  readonly place: CallSite | undefined;
  /** Whether a call of it begins a stream, as with an async generator function. */
  readonly streams: boolean;
  /** It is the library's own, and never asks who called it: it costs the promises of the process nothing. */
  readonly bare: boolean;
  /** Whether it still runs after it has returned; undefined until its first call. The dispatcher sets it. */
  waits: boolean | undefined;
  /** Limits how many of its calls run; undefined for a function without a limit. */
  turns: Turns | undefined;
  /** Where its calls run; undefined for a function that runs in this thread. */
  threads: Threads | undefined;
  /** Tells callers of a function with a limit how busy it is; undefined before the first call. */
  telling: Telling | undefined;
}

/** A function as `connect` was given it. */
export interface NewRegistration extends Pick<Registration, 'tag' | 'fn' | 'place'> {
  /** Its `this`. */
  readonly self: object | undefined;
  readonly bare?: boolean;
  readonly turns?: Turns | undefined;
  readonly threads?: RunsInThreads | undefined;
}

/** A function that runs in worker threads. */
export interface RunsInThreads {
  readonly threads: Threads;
  /** Calls the function in one of them. */
  readonly run: AnyFunction;
}

/** The functions of one peer, by tag. Never a plain object, because a tag may be `__proto__`. */
export class Registry {
  readonly #entries = new Map<string, Registration>();
  /** The tags that were connected since the last microtask. */
  readonly #fresh = new Set<string>();
  /** Characters of all tags together. */
  #characters = 0;
  readonly #changed: (added: string[], removed: string[]) => void;
  /** Functions that the library brings. They are called like the others, but other peers are not told of them. */
  readonly #defaults: ReadonlyMap<string, Registration>;

  constructor(
    changed: (added: string[], removed: string[]) => void,
    defaults: ReadonlyMap<string, Registration> = new Map(),
  ) {
    this.#changed = changed;
    this.#defaults = defaults;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(tag: string): Registration | undefined {
    return this.#entries.get(tag) ?? this.#defaults.get(tag);
  }

  tags(): string[] {
    return [...this.#entries.keys()];
  }

  /**
   * Adds all of them, or none.
   * @throws Error when another function has one of the tags, naming both places; when there would be more than other
   * peers accept
   */
  add(registrations: readonly NewRegistration[], replace: boolean): void {
    for (const { tag, fn, place } of registrations) {
      const known = this.#entries.get(tag);
      if (known && known.fn !== fn && !replace && !this.#isAgain(known, fn, place))
        throw new Error(twice(tag, known.place, place));
    }
    this.#checkRoom(registrations);
    const added: string[] = [];
    for (const registration of registrations) {
      const { tag, fn } = registration;
      const known = this.#entries.get(tag);
      if (known?.fn === fn) {
        // Its options may be new.
        if (registration.turns || registration.threads) this.#put(registration);
        continue;
      }
      this.#put(registration);
      this.#markFresh(tag);
      if (!known) added.push(tag);
    }
    if (added.length > 0) this.#changed(added, []);
  }

  #put(registration: NewRegistration): void {
    const { tag } = registration;
    this.#entries.get(tag)?.telling?.end();
    this.#entries.set(tag, registrationOf(registration));
  }

  /**
   * Whether a module that was evaluated again connects its own function: the file and the function's name are the same. Two
   * functions of one evaluation are an error. They are connected in one go, unless the queries of the files differ, which
   * a loader adds for each evaluation.
   */
  #isAgain(known: Registration, fn: AnyFunction, place: CallSite | undefined): boolean {
    if (!place || !known.place || known.place.file !== place.file || known.fn.name !== fn.name) return false;
    return known.place.query !== place.query || (isAbsolute(place.file) && !this.#fresh.has(known.tag));
  }

  /** A module without `await` at its top level is evaluated before the next microtask. */
  #markFresh(tag: string): void {
    if (this.#fresh.size === 0) queueMicrotask(() => this.#fresh.clear());
    this.#fresh.add(tag);
  }

  /** Every peer that knows this one stores its list of functions, so the list has a limit here. */
  #checkRoom(registrations: readonly NewRegistration[]): void {
    const fresh = registrations.filter(({ tag }) => !this.#entries.has(tag));
    const characters = fresh.reduce((sum, { tag }) => sum + tag.length, this.#characters);
    if (this.#entries.size + fresh.length > MOST_FUNCTIONS || characters > MOST_TAG_CHARACTERS) {
      throw new Error(
        `a peer can have at most ${MOST_FUNCTIONS} functions and ${MOST_TAG_CHARACTERS} characters of tags at a time; ` +
          'connect fewer functions, and tell cases apart by an argument',
      );
    }
    this.#characters = characters;
  }

  /** Whether any of them was connected under its tag. */
  remove(functions: readonly { tag: string | undefined; fn: AnyFunction }[]): boolean {
    const removed: string[] = [];
    for (const { tag, fn } of functions) {
      if (tag === undefined || this.#entries.get(tag)?.fn !== fn) continue;
      this.#entries.get(tag)!.telling?.end();
      this.#entries.delete(tag);
      this.#characters -= tag.length;
      removed.push(tag);
    }
    if (removed.length > 0) this.#changed([], removed);
    return removed.length > 0;
  }

  /** The functions that are limited, or run in threads. */
  work(): FunctionWork[] {
    return [...this.#entries.values()].flatMap(({ tag, turns, threads }) => {
      if (threads) return [{ tag, ...threads.figures }];
      return turns ? [{ tag, running: turns.running, waiting: turns.waiting, threads: 0 }] : [];
    });
  }

  /**
   * Up to three tags that look like `tag`, for the message about a tag that is unknown.
   * @param isNamed whether the message may name this tag
   */
  near(tag: string, isNamed: (tag: string) => boolean = () => true): string[] {
    const reserved = tag.startsWith(RESERVED) ? [...this.#defaults.keys()] : [];
    return near(tag, [...reserved, ...this.tags()].filter(isNamed), nameIn);
  }
}

function twice(tag: string, known: CallSite | undefined, place: CallSite | undefined): string {
  return (
    `two functions are connected as ${readableTag(tag)}: one at ${formatCallSite(known)}, ` +
    `another at ${formatCallSite(place)}; give one of them its own tag with connect('tag', fn), ` +
    `or replace the first with connect(fn, { replace: true })`
  );
}

export function registrationOf(given: NewRegistration): Registration {
  const { tag, fn, self, place, turns, threads, bare = false } = given;
  const kind = kindOf(fn);
  const run = threads?.run ?? (self === undefined ? fn : fn.bind<AnyFunction>(self as never));
  const waits = kind === 'unknown' && !turns && !threads ? undefined : true;
  const rest = { threads: threads?.threads, telling: undefined };
  return { tag, fn, run, place, streams: kind === 'stream', waits, turns, bare, ...rest };
}

/** The kind of a function, as far as it shows without a call. */
export type FunctionKind = 'promise' | 'stream' | 'unknown';

export function kindOf(fn: AnyFunction): FunctionKind {
  const kind = Object.prototype.toString.call(fn);
  if (kind === '[object AsyncGeneratorFunction]') return 'stream';
  return kind === '[object AsyncFunction]' ? 'promise' : 'unknown';
}
