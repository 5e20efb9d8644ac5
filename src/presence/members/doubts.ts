import { isBeyondCut, stuck } from './cut-off.ts';
import { dialSoon } from './dials.ts';
import { Doubt } from './doubt.ts';
import type { Word } from './doubt.ts';
import { bury, clear } from './leaving.ts';
import { markOf } from './members.ts';
import type { Subject } from './members.ts';
import { flood, jitter, send } from './state.ts';
import type { State } from './state.ts';
import { isLeaf } from './types.ts';
import type { LinkKey, Mark, Member, MembershipFrame } from './types.ts';

/**
 * Doubts, and how they end. A peer that lost its link to another accuses it; a peer that has one says so, and that blocks the
 * judgement; the accused refutes by a later version of itself. A judgement takes two accusers, if there can be two.
 */

/** How long the condemned may still refute, in ms. In simulation 50 to 300 ms all led to no false leave. */
const GRACE = 250;

/** A peer that has spoken is not accused for so long, in ms, though it cannot be reached from here. Perhaps all think so that could notice. */
const HEARD = 30_000;

/** An accusation that could not be decided is judged again after so long, in ms. */
const JUDGEMENT = 1_000;

/** A process that is late all the time does not put a judgement off for longer, in ms. */
const LONGEST_DELAY = 30_000;

/** Whoever else has lost the peer, or has a link to it, says so within so long, in ms, unless enough others have said so before. */
const SECOND_WITHIN = 20;
const CLAIM_WITHIN = 50;
const ENOUGH_CLAIMS = 2;

/** It says so again after so long, and its word counts for so long, in ms: the one that takes it back may be lost. */
const CLAIM_AGAIN = 10_000;
const CLAIM_LASTS = 25_000;

/** Somebody has lost the peer, or has a link to it. */
export function said(state: State, mark: Mark, word: Word, from: LinkKey): void {
  if (mark.id === state.self.id) {
    if (!word.holds) refute(state, mark);
    return;
  }
  const subject = state.members.get(mark.id);
  const known = subject?.member;
  if (subject && !known && !word.holds && isBeyondCut(state, subject)) second(state, subject, mark, from);
  if (!subject || known?.incarnation !== mark.incarnation || mark.version < known.version) return;
  if (word.by === state.self.id || !doubtOf(state, subject).add(word)) return;
  flood(state, frameOf(subject, word), from);
  const speaker = state.members.get(word.by);
  if (speaker) speaker.spokeAt = state.now;
  if (word.holds) return;
  const isLinked = subject.links > 0;
  const within = isLinked ? CLAIM_WITHIN : subject.isLost ? SECOND_WITHIN : 0;
  state.judgements.hasten(subject, state.now + jitter(state, within));
  if (!isLinked && !subject.isLost && state.rings.beside(subject.id, 2).has(state.self.id)) {
    // Peers beyond its neighbours look for themselves: its neighbours may be those that are cut off.
    dialSoon(state, subject);
  }
}

/** This peer has lost it too, and has it no more. It says so once: its word comes back to it from others. */
function second(state: State, subject: Subject, mark: Mark, link: LinkKey): void {
  if (subject.isSeconded) return;
  subject.isSeconded = true;
  state.turn += 1;
  send(state, link, { type: 'accused', mark, by: state.self.id, turn: state.turn });
}

function doubtOf(state: State, subject: Subject): Doubt {
  if (subject.doubt) return subject.doubt;
  state.judgements.hasten(subject, state.now + JUDGEMENT);
  return (subject.doubt = new Doubt(state.now));
}

function frameOf({ member }: Subject, { by, turn, holds }: Word): MembershipFrame {
  return { type: holds ? 'have' : 'accused', mark: markOf(member!), by, turn };
}

/** This peer has lost it. It says so where that can decide something: the more is said, the more there is to tell. */
export function accuse(state: State, subject: Subject): void {
  // Nobody relies on what a leaf sees.
  if (isLeaf(state.self)) return;
  state.lost.add(subject);
  subject.isLost = true;
  // It has spoken since: it is reached by others. When they lose it, this peer seconds them.
  const isHeard = subject.spokeAt > (subject.lostAt ?? state.now) && state.now - subject.spokeAt < HEARD;
  if (isHeard && !subject.doubt && able(state, subject, 1, false) > 0) return;
  doubtOf(state, subject);
  state.judgements.hasten(subject, state.now);
}

