import type { HintedAddress } from '../../providers/hint.ts';
import { checked } from '../../providers/hint-tags.ts';
import type { HintTags } from '../../providers/hint-tags.ts';
import { meaningful } from '../../providers/meaningful.ts';
import type { Link } from '../../connection/link/link.ts';
import type { Address } from '../../transport/address.ts';
import type { Scope } from '../../transport/scope.ts';
import { encodeFrame } from '../../wire/codec.ts';
import { MOST_ADDRESSES } from '../../wire/shapes.ts';
import { MOST_MEMBERS } from '../../wire/presence-frames.ts';
import type { WireMark, WireMember } from '../../wire/presence-frames.ts';
import { markOf } from '../members/members.ts';
import type { Fingerprint, Mark, Member, MembershipFrame } from '../members/types.ts';

/** Turns what the core tells into frames, and what others tell into members. */

/** What everybody holds of a peer beside what the core itself needs. */
export interface About {
  readonly name: string;
  readonly group: string;
  readonly hub: boolean;
  readonly pid: number;
  readonly host: string;
  /** The digest of its list of functions. */
  readonly functions: string;
}

export function aboutOf({ about }: Member): About {
  return about as About;
}

/** A frame takes at most this fraction of the other side's message limit, and at most so many characters. */
const SHARE = 1 / 4;
const LONGEST_FRAME = 32 * 1024;

/** The text of a member for peers of the same host, and for others: both are sent over many links. */
const texts = new WeakMap<Member, { host?: string; beyond?: string }>();

/** Sends one frame of the core, in as many frames as it takes. */
export function sendPresence(link: Link, frame: MembershipFrame): void {
  switch (frame.type) {
    case 'joined':
      sendMembers(link, frame.members);
      break;
    case 'left':
      link.send(encodeFrame({ type: 'left', peer: wireMark(frame.mark), why: frame.why }));
      break;
    case 'accused':
    case 'have':
      link.send(
        encodeFrame({ type: frame.type, peer: wireMark(frame.mark), by: frame.by, turn: frame.turn }),
      );
      break;
    case 'digest':
      link.send(encodeFrame(frame));
      break;
    case 'summary':
      sendSummary(link, frame.fingerprints);
      break;
    case 'difference':
      sendDifference(link, frame.offered, frame.wanted);
      break;
    case 'offered':
    case 'wanted':
      for (const fingerprints of chunks(frame.fingerprints))
        link.send(encodeFrame({ type: frame.type, fingerprints }));
      break;
  }
}

function sendMembers(link: Link, members: readonly Member[]): void {
  const most = Math.min(link.limits.message * SHARE, LONGEST_FRAME);
  let batch: string[] = [];
  let length = 0;
  const flush = (): void => {
    if (batch.length > 0) link.send(`{"type":"joined","members":[${batch.join(',')}]}`);
    batch = [];
    length = 0;
  };
  for (const member of members) {
    const text = textFor(member, link.socket.scope);
    if (text === '') continue;
    if (length + text.length > most || batch.length === MOST_MEMBERS) flush();
    batch.push(text);
    length += text.length;
  }
  flush();
}

/** Empty for a member without an address that leads to it from there. */
function textFor(member: Member, scope: Scope): string {
  let known = texts.get(member);
  if (!known) texts.set(member, (known = {}));
  return scope === 'host' ? (known.host ??= textOf(member, scope)) : (known.beyond ??= textOf(member, scope));
}

function textOf(member: Member, scope: Scope): string {
  const addresses = meaningful(member.addresses, scope).slice(0, MOST_ADDRESSES);
  if (addresses.length === 0 && member.addresses.length > 0) return '';
  return JSON.stringify({ ...wireMark(member), addresses, ...aboutOf(member) } satisfies WireMember);
}

function sendSummary(link: Link, all: readonly Fingerprint[]): void {
  const parts = chunks(all);
  for (const [index, fingerprints] of parts.entries()) {
    const more = index < parts.length - 1 ? { more: true as const } : {};
    link.send(encodeFrame({ type: 'summary', fingerprints, ...more }));
  }
}

function sendDifference(link: Link, offered: readonly Fingerprint[], wanted: readonly Fingerprint[]): void {
  // Only the last frame of the answer is the difference itself.
  const [first = [], ...rest] = chunks(offered);
  for (const fingerprints of rest) link.send(encodeFrame({ type: 'offered', fingerprints }));
  const [asked = [], ...others] = chunks(wanted);
  for (const fingerprints of others) link.send(encodeFrame({ type: 'wanted', fingerprints }));
  link.send(encodeFrame({ type: 'difference', offered: first, wanted: asked }));
}

/** At least one, and the last may be shorter. */
function chunks<T>(all: readonly T[]): T[][] {
  const found: T[][] = [];
  for (let at = 0; at === 0 || at < all.length; at += MOST_MEMBERS)
    found.push(all.slice(at, at + MOST_MEMBERS));
  return found;
}

function wireMark(mark: Mark): WireMark {
  return markOf(mark);
}

/** How this peer reads what others tell. */
export interface MemberReader {
  readonly tags: HintTags | undefined;
  /** Whether this peer may dial an address. */
  reachable: (address: Address) => boolean;
  /** A member whose tag is wrong was told. */
  dropped: (member: Pick<WireMember, 'id' | 'addresses'>) => void;
}

/**
 * A member as it can be used here; undefined if it cannot be dialled from here, or a tag is wrong. Only addresses that lead to the
 * same place from here and from the peer that told it are kept.
 * @param scope where that peer is
 */
export function readMember(wire: WireMember, scope: Scope, reader: MemberReader): Member | undefined {
  const { id, incarnation, started, version, name, group, hub, pid, host, functions } = wire;
  const addresses = readAddresses(wire, wire.addresses, scope, reader);
  // A peer without any address speaks for itself.
  if (!addresses || (addresses.length === 0 && wire.addresses.length > 0)) return undefined;
  const about: About = { name, group, hub, pid, host, functions };
  return { id, incarnation, started, version, addresses, about };
}

/** The addresses that can be used here; undefined if a tag is wrong. */
export function readAddresses(
  { id, incarnation }: Pick<WireMember, 'id' | 'incarnation'>,
  told: WireMember['addresses'],
  scope: Scope,
  { tags, reachable, dropped }: MemberReader,
): readonly HintedAddress[] | undefined {
  const addresses = meaningful(told, scope).filter((address) => reachable(address));
  if (addresses.length === 0) return [];
  const hint = checked({ id, incarnation, addresses }, tags);
  if (!hint) dropped({ id, addresses });
  return hint?.addresses;
}
