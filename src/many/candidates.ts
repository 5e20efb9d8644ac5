import { peerLine } from '../base/peer-line.ts';
import { printable } from '../base/text.ts';
import { NetError } from '../base/errors.ts';
import { near } from '../base/near.ts';
import type { Pool } from './pool.ts';
import { callBeyond } from '../presence/beyond-pass.ts';
import { whyNobody } from '../presence/set/missing.ts';
import type { RemotePeer } from '../presence/set/remote-peer.ts';
import { matcher } from '../presence/set/selector.ts';
import type { Selector } from '../presence/set/selector.ts';
import { nameFor, nameIn, readableTag } from '../base/tag.ts';

/**
 * The peers that a function may be called on: those that match the selector and have the function. Never this process
 * itself.
 */
export class Candidates {
  readonly tag: string;
  readonly pool: Pool;
  readonly #matches: (peer: RemotePeer) => boolean;

  /** @throws TypeError for an invalid selector */
  constructor(pool: Pool, tag: string, selector: Selector) {
    this.pool = pool;
    this.tag = tag;
    this.#matches = matcher(selector, pool.source.group);
  }

  /** The candidates that are present now. @throws what the selector's `where` throws */
  list(): RemotePeer[] {
    return this.pool.source.current().filter((peer) => peer.has(this.tag) && this.#matches(peer));
  }

  /** The first search is over: a peer that is not present now may never come. */
  get searched(): boolean {
    return this.pool.source.searched;
  }

  /** Why no peer can be called, with similar names. */
  nobody(): Error {
    const { source } = this.pool;
    if (source.ended) return source.ended;
    const beyond = callBeyond(source.ownRights, this.tag);
    if (beyond !== undefined) return new NetError('NO_SUCH_TAG', beyond, { tag: this.tag });
    const there = source.current();
    const meant = there.filter(this.#matches);
    const elsewhere = there.find((peer) => peer.has(this.tag));
    const tags = [...new Set(meant.flatMap((peer) => peer.functions))];
    const alike = near(this.tag, tags, nameIn).map((tag) => nameFor(tag, this.tag));
    const what = `a function ${JSON.stringify(readableTag(this.tag))}`;
    const text = [
      meant.length === 0
        ? `no peer was found that could have ${what}`
        : meant.length === 1
          ? `one peer was found, and it does not have ${what}`
          : `none of ${meant.length} peers has ${what}`,
      ...(there.length === 0 ? whyNobody(source) : []),
      ...(elsewhere
        ? [`${peerLine(elsewhere)}, group ${JSON.stringify(elsewhere.group)}, has it but is not selected`]
        : []),
      ...(alike.length > 0 ? [`did you mean ${alike.join(' or ')}?`] : []),
    ].join('; ');
    return new NetError('NO_SUCH_TAG', printable(text), { tag: this.tag });
  }
}
