import type { Scope } from './actors/peer-record.ts';
import type { RemotePeer } from './remote-peer.ts';

/** Which peers are meant. What is left out does not matter, but for the group: that is the own one. */
export interface Selector {
  /** Default: the group of the peer that asks. `'*'` is every group. */
  group?: string | readonly string[] | undefined;
  /** Only hubs, or only the others. */
  hub?: boolean | undefined;
  /** Only peers that have this function: a connected function, or its tag. */
  has?: string | { readonly tag: string } | undefined;
  /** Only peers on this host, or on the network. */
  scope?: Scope | undefined;
  /** Only peers of this name. */
  name?: string | undefined;
}

/** The selector as a test. @throws TypeError for what is no selector */
export function matcher(selector: Selector, ownGroup: string): (peer: RemotePeer) => boolean {
  refuseWrong(selector);
  const { group = ownGroup, hub, has, scope, name } = selector;
  const groups = new Set(typeof group === 'string' ? [group] : group);
  const everywhere = groups.has('*');
  const tag = has === undefined ? undefined : tagIn(has);
  return (peer) =>
    (everywhere || groups.has(peer.group)) &&
    (hub === undefined || peer.hub === hub) &&
    (tag === undefined || peer.has(tag)) &&
    (scope === undefined || peer.scope === scope) &&
    (name === undefined || peer.name === name);
}

// Exhaustive by its type: a new field that is missing here does not compile.
const KNOWN: Record<keyof Selector, true> = { group: true, hub: true, has: true, scope: true, name: true };

function refuseWrong(selector: unknown): void {
  if (typeof selector !== 'object' || selector === null)
    throw new TypeError('give a selector, such as { group: "x" }');
  for (const key of Object.keys(selector)) {
    if (!Object.hasOwn(KNOWN, key)) {
      throw new TypeError(`a selector has no ${key}; there is ${Object.keys(KNOWN).join(', ')}`);
    }
  }
  const { group } = selector as { group?: unknown };
  if (group !== undefined && typeof group !== 'string' && !Array.isArray(group)) {
    throw new TypeError('group: give the name of a group, several in an array, or "*" for all');
  }
}

/** @throws TypeError */
export function tagIn(has: string | { readonly tag: string }): string {
  // A connected function is a function with a tag.
  const tag: unknown = typeof has === 'string' ? has : (has as { tag?: unknown } | null)?.tag;
  if (typeof tag !== 'string') throw new TypeError('give a tag, or a function that went through connect()');
  return tag;
}
