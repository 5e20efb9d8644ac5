import {
  isAddressList,
  isCount,
  isFields,
  isListOf,
  isPeerId,
  isString,
  isTagList,
  LONGEST_TAG,
} from './shapes.ts';

/**
 * The frames by which peers tell each other who is present. A peer is linked with a few neighbours only, and hears of all others
 * from them. `docs/protocol.md` describes the same for clients in other languages.
 */

/** One life of a peer, at one state of it. */
export interface WireMark {
  id: string;
  incarnation: string;
  /** When this life began, in ms since 1970 on its own host: the later of two lives of one id takes its place. */
  started: number;
  /** Counted up by the peer itself whenever the rest changes. */
  version: number;
}

/** What everybody holds of a peer. */
export interface WireMember extends WireMark {
  /** `tag`: see `HintTags`. */
  addresses: readonly { host: string; port: number; tag?: string }[];
  name: string;
  group: string;
  hub: boolean;
  pid: number;
  host: string;
  /** The digest of its list of functions, by which the list is asked for. */
  functions: string;
}

/** These peers are present, or have changed. */
export interface JoinedFrame {
  type: 'joined';
  members: WireMember[];
}

/**
 * A peer has left. `stopped`: it said goodbye. `refused`: nobody listens any more where it did, on the same host. `lost`: those
 * around it agree.
 */
export interface LeftFrame {
  type: 'left';
  peer: WireMark;
  why: 'stopped' | 'refused' | 'lost';
}

/** `by` has lost the peer, or cannot reach it. */
export interface AccusedFrame {
  type: 'accused';
  peer: WireMark;
  by: string;
  /** Counted up by `by` with each of its words, so that an old one that comes late is not taken for a new one. */
  turn: number;
}

/** `by` has an open link to the accused peer. */
export interface HaveFrame {
  type: 'have';
  peer: WireMark;
  by: string;
  turn: number;
}

/** The digest of the sender's whole set. A side with another one answers with its `summary`. */
export interface DigestFrame {
  type: 'digest';
  digest: string;
}

/** Names each peer of the sender's set in its present state. The other side answers with a `difference` in any case. */
export interface SummaryFrame {
  type: 'summary';
  fingerprints: string[];
  /** More of the same summary follows. */
  more?: true;
}

/** The answer to a `summary`: what the other side lacks, and what the sender wants described. */
export interface DifferenceFrame {
  type: 'difference';
  offered: string[];
  wanted: string[];
}

/** The sender has these, which are new to it. The other side asks for those that it lacks. */
export interface OfferedFrame {
  type: 'offered';
  fingerprints: string[];
}

/** The sender wants these described, in `joined` frames. */
export interface WantedFrame {
  type: 'wanted';
  fingerprints: string[];
}

/** Asks for lists of functions, by their digests. */
export interface ListsFrame {
  type: 'lists';
  digests: string[];
}

/** A list of functions. No `tags`: the sender does not have it any more. */
export interface ListFrame {
  type: 'list';
  digest: string;
  tags?: string[];
  /** More of the same list follows. */
  more?: true;
}

export type PresenceFrame =
  | JoinedFrame
  | LeftFrame
  | AccusedFrame
  | HaveFrame
  | DigestFrame
  | SummaryFrame
  | DifferenceFrame
  | OfferedFrame
  | WantedFrame
  | ListsFrame
  | ListFrame;

/** Peers or fingerprints in one frame, at most. */
export const MOST_MEMBERS = 1_024;

/** Digests in one frame, at most. */
export const MOST_DIGESTS = 1_024;

/** The longest digest or fingerprint, in characters. */
const LONGEST_DIGEST = 64;

/** The longest name, group and host, in characters. */
export const LONGEST_NAME = 256;

const DEPARTURES = new Set<unknown>(['stopped', 'refused', 'lost']);

export function isPresenceFrame(value: Record<string, unknown>): boolean {
  const kind = value['type'] as PresenceFrame['type'];
  switch (kind) {
    case 'joined':
      return isListOf(value['members'], MOST_MEMBERS, isMember);
    case 'left':
      return isMark(value['peer']) && DEPARTURES.has(value['why']);
    case 'accused':
    case 'have':
      return isMark(value['peer']) && isPeerId(value['by']) && isTurn(value['turn']);
    case 'digest':
      return isDigest(value['digest']);
    case 'summary':
      return isListOf(value['fingerprints'], MOST_MEMBERS, isDigest) && isMore(value['more']);
    case 'difference':
      return (
        isListOf(value['offered'], MOST_MEMBERS, isDigest) &&
        isListOf(value['wanted'], MOST_MEMBERS, isDigest)
      );
    case 'offered':
    case 'wanted':
      return isListOf(value['fingerprints'], MOST_MEMBERS, isDigest);
    case 'lists':
      return isListOf(value['digests'], MOST_DIGESTS, isDigest);
    case 'list':
      return (
        isDigest(value['digest']) &&
        (value['tags'] === undefined || isTagList(value['tags'], LONGEST_TAG)) &&
        isMore(value['more'])
      );
    default:
      kind satisfies never;
      return false;
  }
}

/** What a peer tells of its own presence in the handshake. */
export interface Presence {
  started: number;
  version: number;
  addresses: readonly { host: string; port: number; tag?: string }[];
  /** Of its list of functions, which may be too long for the handshake. Empty: not told. */
  digest: string;
}

/** Absent fields are those of a peer that cannot be dialled, and is told of to nobody. */
export function isPresence(value: Record<string, unknown>): boolean {
  const { started = 0, version = 1, addresses = [], digest = '' } = value;
  return isCount(started) && isCount(version) && isAddressList(addresses) && isString(digest, LONGEST_DIGEST);
}

function isMark(value: unknown): boolean {
  if (!isFields(value)) return false;
  const { id, incarnation, started, version } = value;
  return isPeerId(id) && isPeerId(incarnation) && isCount(started) && isCount(version);
}

function isMember(value: unknown): boolean {
  if (!isMark(value)) return false;
  const { addresses, name, group, hub, pid, host, functions } = value as Record<string, unknown>;
  return (
    isAddressList(addresses) &&
    isString(name, LONGEST_NAME) &&
    isString(group, LONGEST_NAME) &&
    typeof hub === 'boolean' &&
    Number.isSafeInteger(pid) &&
    isString(host, LONGEST_NAME) &&
    isDigest(functions)
  );
}

/** It may lie between two whole numbers: what others say for a peer comes between two words of its own. */
function isTurn(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

function isDigest(value: unknown): boolean {
  return isString(value, LONGEST_DIGEST) && value !== '';
}

function isMore(value: unknown): boolean {
  return value === undefined || value === true;
}