/** This peer has a link to it, whatever others say. */
export function claim(state: State, subject: Subject): void {
  const doubt = doubtOf(state, subject);
  const mine = doubt.by(state.self.id);
  const isNeeded = mine?.holds ? state.now - mine.at > CLAIM_AGAIN : holders(state, doubt) < ENOUGH_CLAIMS;
  if (isNeeded) speak(state, subject, true);
}

function speak(state: State, subject: Subject, holds: boolean): void {
  state.turn += 1;
  const word = { by: state.self.id, turn: state.turn, holds, at: state.now };
  doubtOf(state, subject).add(word);
  flood(state, frameOf(subject, word), undefined);
}

/** A peer that is linked now must judge as the others do. */
export function handOverDoubts(state: State, link: LinkKey): void {
  for (const subject of state.judgements.entries()) {
    if (!subject.member || !subject.doubt) continue;
    for (const word of subject.doubt.words()) send(state, link, frameOf(subject, word));
  }
}

/** This peer itself is doubted: a later version says that it lives. */
export function refute(state: State, { incarnation, version }: Mark): void {
  if (incarnation === state.self.incarnation && version >= state.self.version)
    changeSelf(state, state.self.about, version + 1);
}

/** @param more a later beginning, when another life of this id began later by its own clock */
export function changeSelf(
  state: State,
  about: unknown,
  version: number,
  more?: Pick<Member, 'started'>,
): void {
  const before = state.self;
  state.self = { ...before, ...more, about, version };
  state.members.changeSelf(before, state.self);
  flood(state, { type: 'joined', members: [state.self] }, undefined);
}

/** Judges every accusation that is due. */
export function judgeDue(state: State): void {
  do {
    if (state.isFewer) {
      // Perhaps the last one left that could say that those live.
      state.isFewer = false;
      for (const each of state.lost) accuse(state, each);
    }
    for (let each = state.judgements.take(state.now); each; each = state.judgements.take(state.now))
      judge(state, each);
  } while (state.isFewer);
}

function judge(state: State, subject: Subject): void {
  const { doubt } = subject;
  const isLost = subject.isLost && subject.links === 0;
  if (!subject.member || !doubt || (doubt.accusers === 0 && !isLost)) {
    clear(state, subject);
    return;
  }
  state.judgements.set(subject, state.now + JUDGEMENT);
  if (subject.links > 0) {
    // This process stood still. It neither vouches for a peer that may have gone meanwhile, nor judges one that it still hears.
    if (!isProved(state, subject)) return;
    claim(state, subject);
  } else if (state.now < state.lateUntil && state.now - doubt.since < LONGEST_DELAY) {
    state.judgements.set(subject, state.lateUntil);
    return;
  }
  const needed = accusersNeeded(state, subject);
  const mine = doubt.by(state.self.id);
  // Its own word that it has a link has to be taken back in any case.
  if (isLost && (mine ? mine.holds : doubt.accusers < needed)) speak(state, subject, false);
  const isHeld = holders(state, doubt) > 0;
  if (isHeld || doubt.accusers < needed) {
    doubt.condemnedAt = undefined;
    doubt.stuckAt = isHeld ? undefined : (doubt.stuckAt ?? state.now);
    if (doubt.stuckAt !== undefined) stuck(state, doubt.stuckAt);
    return;
  }
  doubt.condemnedAt ??= state.now;
  const end = doubt.condemnedAt + GRACE;
  if (state.now >= end) bury(state, subject, 'lost', undefined, doubt.accusing());
  else state.judgements.set(subject, end);
}

/** Whether one of the links to it says that it lives. */
function isProved(state: State, subject: Subject): boolean {
  for (const [link, to] of state.links) if (to === subject && state.isProved(link)) return true;
  return false;
}

/** Of those that are present, how many have a link to it. */
function holders({ members, self, now }: State, doubt: Doubt): number {
  let count = 0;
  for (const { by, holds, at } of doubt.words()) {
    if (holds && now - at < CLAIM_LASTS && (by === self.id || members.get(by)?.member)) count += 1;
  }
  return count;
}

/** Two, or as many as there are who could notice; never none. */
function accusersNeeded(state: State, subject: Subject): number {
  return Math.max(1, able(state, subject, 2, true));
}

/** How many of its neighbours are not accused themselves: counted up to `most`, this peer among them or not. */
function able({ rings, members, self }: State, subject: Subject, most: number, withSelf: boolean): number {
  let count = 0;
  for (const id of rings.beside(subject.id)) {
    const other = members.get(id);
    if (id === self.id ? withSelf : other?.member && !other.isDoubted && !other.isLost) count += 1;
    if (count === most) break;
  }
  return count;
}
