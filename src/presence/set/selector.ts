import { near } from '../../base/near.ts';
import type { RemotePeer } from './remote-peer.ts';
import type { Scope } from '../../transport/scope.ts';
import { isPromise } from '../../base/value-shape.ts';

/**
 * Selects peers. `getPeers`, `peers.of`, `ready`, `any`, `all`, `map` and `subscribe` all take one. A peer must fit every
 * field you give. If you leave out `group`, only peers of your own group fit.
 *
 * @example
 * const selector: Selector = { group: ['gpu', 'cpu'], has: 'resize', where: (peer) => peer.pid !== process.ppid };
 * await getPeers(selector);
 */
export interface Selector {
  /** One group or several; `'*'` is every group. Default: the group of the peer that asks. */
  group?: string | readonly string[] | undefined;
  /** True for hubs only, false for the others only. */
  hub?: boolean | undefined;
  /** Only peers that have this function: a connected function, or its tag. */
  has?: string | { readonly tag: string } | undefined;
  /** Only peers in this scope: on this host, on its networks, or beyond. */
  scope?: Scope | undefined;
  /** Only peers with this name. */
  name?: string | undefined;
  /**
   * Only peers for which this function returns true. It is called last, for peers that fit otherwise, and again when a
   * peer changes. An error that it throws reaches the caller: it rejects `getPeers` and `ready`, and ends a `watch`. Where
   * no caller waits, as with a listener, it is an uncaught exception.
   */
  where?: ((peer: RemotePeer) => boolean) | undefined;
}

/** The selector as a test for peers. The test throws what `where` throws. @throws TypeError for an invalid selector */
export function matcher(selector: Selector, ownGroup: string): (peer: RemotePeer) => boolean {
  checkSelector(selector);
  const { group = ownGroup, hub, has, scope, name, where } = selector;
  const groups = new Set(typeof group === 'string' ? [group] : group);
  const everywhere = groups.has('*');
  const tag = has === undefined ? undefined : tagIn(has);
  return (peer) =>
    (everywhere || groups.has(peer.group)) &&
    (hub === undefined || peer.hub === hub) &&
    (tag === undefined || peer.has(tag)) &&
    (scope === undefined || peer.scope === scope) &&
    (name === undefined || peer.name === name) &&
    (where === undefined || isTrue(where(peer)));
}

/** Refuses other values: the promise of an async `where` would otherwise count as true. */
function isTrue(answer: unknown): boolean {
  if (typeof answer === 'boolean') return answer;
  const what = isPromise(answer) ? 'a promise' : answer === null ? 'null' : typeof answer;
  throw new TypeError(`where: return true or false; it returned ${what}`);
}

const SCOPES: Record<Scope, true> = { host: true, lan: true, wan: true };

/** The valid values of each field. The type makes it exhaustive: a new field that is missing here does not compile. */
const FIELDS: Record<keyof Selector, { fits: (value: unknown) => boolean; give: string }> = {
  group: {
    fits: (value) => isString(value) || (Array.isArray(value) && value.every((each) => isString(each))),
    give: 'the name of a group, several in an array, or "*" for all',
  },
  hub: { fits: (value) => typeof value === 'boolean', give: 'true or false' },
  has: {
    fits: (value) => tagOf(value) !== undefined,
    give: 'a tag, or a function that went through connect()',
  },
  scope: {
    fits: (value) => isString(value) && Object.hasOwn(SCOPES, value),
    give: `one of ${Object.keys(SCOPES).join(', ')}`,
  },
  name: { fits: isString, give: 'the name of a peer' },
  where: {
    fits: (value) => typeof value === 'function',
    give: 'a function that is given a peer and returns true or false',
  },
};

/**
 * Refuses fields of a selector among options.
 * @param place returns the right way to write it, with the given field
 * @throws TypeError
 */
export function refuseSelector(options: object | null, place: (field: string) => string): void {
  const field = Object.keys(options ?? {}).find((key) => Object.hasOwn(FIELDS, key));
  if (field !== undefined)
    throw new TypeError(`${field} is a field of a selector, not an option; ${place(`${field}: …`)}`);
}

/** Options that `any`, `all` and `ready` take in addition to a selector. */
const OPTIONS = new Set(['deadline', 'signal', 'wait', 'min']);

/** @throws TypeError that says what is wrong with the selector, and what to write instead */
export function checkSelector(selector: unknown): asserts selector is Selector {
  if (typeof selector !== 'object' || selector === null || Array.isArray(selector)) {
    throw new TypeError('give a selector, such as { group: "x" }');
  }
  for (const [key, value] of Object.entries(selector)) {
    if (!Object.hasOwn(FIELDS, key)) throw new TypeError(unknownField(key));
    const { fits, give } = FIELDS[key as keyof Selector];
    if (value !== undefined && !fits(value)) throw new TypeError(`${key}: give ${give}`);
  }
}

function unknownField(key: string): string {
  const fields = Object.keys(FIELDS);
  const [meant] = near(key, fields);
  const hint = meant === undefined ? 'the fields are' : `did you mean ${meant}? The fields are`;
  const place = OPTIONS.has(key) ? `. Options come after the selector: ({}, { ${key}: … })` : '';
  return `a selector has no field ${JSON.stringify(key)}; ${hint} ${fields.join(', ')}${place}`;
}

function isString(value: unknown): value is string {
  return typeof value === 'string';
}

/** The tag of a connected function, or the text itself. */
function tagOf(has: unknown): string | undefined {
  // A connected function is a function with a tag.
  const tag: unknown = isString(has) ? has : (has as { tag?: unknown } | null | undefined)?.tag;
  return isString(tag) ? tag : undefined;
}

/** @throws TypeError */
export function tagIn(has: string | { readonly tag: string }): string {
  const tag = tagOf(has);
  if (tag === undefined) throw new TypeError('give a tag, or a function that went through connect()');
  return tag;
}
