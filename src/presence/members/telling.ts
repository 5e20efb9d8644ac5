import { markOf } from './members.ts';
import type { Subject } from './members.ts';
import { jitter, send } from './state.ts';
import type { State } from './state.ts';
import { isLeaf } from './types.ts';
import type { Departure, LinkKey, Mark, Member } from './types.ts';

/** How peers tell each other who is there: joins in batches, and now and then a comparison of the whole set. */

/** Joins are gathered for so long, in ms. */
const BATCH = 20;

/** One link by chance compares its set with the other side's this often, in ms: a missed message would never be noticed. */
const COMPARISON = 10_000;

/** When the first comparison is due. */
export function firstComparison(now: number, random: () => number): number {
  return now + random() * COMPARISON;
}

/** Tells every link of it, but the one that told of it and those that lead to it. */
export function spread(state: State, subject: Subject, from: LinkKey | undefined): void {
  if (subject.member && isLeaf(subject.member)) return;
  for (const [link, to] of state.links) if (link !== from && to !== subject) say(state, subject, link);
}

export function say(state: State, subject: Subject, link: LinkKey): void {
  state.unsaid.get(link)?.add(subject);
  if (state.batchAt === Infinity) state.batchAt = state.now + BATCH;
}

/** Sends what was gathered, and compares, when either is due. */
export function tellDue(state: State): void {
  if (state.batchAt <= state.now) sayAll(state);
  if (state.compareAt > state.now) return;
  state.compareAt = state.now + COMPARISON / 2 + jitter(state, COMPARISON);
  state.members.sweep(state.now);
  const links = [...state.links.keys()];
  const link = links[Math.floor(state.random() * links.length)];
  if (link !== undefined) compare(state, link);
}

function sayAll(state: State): void {
  state.batchAt = Infinity;
  for (const [link, subjects] of state.unsaid) {
    const members = [...subjects].flatMap(({ id, member }) =>
      id === state.self.id ? [state.self] : (member ?? []),
    );
    subjects.clear();
    if (members.length > 0) send(state, link, { type: 'joined', members });
  }
}

export function compare(state: State, link: LinkKey): void {
  send(state, link, { type: 'digest', digest: state.members.digest });
}

/** The other side has this digest of its set. If it differs, it learns what is in this one. */
export function answerDigest(state: State, link: LinkKey, digest: string): void {
  if (digest !== state.members.digest) askForAll(state, link);
}

/** Asks for what the other side has: its answer comes in any case, also if it has nothing more. */
export function askForAll(state: State, link: LinkKey): void {
  send(state, link, { type: 'summary', marks: tellable(state).map((member) => markOf(member)) });
}

/** Says what the other side lacks, and asks for what this one does. */
export function answerSummary(state: State, link: LinkKey, marks: readonly Mark[]): void {
  const theirs = new Map(marks.map((mark) => [mark.id, mark]));
  const members = tellable(state).filter((member) => {
    const mark = theirs.get(member.id);
    return !mark || isLater(member, mark);
  });
  const wanted: string[] = [];
  const left: { mark: Mark; why: Departure }[] = [];
  for (const mark of marks) {
    const subject = state.members.get(mark.id);
    const known = mark.id === state.self.id ? state.self : subject?.member;
    if (known) {
      if (isLater(mark, known)) wanted.push(mark.id);
    } else if (subject?.tombstone && !isNewer(mark, subject.tombstone)) {
      left.push({ mark: subject.tombstone.mark, why: subject.tombstone.why });
    } else {
      wanted.push(mark.id);
    }
  }
  send(state, link, { type: 'difference', members, wanted, left });
}

/** Those that others may be told of: this peer, those that it is linked with, and those that somebody vouches for. */
function tellable({ self, members }: State): Member[] {
  const told = isLeaf(self) ? [] : [self];
  for (const { member, unvouched, links } of members.subjects()) {
    if (member && !isLeaf(member) && (!unvouched || links.size > 0)) told.push(member);
  }
  return told;
}

/** Whether the first is a later life, or a later state of the same. */
function isLater(first: Mark, second: Mark): boolean {
  if (first.incarnation === second.incarnation) return first.version > second.version;
  return first.started > second.started;
}

/** Whether word of this life is later than its departure. */
export function isNewer(mark: Mark, { mark: left, why }: { mark: Mark; why: Departure }): boolean {
  if (mark.incarnation === left.incarnation) return why !== 'stopped' && mark.version > left.version;
  return mark.started > left.started;
}
