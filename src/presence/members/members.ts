import type { Address } from '../../transport/address.ts';
import { Doubt } from './doubt.ts';
import { fingerprintOf, SetDigest } from './fingerprint.ts';
import { isLeaf } from './types.ts';
import type { Departure, Fingerprint, Mark, Member } from './types.ts';

/** What the core keeps of one id: whether it is present, hinted at, linked, dialled, doubted. */
export class Subject {
  readonly id: string;
  /** As it is present. Set by `Members.put`. */
  member: Member | undefined;
  /** Of the member. */
  fingerprint: Fingerprint | undefined;
  /** Where it may be, by the newest hint. */
  hint:
    | {
        readonly incarnation: string;
        readonly addresses: readonly Address[];
        readonly patience: number | undefined;
      }
    | undefined;
  /** The life that left last. A later version of it is news of the living, unless it left for good. Set by `Members.entomb`. */
  tombstone: Tombstone | undefined;
  /** Open links to it. */
  links = 0;
  /** Since when it is being dialled. */
  dialledAt: number | undefined;
  /** It is dialled because this peer may be cut off from the others. */
  isTried = false;
  /** The life that the dial is for. */
  dialledLife: string | undefined;
  /** The next dial is that of a neighbour, and waits until no more news comes. */
  isPlanned = false;
  /** Since when. */
  plannedAt = 0;
  /** Dials in a row that failed. */
  failures = 0;
  /** When the first of them failed. */
  failingSince: number | undefined;
  /** The last link to this life of it was lost while it was a neighbour. */
  hasLostLink = false;
  /** This peer lost its link to it, or could not dial it. */
  isLost = false;
  /** Since when there is no link, though there was one or a dial began. */
  lostAt: number | undefined;
  /** What is said about it, while somebody has lost it. */
  doubt: Doubt | undefined;
  /** Present, but no dial from here gets through. */
  unreachable = false;
  /** The peer that last told of it; undefined when it said so itself. */
  toldBy: string | undefined;
  /** When it last said something that reached this peer: that it joined, changed, or about somebody else. */
  spokeAt = -Infinity;
  /** When it was taken to be on the other side of a cut. */
  forgottenAt = -Infinity;
  /** It was accused since, and this peer has said that it has lost it, too. */
  isSeconded = false;
  /** Not told of to others until somebody tells of it again: this process slept. */
  unvouched = false;

  constructor(id: string) {
    this.id = id;
  }

  get isDoubted(): boolean {
    return this.doubt !== undefined && this.doubt.accusers > 0;
  }
}

export interface Tombstone {
  readonly mark: Mark;
  readonly fingerprint: Fingerprint;
  readonly why: Departure;
  readonly until: number;
}

export function markOf({ id, incarnation, started, version }: Mark): Mark {
  return { id, incarnation, started, version };
}

/** Whether the hint may be at this life. One without addresses may be at any. */
export function isAt({ hint }: Subject, incarnation: string): boolean {
  return hint !== undefined && (hint.incarnation === incarnation || isNamed(hint));
}

/** Whether a hint only names the peer. */
export function isNamed({ addresses }: { addresses: readonly Address[] }): boolean {
  return addresses.length === 0;
}

/** Whether the departure is the last word about that life. */
export function isFinal(why: Departure): boolean {
  return why !== 'lost';
}

/** Every id that the core knows, and the digest of those that are present. */
export class Members {
  readonly #subjects = new Map<string, Subject>();
  /** Who is present, and who has left lately. */
  readonly #byFingerprint = new Map<Fingerprint, Subject>();
  readonly #digest = new SetDigest();
  #size = 0;

  constructor(self: Member) {
    this.#count(self);
  }

  /** Of those that are present, this peer among them. */
  get digest(): string {
    return this.#digest.text;
  }

  /** Present, this peer left out. */
  get size(): number {
    return this.#size;
  }

  /** Ids of which anything is known. */
  get known(): number {
    return this.#subjects.size;
  }

  get(id: string): Subject | undefined {
    return this.#subjects.get(id);
  }

  subject(id: string): Subject {
    let subject = this.#subjects.get(id);
    if (!subject) this.#subjects.set(id, (subject = new Subject(id)));
    return subject;
  }

  subjects(): Iterable<Subject> {
    return this.#subjects.values();
  }

  /** Who is present, or was, in exactly this state. */
  find(fingerprint: Fingerprint): Subject | undefined {
    return this.#byFingerprint.get(fingerprint);
  }

  present(): Member[] {
    const members: Member[] = [];
    for (const { member } of this.#subjects.values()) if (member) members.push(member);
    return members;
  }

  /** Puts a member in the place of what was there, whether it was present or has left; undefined takes it out. */
  put(subject: Subject, member: Member | undefined): void {
    if (subject.member) {
      this.#count(subject.member);
      this.#byFingerprint.delete(subject.fingerprint!);
      this.#size -= 1;
    }
    subject.member = member;
    subject.fingerprint = member && fingerprintOf(member);
    if (!member) return;
    this.entomb(subject, undefined);
    this.#count(member);
    this.#byFingerprint.set(subject.fingerprint!, subject);
    this.#size += 1;
  }

  /** Remembers the life that left last, or forgets it. */
  entomb(subject: Subject, tombstone: Tombstone | undefined): void {
    if (subject.tombstone) this.#byFingerprint.delete(subject.tombstone.fingerprint);
    subject.tombstone = tombstone;
    if (tombstone) this.#byFingerprint.set(tombstone.fingerprint, subject);
  }

  /** This peer itself has another version now. */
  changeSelf(before: Member, after: Member): void {
    this.#count(before);
    this.#count(after);
  }

  /** Others are not told of a leaf, so their sets lack it. */
  #count(member: Member): void {
    if (!isLeaf(member)) this.#digest.toggle(member);
  }

  /** Forgets what is of no use any more. */
  sweep(now: number): void {
    for (const subject of this.#subjects.values()) {
      if (subject.tombstone && subject.tombstone.until <= now) this.entomb(subject, undefined);
      const { member, hint, tombstone, links, dialledAt } = subject;
      if (!member && !hint && !tombstone && links === 0 && dialledAt === undefined) {
        this.#subjects.delete(subject.id);
      }
    }
  }
}
