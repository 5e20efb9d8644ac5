import type { Members, Subject } from './members.ts';
import type { Rings } from './rings.ts';
import type { LinkKey, Member, MembershipFrame, MembershipOutput } from './types.ts';

/** What the core of presence knows, and what it has to do: shared by the files of this room, changed in place. */
export interface State {
  self: Member;
  readonly rings: Rings;
  readonly members: Members;
  /** Open links, and whom each leads to. */
  readonly links: Map<LinkKey, Subject>;
  /** From 0 to 1. */
  readonly random: () => number;
  /** When this peer began. */
  readonly begun: number;
  now: number;
  /** What is to be done, in this order. */
  out: MembershipOutput[];
  /** When the first and the last news came that no dial has followed yet. */
  firstNews: number;
  lastNews: number;
  /** What each link is told with the next batch, and when that is due. */
  readonly unsaid: Map<LinkKey, Set<Subject>>;
  batchAt: number;
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
export function isNeighbour({ rings, self }: State, id: string): boolean {
  return rings.beside(self.id).has(id);
}
