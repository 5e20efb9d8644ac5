import type { Link } from '../../connection/link/link.ts';
import { encodeFrame } from '../../wire/codec.ts';
import { MOST_FUNCTIONS, MOST_TAG_CHARACTERS } from '../../wire/functions-frames.ts';
import type { JoinedFrame, ListFrame, PresenceFrame, WireMember } from '../../wire/presence-frames.ts';
import { digestOf } from './function-lists.ts';
import type { FunctionLists } from './function-lists.ts';
import { readMember } from './members-wire.ts';
import type { MemberReader } from './members-wire.ts';
import type { Fingerprint, MembershipFrame } from '../members/types.ts';

/**
 * What other peers tell of who is present, on its way to the core. A peer counts as present here only once its list of functions
 * is known, so that selectors need not guess. A list is asked for once for each digest, and what its link tells meanwhile waits.
 */

/** Frames of one link that may wait for lists. */
const MOST_WAITING = 4_096;

/** Fingerprints of one summary, at most. */
const MOST_FINGERPRINTS = 65_536;

/** Characters of tags in one frame. */
const LONGEST_LIST = 48 * 1024;

/** The functions of linked peers, which their own frames have told. */
export interface LinkedFunctions {
  of(id: string): ReadonlySet<string> | undefined;
  /** Keeps the list with this digest, if a linked peer has it. */
  find(digest: string): void;
}

interface Held {
  /** Frames that wait until every list is there that the first of them needs. */
  frames: Exclude<PresenceFrame, { type: 'list' | 'lists' }>[];
  /** Digests that were asked for and not answered. */
  readonly asked: Set<string>;
  /** Digests that the other side does not have any more. */
  readonly missing: Set<string>;
}

export class Intake {
  readonly #lists: FunctionLists;
  readonly #reader: MemberReader;
  readonly #linked: LinkedFunctions;
  readonly #held = new Map<Link, Held>();
  /** The first parts of summaries and lists. */
  readonly #summaries = new Map<Link, Fingerprint[]>();
  readonly #parts = new Map<Link, { digest: string; tags: string[]; characters: number }>();

  constructor(lists: FunctionLists, reader: MemberReader, linked: LinkedFunctions) {
    this.#lists = lists;
    this.#reader = reader;
    this.#linked = linked;
  }

  /** @returns what the core may now know, in this order */
  take(link: Link, frame: PresenceFrame): MembershipFrame[] {
    if (frame.type === 'lists') {
      let room = MOST_TAG_CHARACTERS;
      for (const digest of new Set(frame.digests)) room -= this.#answer(link, digest, room);
      return [];
    }
    if (frame.type === 'list') return this.#takeList(link, frame);
    const held = this.#held.get(link);
    if (held) {
      if (held.frames.length < MOST_WAITING) held.frames.push(frame);
      else link.breach('it tells of peers, and not of their functions');
      return [];
    }
    const unknown = this.#unknown(frame);
    if (unknown.size === 0) return this.#read(link, frame);
    this.#held.set(link, { frames: [frame], asked: unknown, missing: new Set() });
    link.send(encodeFrame({ type: 'lists', digests: [...unknown] }));
    return [];
  }

  closed(link: Link): void {
    this.#held.delete(link);
    this.#summaries.delete(link);
    this.#parts.delete(link);
  }

  #unknown(frame: PresenceFrame): Set<string> {
    const unknown = new Set<string>();
    if (frame.type !== 'joined') return unknown;
    for (const { id, functions: digest } of frame.members) {
      if (this.#lists.has(digest) || unknown.has(digest)) continue;
      const told = this.#linked.of(id);
      if (!told || this.#lists.keep(told) !== digest) unknown.add(digest);
    }
    return unknown;
  }

  #takeList(link: Link, { digest, tags, more }: ListFrame): MembershipFrame[] {
    const held = this.#held.get(link);
    if (!held?.asked.has(digest)) return [];
    if ((this.#parts.get(link)?.digest ?? digest) !== digest) link.breach('it mixes two lists of functions');
    const part = this.#parts.get(link) ?? { digest, tags: [], characters: 0 };
    this.#parts.set(link, part);
    for (const tag of tags ?? []) {
      part.tags.push(tag);
      part.characters += tag.length;
    }
    if (part.tags.length > MOST_FUNCTIONS || part.characters > MOST_TAG_CHARACTERS) {
      link.breach('it tells of a peer with too many functions');
      return [];
    }
    if (more) return [];
    this.#parts.delete(link);
    held.asked.delete(digest);
    if (tags && part.digest === digest && digestOf(part.tags) === digest) this.#lists.keep(part.tags);
    else held.missing.add(digest);
    return held.asked.size > 0 ? [] : this.#release(link, held);
  }

  /** Reads what waited, up to the first frame that needs further lists. */
  #release(link: Link, held: Held): MembershipFrame[] {
    this.#held.delete(link);
    const read: MembershipFrame[] = [];
    for (const [index, frame] of held.frames.entries()) {
      const unknown = this.#unknown(frame);
      for (const digest of held.missing) unknown.delete(digest);
      if (unknown.size > 0) {
        link.send(encodeFrame({ type: 'lists', digests: [...unknown] }));
        this.#held.set(link, { frames: held.frames.slice(index), asked: unknown, missing: held.missing });
        break;
      }
      read.push(...this.#read(link, frame));
    }
    return read;
  }

  #read(link: Link, frame: Held['frames'][number]): MembershipFrame[] {
    switch (frame.type) {
      case 'joined':
        return [{ type: 'joined', members: this.#members(link, frame) }];
      case 'left':
        return [{ type: 'left', mark: frame.peer, why: frame.why }];
      case 'accused':
      case 'have':
        return [{ type: frame.type, mark: frame.peer, by: frame.by, turn: frame.turn }];
      case 'summary': {
        const all = this.#summaries.get(link) ?? [];
        // Push one by one: the number of arguments of a call is limited.
        for (const fingerprint of frame.fingerprints) all.push(fingerprint);
        this.#summaries.set(link, all);
        if (all.length > MOST_FINGERPRINTS) link.breach('its summary is too long');
        if (frame.more) return [];
        this.#summaries.delete(link);
        return [{ type: 'summary', fingerprints: all }];
      }
      default:
        return [frame];
    }
  }

  #members(link: Link, { members }: JoinedFrame) {
    const known = ({ functions }: WireMember): boolean => this.#lists.has(functions);
    return members.filter(known).flatMap((each) => readMember(each, link.socket.scope, this.#reader) ?? []);
  }

  /** Returns the characters that were sent. What does not fit into so many counts as missing: somebody else is asked for it. */
  #answer(link: Link, digest: string, room: number): number {
    if (!this.#lists.has(digest)) this.#linked.find(digest);
    const tags = this.#lists.get(digest);
    const characters = tags?.reduce((sum, tag) => sum + tag.length, 0) ?? 0;
    if (!tags || characters > room) {
      link.send(encodeFrame({ type: 'list', digest }));
      return 0;
    }
    let part: string[] = [];
    let length = 0;
    for (const tag of tags) {
      length += JSON.stringify(tag).length + 1;
      if (length > LONGEST_LIST) {
        link.send(encodeFrame({ type: 'list', digest, tags: part, more: true }));
        part = [];
        length = 0;
      }
      part.push(tag);
    }
    link.send(encodeFrame({ type: 'list', digest, tags: part }));
    return characters;
  }
}
