import { ask, askAgain, nextAsk } from './asking.ts';
import type { Subject, Tombstone } from './members.ts';
import { fingerprintOf } from './fingerprint.ts';
import { jitter, send } from './state.ts';
import type { State } from './state.ts';
import { isLeaf } from './types.ts';
import type { Fingerprint, LinkKey, Mark, Member } from './types.ts';

/**
 * How peers tell each other who is there: of what is new they offer fingerprints, in batches, and whoever lacks one asks for it once.
 * So a peer is described to each other peer once, and not by each of its links. Now and then two peers compare their whole sets.
 */

/** What is new is gathered for so long, in ms. */
const BATCH = 20;

/** While one batch follows the other, each is gathered for twice as long as the one before, up to this: most news is then told once. */
const LONGEST_BATCH = 320;

/** One link by chance compares its set with the other side's this often, in ms: a missed message would never be noticed. */
const COMPARISON = 10_000;

/** When the first comparison is due. */
export function firstComparison(now: number, random: () => number): number {
  return now + random() * COMPARISON;
}

/** When something is to be told. */
export function tellAt(state: State): number {
  return Math.min(state.batchAt, nextAsk(state), state.links.size > 0 ? state.compareAt : Infinity);
}

/** Tells every link of it, but the one that told of it and those that lead to it. */
export function spread(state: State, subject: Subject, from: LinkKey | undefined): void {
  if (subject.member && isLeaf(subject.member)) return;
  if (state.batchAt === Infinity) state.batchAt = state.now + gathering(state);
  for (const [link, to] of state.links)
    if (link !== from && to !== subject) state.unsaid.get(link)!.add(subject);
}

/** Tells it at once, with all that waits: a peer that is doubted has less time to refute than a batch may take. */
export function spreadAtOnce(state: State, subject: Subject, from: LinkKey | undefined): void {
  spread(state, subject, from);
  state.batchAt = Math.min(state.batchAt, state.now);
}

/** Tells, asks again and compares, when that is due. */
export function tellDue(state: State): void {
  if (state.batchAt <= state.now) offerAll(state);
  askAgain(state);
  if (state.compareAt > state.now) return;
  state.compareAt = state.now + COMPARISON / 2 + jitter(state, COMPARISON);
  state.members.sweep(state.now);
  const links = [...state.tellers];
  const link = links[Math.floor(state.random() * links.length)];
  if (link !== undefined) compare(state, link);
}

/** How long the next batch is gathered. */
function gathering(state: State): number {
  const isNext = state.now - state.batchedAt < LONGEST_BATCH;
  state.batchTime = isNext ? Math.min(2 * state.batchTime, LONGEST_BATCH) : BATCH;
  return state.batchTime;
}

function offerAll(state: State): void {
  state.batchAt = Infinity;
  state.batchedAt = state.now;
  for (const [link, subjects] of state.unsaid) {
    if (subjects.size === 0) continue;
    const offered: Fingerprint[] = [];
    for (const { fingerprint } of subjects) if (fingerprint !== undefined) offered.push(fingerprint);
    subjects.clear();
    if (offered.length > 0) send(state, link, { type: 'offered', fingerprints: offered });
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
  send(state, link, { type: 'summary', fingerprints: tellable(state) });
}

/** Offers what the other side lacks, and asks for what this one does. */
export function answerSummary(state: State, link: LinkKey, fingerprints: readonly Fingerprint[]): void {
  const theirs = new Set(fingerprints);
  const offered = tellable(state).filter((fingerprint) => !theirs.has(fingerprint));
  send(state, link, { type: 'difference', offered, wanted: lacking(state, link, fingerprints) });
}

/** Asks for what this side lacks of what the other one has. */
export function answerOffer(state: State, link: LinkKey, fingerprints: readonly Fingerprint[]): void {
  const wanted = lacking(state, link, fingerprints);
  if (wanted.length > 0) send(state, link, { type: 'wanted', fingerprints: wanted });
}

/** What nobody has been asked for yet. The other side is told of what has left. */
function lacking(state: State, link: LinkKey, fingerprints: readonly Fingerprint[]): Fingerprint[] {
  const own = fingerprintOf(state.self);
  return fingerprints.filter((fingerprint) => {
    if (fingerprint === own) return false;
    const subject = state.members.find(fingerprint);
    if (subject?.member) {
      subject.unvouched = false;
      subject.toldBy = state.links.get(link)?.id;
      state.unsaid.get(link)?.delete(subject);
      return false;
    }
    if (subject?.tombstone) {
      sayLeft(state, link, subject.tombstone);
      return false;
    }
    return ask(state, link, fingerprint);
  });
}

export function sayLeft(state: State, link: LinkKey, { mark, why }: Tombstone): void {
  send(state, link, { type: 'left', mark, why });
}

/** Describes those that the other side asked for. */
export function describe(state: State, link: LinkKey, wanted: readonly Fingerprint[]): void {
  const own = fingerprintOf(state.self);
  const members: Member[] = [];
  for (const fingerprint of wanted) {
    const member = fingerprint === own ? state.self : state.members.find(fingerprint)?.member;
    if (member) members.push(member);
  }
  if (members.length > 0) send(state, link, { type: 'joined', members });
}

/** Those that others may be told of: this peer, those that it is linked with, and those that somebody vouches for. */
function tellable({ self, members }: State): Fingerprint[] {
  const told = isLeaf(self) ? [] : [fingerprintOf(self)];
  for (const { member, fingerprint, unvouched, links } of members.subjects()) {
    if (member && !isLeaf(member) && (!unvouched || links > 0)) told.push(fingerprint!);
  }
  return told;
}

/** Whether word of this life is later than its departure. */
export function isNewer(mark: Mark, { mark: left, why }: Pick<Tombstone, 'mark' | 'why'>): boolean {
  if (mark.incarnation === left.incarnation) return why !== 'stopped' && mark.version > left.version;
  return mark.started > left.started;
}
