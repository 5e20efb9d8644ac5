import type { Address } from '../../transport/address.ts';

/** What goes into the core of presence and what comes out of it. Times are in ms, on the clock of the peer. */

/** What everybody holds of every peer. Its owner alone changes it, and counts `version` up when it does. */
export interface Member {
  readonly id: string;
  readonly incarnation: string;
  /** When this life began, in ms since 1970 on its own host: the later one of two lives of an id takes its place. */
  readonly started: number;
  readonly version: number;
  readonly addresses: readonly Address[];
  /** What the core only carries: name, group, host, the digest of its functions. */
  readonly about: unknown;
}

/** Whether nobody can dial it: it is nobody's neighbour, and is told of to nobody. */
export function isLeaf({ addresses }: Pick<Member, 'addresses'>): boolean {
  return addresses.length === 0;
}

/** One life of a peer at one state of it. */
export interface Mark {
  readonly id: string;
  readonly incarnation: string;
  readonly started: number;
  readonly version: number;
}

/** `stopped`: it said goodbye. `refused`: nobody listens any more where it did, on the same host. `lost`: those around it agree. */
export type Departure = 'stopped' | 'refused' | 'lost';

/** Names one state of one life of a peer, in a few characters: `fingerprint.ts`. */
export type Fingerprint = string;

export type MembershipFrame =
  /** These are present, or have changed: the sender itself, or what the other side asked for. */
  | { readonly type: 'joined'; readonly members: readonly Member[] }
  | { readonly type: 'left'; readonly mark: Mark; readonly why: Departure }
  /** `by` has lost it, or cannot reach it. `turn` counts up with each word of `by`, so that an old one is not taken for a new one. */
  | { readonly type: 'accused'; readonly mark: Mark; readonly by: string; readonly turn: number }
  /** `by` has an open link to it. */
  | { readonly type: 'have'; readonly mark: Mark; readonly by: string; readonly turn: number }
  /** Of the whole set, to see whether two sets are alike. */
  | { readonly type: 'digest'; readonly digest: string }
  /** The whole set. */
  | { readonly type: 'summary'; readonly fingerprints: readonly Fingerprint[] }
  /** The answer to a summary: what the other side lacks, and what the sender wants described. */
  | {
      readonly type: 'difference';
      readonly offered: readonly Fingerprint[];
      readonly wanted: readonly Fingerprint[];
    }
  /** The sender has these, which are new to it. */
  | { readonly type: 'offered'; readonly fingerprints: readonly Fingerprint[] }
  /** The sender wants these described. */
  | { readonly type: 'wanted'; readonly fingerprints: readonly Fingerprint[] };

/** Names a link of this peer. */
export type LinkKey = number;

export type MembershipInput =
  /** Without addresses, the hint only names the peer: some life of it is announced, whose address is looked up for a dial. */
  | {
      readonly type: 'hint.found';
      readonly id: string;
      readonly incarnation: string;
      readonly addresses: readonly Address[];
      /** How long the other side is given to dial first, in ms, while all are neighbours. Default: by the order of the ids. */
      readonly patience?: number;
    }
  | { readonly type: 'hint.lost'; readonly id: string }
  /**
   * @property member what the other side said of itself in the handshake
   * @property tells whether the other side tells of others; default: true
   */
  | {
      readonly type: 'link.opened';
      readonly link: LinkKey;
      readonly member: Member;
      readonly dialled: boolean;
      readonly tells?: boolean;
    }
  | { readonly type: 'link.closed'; readonly link: LinkKey; readonly goodbye: boolean }
  /**
   * @property refused nobody listens at any of its addresses, all of which are on this host
   * @property moot it says nothing about the peer: this process has no sockets left, or the other one takes no more of them
   * @property slow it may be there, and slow to answer
   * @property busy somebody takes connections there, and did not answer in time
   */
  | {
      readonly type: 'dial.failed';
      readonly id: string;
      readonly refused: boolean;
      readonly moot?: boolean;
      readonly slow?: boolean;
      readonly busy?: boolean;
    }
  | { readonly type: 'frame.received'; readonly link: LinkKey; readonly frame: MembershipFrame }
  /** What this peer tells of itself has changed. */
  | { readonly type: 'self.changed'; readonly about: unknown }
  /** This process stood still for so long. */
  | { readonly type: 'lagged'; readonly time: number }
  /** It is time for what `wakeAt` was set for. */
  | { readonly type: 'time.passed' };

export type MembershipOutput =
  /** @property addresses none if they are to be looked up. Then `dial.failed` follows, too, if there are none. */
  | { readonly type: 'dial'; readonly id: string; readonly addresses: readonly Address[] }
  | { readonly type: 'send'; readonly link: LinkKey; readonly frame: MembershipFrame }
  | { readonly type: 'joined'; readonly member: Member }
  | { readonly type: 'changed'; readonly member: Member }
  /** @property by who told of it, or found it out: ids, this peer's own among them */
  | {
      readonly type: 'left';
      readonly member: Member;
      readonly why: Departure | 'replaced' | 'unreachable';
      readonly by: readonly string[];
    };
