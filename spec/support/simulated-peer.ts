import type { Membership } from '../../src/presence/members/membership.ts';
import type { LinkKey, Member } from '../../src/presence/members/types.ts';

/** A link, as one side of it sees it. */
export interface Wire {
  readonly to: SimulatedPeer;
  /** The same link, as the other side names it. */
  readonly key: LinkKey;
  open: boolean;
  /** When the last frame arrives: frames keep their order. */
  due: number;
}

/** A join or leave that a peer reported to its users. */
export interface Told {
  readonly type: 'joined' | 'left';
  readonly id: string;
  readonly incarnation: string;
  readonly why?: string;
}

export class SimulatedPeer {
  readonly id: string;
  readonly incarnation: string;
  readonly host: string;
  core!: Membership;
  alive = true;
  /** It does nothing before this time. */
  frozenUntil = 0;
  readonly isLeaf: boolean;
  readonly wires = new Map<LinkKey, Wire>();
  readonly told: Told[] = [];
  /** Who is there, as its users were told. */
  readonly seen = new Map<string, Member>();
  /** Frames that arrived, and dials that it made. */
  frames = 0;
  dials = 0;
  /** Peers whose address it looked up. */
  lookUps = 0;
  /** Others that it was described, each as often as it was. */
  described = 0;
  nextKey = 1;
  wakeAt = Infinity;
  wakes = 0;

  constructor(id: string, incarnation: string, host: string, leaf: boolean) {
    this.id = id;
    this.incarnation = incarnation;
    this.host = host;
    this.isLeaf = leaf;
  }

  isLinked(to: SimulatedPeer): boolean {
    return [...this.wires.values()].some((wire) => wire.to === to);
  }
}
