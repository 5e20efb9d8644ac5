import { readableTag } from '../base/tag.ts';
import { printable } from '../base/text.ts';
import type { Rights } from '../wire/handshake/pass.ts';

/**
 * What the pass of this peer does not allow, in words for the developer of a guest. All of it is in the pass. Each function returns
 * undefined for a peer without a pass, and for what the pass allows.
 */

/** How many names and patterns of a pass are in a message. */
const MOST_NAMED = 8;

export function callBeyond(rights: Rights | undefined, tag: string): string | undefined {
  return rights && !rights.mayCall(tag) ? beyond('call', readableTag(tag), 'may', rights.may) : undefined;
}

export function hearingBeyond(rights: Rights | undefined, name: string): string | undefined {
  return rights && !rights.mayHear(name) ? beyond('hear', name, 'hear', rights.hear) : undefined;
}

export function emitBeyond(rights: Rights | undefined, name: string): string | undefined {
  return rights && !rights.mayEmit(name) ? beyond('emit', name, 'offers', rights.offers) : undefined;
}

function beyond(verb: string, name: string, option: string, allowed: readonly string[]): string {
  const named = allowed.slice(0, MOST_NAMED).map((each) => readableTag(each));
  if (allowed.length > MOST_NAMED) named.push(`${allowed.length - MOST_NAMED} more`);
  const list = named.length === 0 ? 'nothing' : named.join(', ');
  return printable(
    `the pass of this peer does not allow it to ${verb} ${JSON.stringify(name)} (its \`${option}\` has ${list})`,
  );
}
