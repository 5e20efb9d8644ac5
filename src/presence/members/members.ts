import type { Address } from '../../transport/address.ts';
import { isLeaf } from './types.ts';
import type { Departure, LinkKey, Mark, Member } from './types.ts';

/** What the core keeps of one id: whether it is present, hinted at, linked, dialled, accused. */
export class Subject {
  readonly id: string;
  /** As it is present. */
  member: Member | undefined;
  /** Where it may be, by the newest hint. */
  hint:
    | {
        readonly incarnation: string;
        readonly addresses: readonly Address[];
        readonly patience: number | undefined;
      }
    | undefined;
  /** The life that left last. A later version of it is news of the living, unless it left for good. */
  tombstone: { readonly mark: Mark; readonly why: Departure; readonly until: number } | undefined;
  /** Open links to it. */
  readonly links = new Set<LinkKey>();
  /** When to dial it, and since when it is being dialled. */
  dialAt = Infinity;
  dialledAt: number | undefined;
  /** Dials in a row that failed. */
  failures = 0;
  /** Who has lost it, and who has a link to it; of its present version. */
  readonly accusers = new Set<string>();
  readonly holders = new Set<string>();
  /** When it is judged next, and since when the judgement waits for its word. */
  judgeAt = Infinity;
  condemnedAt: number | undefined;
  /** Present, but no dial from here gets through. */
  unreachable = false;
  /** The peer that last told of it; undefined when it said so itself. */
  toldBy: string | undefined;
  /** Not told of to others until somebody tells of it again: this process slept. */
  unvouched = false;

  constructor(id: string) {
    this.id = id;
  }

  /** Nobody doubts it any more. */
  clear(): void {
    this.accusers.clear();
    this.judgeAt = Infinity;
    this.condemnedAt = undefined;
  }
}

export function markOf({ id, incarnation, started, version }: Mark): Mark {
  return { id, incarnation, started, version };
}

/** Whether the departure is the last word about that life. */
export function isFinal(why: Departure): boolean {
  return why !== 'lost';
}

/** Every id that the core knows, and the digest of those that are present. */
export class Members {
  readonly #subjects = new Map<string, Subject>();
  #size = 0;
  /** Two sums of 32 bits over all that are present, in no order. */
  #high = 0;
  #low = 0;

  constructor(self: Member) {
    this.#count(self);
  }

  /** Of those that are present, this peer among them. */
  get digest(): string {
    return `${(this.#high >>> 0).toString(36)}.${(this.#low >>> 0).toString(36)}`;
  }

  /** Present, this peer left out. */
  get size(): number {
    return this.#size;
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

  present(): Member[] {
    const members: Member[] = [];
    for (const { member } of this.#subjects.values()) if (member) members.push(member);
    return members;
  }

  /** Puts a member in the place of what was there; undefined takes it out. */
  put(subject: Subject, member: Member | undefined): void {
    if (subject.member) {
      this.#count(subject.member);
      this.#size -= 1;
    }
    if (member) {
      this.#count(member);
      this.#size += 1;
    }
    subject.member = member;
  }

  /** This peer itself has another version now. */
  changeSelf(before: Member, after: Member): void {
    this.#count(before);
    this.#count(after);
  }

  /** Forgets what is of no use any more. */
  sweep(now: number): void {
    for (const subject of this.#subjects.values()) {
      if (subject.tombstone && subject.tombstone.until <= now) subject.tombstone = undefined;
      const { member, hint, tombstone, links, dialledAt } = subject;
      if (!member && !hint && !tombstone && links.size === 0 && dialledAt === undefined) {
        this.#subjects.delete(subject.id);
      }
    }
  }

  /** Adds a member to the digest, or takes it out: the sums are without order and without carry. */
  #count(member: Member): void {
    // Others are not told of a leaf, so their sets lack it.
    if (isLeaf(member)) return;
    const { id, incarnation, version } = member;
    const text = `${id} ${incarnation} ${version}`;
    let high = 0x811c9dc5;
    let low = 0x9e3779b9;
    for (let index = 0; index < text.length; index += 1) {
      const code = text.charCodeAt(index);
      high = Math.imul(high ^ code, 0x01000193);
      low = Math.imul(low ^ code, 0x85ebca6b);
      low ^= low >>> 13;
    }
    this.#high ^= high;
    this.#low ^= low;
  }
}
