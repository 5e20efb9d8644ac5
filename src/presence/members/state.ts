import type { Agenda } from './agenda.ts';
import type { Members, Subject } from './members.ts';
import type { Rings } from './rings.ts';
import type { Fingerprint, LinkKey, Member, MembershipFrame, MembershipOutput } from './types.ts';

/** A description that was asked for. */
export interface Ask {
  readonly at: number;
  /** Who was asked. */
  readonly of: LinkKey;
  /** Who else offers it. */
  readonly others: LinkKey[];
}

/** What the core of presence knows, and what it has to do: shared by the files of this room, changed in place. */
export interface State {
  self: Member;
  readonly rings: Rings;
  readonly members: Members;
  /** Open links, and whom each leads to. */
  readonly links: Map<LinkKey, Subject>;
  /** Those of the links whose other side tells of others; all links of a leaf that nobody tells of others. */
  readonly tellers: Set<LinkKey>;
  /** Nobody tells this leaf of others. */
  readonly isUntold: boolean;
  /** Whether the other side of this open link is known to live. It is not right after this process stood still. */
  readonly isProved: (link: LinkKey) => boolean;
  /** Whom to dial, and whom to judge. Everybody who is doubted is among the latter. */
  readonly dials: Agenda<Subject>;
  readonly judgements: Agenda<Subject>;
  /** Somebody has left since the last judgement. */
  isFewer: boolean;
  /** Those that are present, and that this peer has lost or cannot reach. */
  readonly lost: Set<Subject>;
  /** Those that are being dialled, in the order in which that began. */
  readonly dialling: Set<Subject>;
  /** The neighbours whose dials are planned. */
  planned: ReadonlySet<string> | undefined;
  /** From 0 to 1. */
  readonly random: () => number;
  /** When this peer began. */
  readonly begun: number;
  now: number;
  /** This process was late: until then, what it has not read yet may say otherwise, and it judges nobody. */
  lateUntil: number;
  /** Whether the peer is on this host. */
  readonly isHere: (member: Member) => boolean;
  /** What is to be done, in this order. */
  out: MembershipOutput[];
  /** When the first and the last news came that no dial has followed yet. */
  firstNews: number;
  lastNews: number;
  /** Words about doubted peers that this peer has said, counted from its start in ms, so that its next life counts higher. */
  turn: number;
  /** What was asked for and has not come, the oldest question first. */
  readonly asked: Map<Fingerprint, Ask>;
  /** What each link is told with the next batch, and when that is due. */
  readonly unsaid: Map<LinkKey, Set<Subject>>;
  batchAt: number;
  /** When the last batch was told, and how long it was gathered. */
  batchedAt: number;
  batchTime: number;
  /** Somebody has answered with all that it has, and perhaps not all of it is described yet. */
  isAnswered: boolean;
  /** When others were last tried since this peer may be cut off, and when it was last taken to be. */
  triedAt: number;
  strandedAt: number;
  /** This process slept: those that nobody vouches for may have left long ago. */
  isUnsure: boolean;
  /** A leaf looks again for whom to dial. */
  isLeafMoved: boolean;
  /** When the set is next compared with that of another peer. */
  compareAt: number;
  /** Whether this peer has ever received what another one has. */
  compared: boolean;
}

export function send({ out }: State, link: LinkKey, frame: MembershipFrame): void {
  out.push({ type: 'send', link, frame });
}

/** Sends it on every link but the one that it came on. */
export function flood(state: State, frame: MembershipFrame, from: LinkKey | undefined): void {
  for (const link of state.links.keys()) if (link !== from) send(state, link, frame);
}

/** A random part of this time. */
export function jitter({ random }: State, most: number): number {
  return random() * most;
}

/** Whether a link to this peer is to be kept, used or not. */
export function isNeighbour({ rings }: State, id: string): boolean {
  return rings.neighbours.has(id);
}
