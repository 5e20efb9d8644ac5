import { formatCallSite } from '../../base/call-site.ts';
import type { CallSite } from '../../base/call-site.ts';
import { near } from '../../base/near.ts';
import { MOST_FUNCTIONS, MOST_TAG_CHARACTERS } from '../../wire/functions-frames.ts';
import { RESERVED, nameIn, readableTag } from '../../base/tag.ts';

export type AnyFunction = (...args: never[]) => unknown;

export interface Registration {
  readonly tag: string;
  /** What was given to `connect`. */
  readonly fn: AnyFunction;
  /** What is called: the same, with the object that it belongs to as `this`. */
  readonly run: AnyFunction;
  /** Where `connect` was called. */
  readonly place: CallSite | undefined;
  /** Whether calling it begins a stream, as an async generator function does. */
  readonly streams: boolean;
  /** Whether it goes on after it has returned; undefined until it was called. The dispatcher's. */
  waits: boolean | undefined;
}

/** What `connect` was told of a function. */
export interface NewRegistration extends Pick<Registration, 'tag' | 'fn' | 'place'> {
  /** What `this` is in it. */
  readonly self: object | undefined;
}

/** The functions of one peer, by tag. Never a plain object: a tag may be `__proto__`. */
export class Registry {
  readonly #entries = new Map<string, Registration>();
  /** Of all tags together. */
  #characters = 0;
  readonly #changed: (added: string[], removed: string[]) => void;
  /** Functions that the library brings: called like the others, and not told of. */
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
   * All of them, or none.
   * @throws Error when another function has one of the tags, naming both places; when there would be more than others take
   */
  add(registrations: readonly NewRegistration[], replace: boolean): void {
    for (const { tag, fn, place } of registrations) {
      const known = this.#entries.get(tag);
      if (known && known.fn !== fn && !replace) throw new Error(twice(tag, known.place, place));
    }
    this.#checkRoom(registrations);
    const added: string[] = [];
    for (const registration of registrations) {
      const { tag, fn } = registration;
      const known = this.#entries.get(tag);
      if (known?.fn === fn) continue;
      this.#entries.set(tag, registrationOf(registration));
      if (!known) added.push(tag);
    }
    if (added.length > 0) this.#changed(added, []);
  }

  /** What is let out here others have to take, for each peer that they know. */
  #checkRoom(registrations: readonly NewRegistration[]): void {
    const fresh = registrations.filter(({ tag }) => !this.#entries.has(tag));
    const characters = fresh.reduce((sum, { tag }) => sum + tag.length, this.#characters);
    if (this.#entries.size + fresh.length > MOST_FUNCTIONS || characters > MOST_TAG_CHARACTERS) {
      throw new Error(
        `more than ${MOST_FUNCTIONS} functions, or ${MOST_TAG_CHARACTERS} characters of tags, cannot be connected at ` +
          'a time; connect fewer, and tell them apart by an argument',
      );
    }
    this.#characters = characters;
  }

  /** Whether any of them was there under its tag. */
  remove(functions: readonly { tag: string | undefined; fn: AnyFunction }[]): boolean {
    const removed: string[] = [];
    for (const { tag, fn } of functions) {
      if (tag === undefined || this.#entries.get(tag)?.fn !== fn) continue;
      this.#entries.delete(tag);
      this.#characters -= tag.length;
      removed.push(tag);
    }
    if (removed.length > 0) this.#changed([], removed);
    return removed.length > 0;
  }

  /** Up to three tags that look like `tag`, for the message to who asked for one that is not here. */
  near(tag: string): string[] {
    const reserved = tag.startsWith(RESERVED) ? [...this.#defaults.keys()] : [];
    return near(tag, [...reserved, ...this.tags()], nameIn);
  }
}

function twice(tag: string, known: CallSite | undefined, place: CallSite | undefined): string {
  return (
    `two functions are connected as ${readableTag(tag)}: one at ${formatCallSite(known)}, ` +
    `another at ${formatCallSite(place)}; give one of them a tag of its own, connect('tag', fn), ` +
    `or say connect(fn, { replace: true })`
  );
}

export function registrationOf({ tag, fn, self, place }: NewRegistration): Registration {
  const kind = kindOf(fn);
  const run = self === undefined ? fn : fn.bind<AnyFunction>(self as never);
  return { tag, fn, run, place, streams: kind === 'stream', waits: kind === 'unknown' ? undefined : true };
}

/** What calling a function gives, as far as can be told without calling it. */
export type FunctionKind = 'promise' | 'stream' | 'unknown';

export function kindOf(fn: AnyFunction): FunctionKind {
  const kind = Object.prototype.toString.call(fn);
  if (kind === '[object AsyncGeneratorFunction]') return 'stream';
  return kind === '[object AsyncFunction]' ? 'promise' : 'unknown';
}
