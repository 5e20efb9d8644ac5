import type { Named } from '../../base/peer-line.ts';

/** A page knows one peer, its server, and trusts the name of it. Takes the place of `base/peer-line.ts` in a page. */

export function peerLine({ name, id }: Named): string {
  return `peer ${JSON.stringify(name)} (${id})`;
}
