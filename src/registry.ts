import { formatCallSite } from './call-site.ts';
import type { CallSite } from './call-site.ts';
import { near } from './near.ts';
import { RESERVED, nameIn, readableTag } from './tag.ts';

export type AnyFunction = (...args: never[]) => unknown;

export interface Registration {
  readonly tag: string;
  readonly run: AnyFunction;
  /** Where `connect` was called. */
  readonly place: CallSite | undefined;
  /** Whether calling it begins a stream, as an async generator function does. */
  readonly streams: boolean;
  /** Whether it goes on after it has returned; undefined until it was called. The dispatcher's. */
  waits: boolean | undefined;
}

/** What `connect` was told of a function. */
export type NewRegistration = Omit<Registration, 'streams' | 'waits'>;

/** The functions of one peer, by tag. Never a plain object: a tag may be `__proto__`. */
export class Registry {
  readonly #entries = new Map<string, Registration>();
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

  /** @throws Error when another function has the tag, naming both places */
  add(registration: NewRegistration, replace: boolean): void {
    const { tag, run, place } = registration;
    const known = this.#entries.get(tag);
    if (known?.run === run) return;
    if (known && !replace) {
      throw new Error(
        `two functions are connected as ${readableTag(tag)}: one at ${formatCallSite(known.place)}, ` +
          `another at ${formatCallSite(place)}; give one of them a tag of its own, connect('tag', fn), ` +
          `or say connect(fn, { replace: true })`,
      );
    }
    this.#entries.set(tag, registrationOf(registration));
    if (!known) this.#changed([tag], []);
  }

  /** Whether `run` was there under `tag`. */
  remove(tag: string, run: AnyFunction): boolean {
    if (this.#entries.get(tag)?.run !== run) return false;
    this.#entries.delete(tag);
    this.#changed([], [tag]);
    return true;
  }

  /** Up to three tags that look like `tag`, for the message to who asked for one that is not here. */
  near(tag: string): string[] {
    const reserved = tag.startsWith(RESERVED) ? [...this.#defaults.keys()] : [];
    return near(tag, [...reserved, ...this.tags()], nameIn);
  }
}

export function registrationOf(registration: NewRegistration): Registration {
  const kind = kindOf(registration.run);
  return { ...registration, streams: kind === 'stream', waits: kind === 'unknown' ? undefined : true };
}

/** What calling a function gives, as far as can be told without calling it. */
export type FunctionKind = 'promise' | 'stream' | 'unknown';

export function kindOf(fn: AnyFunction): FunctionKind {
  const kind = Object.prototype.toString.call(fn);
  if (kind === '[object AsyncGeneratorFunction]') return 'stream';
  return kind === '[object AsyncFunction]' ? 'promise' : 'unknown';
}
