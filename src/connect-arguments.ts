import type { CallSite } from './call-site.ts';
import type { AnyFunction } from './registry.ts';
import { DEFAULT_TAGS, LONGEST_TAG, RESERVED, encodeTag, moduleOf } from './tag.ts';

export interface ConnectOptions {
  /** Take the place of another function with the same tag, as hot reloading does. Default: false. */
  replace?: boolean | undefined;
  /**
   * The function may run twice with the same arguments without harm. `any` and `map` then repeat a call that was lost
   * with its peer and may have run. Default: false.
   */
  idempotent?: boolean | undefined;
}

/** What is known of a function that only others have. */
export interface RemoteOptions {
  /** As for `connect`. Default: false. */
  idempotent?: boolean | undefined;
}

/** What `connect(fn, options)` or `connect(tag, fn, options)` was given. @throws TypeError for anything else */
export function readConnectArguments(
  args: readonly unknown[],
  place: CallSite | undefined,
): { tag: string; fn: AnyFunction; replace: boolean; idempotent: boolean } {
  const [given, fn, options] = typeof args[0] === 'function' ? [undefined, ...args] : args;
  if (typeof fn !== 'function') {
    throw new TypeError('connect(fn) or connect(tag, fn): the function is missing');
  }
  if (Function.prototype.toString.call(fn).startsWith('class')) {
    throw new TypeError(`connect: ${fn.name} is a class; connect functions`);
  }
  if (given === undefined && !fn.name) {
    throw new TypeError("connect: the function has no name to make a tag of; give one: connect('tag', fn)");
  }
  const tag = given ?? encodeTag(moduleOf(place), fn.name);
  checkTag(tag);
  refuseReserved(tag);
  const { replace = false, idempotent = false } = (options ?? {}) as ConnectOptions;
  return { tag, fn: fn as AnyFunction, replace, idempotent };
}

/** @throws TypeError */
export function checkTag(tag: unknown): asserts tag is string {
  if (typeof tag !== 'string' || tag === '' || tag.length > LONGEST_TAG) {
    throw new TypeError(`a tag is a string of 1 to ${LONGEST_TAG} characters`);
  }
}

function refuseReserved(tag: string): void {
  if (!tag.startsWith(RESERVED)) return;
  const known = Object.values(DEFAULT_TAGS).join(', ');
  throw new TypeError(
    `connect('${tag}', …): tags that begin with ${RESERVED} are for functions that every peer has (${known}); choose another`,
  );
}
