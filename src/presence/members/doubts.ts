import { dialLater, dialSoon, neighboursMayMove } from './dials.ts';
import { Doubt } from './doubt.ts';
import type { Word } from './doubt.ts';
import { fingerprintOf } from './fingerprint.ts';
import { isFinal, markOf } from './members.ts';
import type { Subject } from './members.ts';
import { flood, jitter, send } from './state.ts';
import type { State } from './state.ts';
import { isLeaf } from './types.ts';
import type { Departure, LinkKey, Mark, Member, MembershipFrame } from './types.ts';

/**
 * Doubts, and how they end. A peer that lost its link to another accuses it; a peer that has one says so, and that blocks the
 * judgement; the accused refutes by a later version of itself. A judgement takes two accusers, if there can be two.
 */

/** How long the condemned may still refute, in ms. In simulation 50 to 300 ms all led to no false leave. */
const GRACE = 250;

/** An accusation that could not be decided is judged again after so long, in ms. */
const JUDGEMENT = 1_000;

/** Whoever else has lost the peer, or has a link to it, says so within so long, in ms, unless enough others have said so before. */
const SECOND_WITHIN = 20;
const CLAIM_WITHIN = 50;
const ENOUGH_CLAIMS = 2;

/** How long it is remembered that a life is over, in ms. */
export const TOMBSTONE = 300_000;

/** Somebody has lost the peer, or has a link to it. */
export function said(state: State, mark: Mark, word: Word, from: LinkKey): void {
  if (mark.id === state.self.id) {
    if (!word.holds) refute(state, mark);
    return;
  }
  const subject = state.members.get(mark.id);
  const known = subject?.member;
  if (!subject || known?.incarnation !== mark.incarnation || mark.version < known.version) return;
  if (word.by === state.self.id || !doubtOf(state, subject).add(word)) return;
  flood(state, frameOf(subject, word), from);
  if (word.holds) return;
  const isLinked = subject.links > 0;
  const within = isLinked ? CLAIM_WITHIN : subject.isLost ? SECOND_WITHIN : 0;
  state.judgements.hasten(subject, state.now + jitter(state, within));
  if (!isLinked && !subject.isLost && state.rings.beside(subject.id, 2).has(state.self.id)) {
    // Peers beyond its neighbours look for themselves: its neighbours may be those that are cut off.
    dialSoon(state, subject);
  }
}

function doubtOf(state: State, subject: Subject): Doubt {
  if (subject.doubt) return subject.doubt;
  state.judgements.hasten(subject, state.now + JUDGEMENT);
  return (subject.doubt = new Doubt());
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
  // That it cannot be reached from here was said once. When others lose it, this peer seconds them.
  if (subject.unreachable && able(state, subject, 1, false) > 0) return;
  doubtOf(state, subject);
  state.judgements.hasten(subject, state.now);
}

/** This peer has a link to it, whatever others say. */
export function claim(state: State, subject: Subject): void {
  const doubt = doubtOf(state, subject);
  if (!doubt.by(state.self.id)?.holds && holders(state, doubt) < ENOUGH_CLAIMS) speak(state, subject, true);
}

function speak(state: State, subject: Subject, holds: boolean): void {
  state.turn += 1;
  const word = { by: state.self.id, turn: state.turn, holds };
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

/** Nobody doubts it any more. */
export function clear(state: State, subject: Subject): void {
  subject.doubt = undefined;
  state.judgements.delete(subject);
}

/** Judges every accusation that is due. */
export function judgeDue(state: State): void {
  for (let each = state.judgements.take(state.now); each; each = state.judgements.take(state.now))
    judge(state, each);
}

function judge(state: State, subject: Subject): void {
  const { doubt } = subject;
  const isLost = subject.isLost && subject.links === 0;
  if (!subject.member || !doubt || (doubt.accusers === 0 && !isLost)) {
    clear(state, subject);
    return;
  }
  state.judgements.set(subject, state.now + JUDGEMENT);
  if (subject.links > 0) claim(state, subject);
  const needed = accusersNeeded(state, subject);
  if (doubt.accusers < needed && isLost && doubt.by(state.self.id)?.holds !== false)
    speak(state, subject, false);
  if (holders(state, doubt) > 0 || doubt.accusers < needed) {
    doubt.condemnedAt = undefined;
    return;
  }
  doubt.condemnedAt ??= state.now;
  const end = doubt.condemnedAt + GRACE;
  if (state.now >= end) bury(state, subject, 'lost');
  else state.judgements.set(subject, end);
}

/** Of those that are present, how many have a link to it. */
function holders({ members, self }: State, doubt: Doubt): number {
  let count = 0;
  for (const { by, holds } of doubt.words())
    if (holds && (by === self.id || members.get(by)?.member)) count += 1;
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

/** It has left. */
export function bury(state: State, subject: Subject, why: Departure): void {
  const member = subject.member!;
  const mark = markOf(member);
  depart(state, subject, why);
  state.members.entomb(subject, {
    ...{ mark, why, fingerprint: fingerprintOf(mark) },
    until: state.now + TOMBSTONE,
  });
  state.rings.remove(subject.id);
  if (isFinal(why) && subject.hint?.incarnation === mark.incarnation) subject.hint = undefined;
  state.dials.delete(subject);
  // A hint at it is worth another attempt, but makes it no neighbour.
  if (subject.hint) dialLater(state, subject);
  neighboursMayMove(state);
  // Perhaps it was the last one who could say that those live.
  for (const each of state.lost) accuse(state, each);
}

/** That life is not present any more. */
export function depart(state: State, subject: Subject, why: Departure | 'replaced'): void {
  const member = subject.member!;
  state.members.put(subject, undefined);
  clear(state, subject);
  found(state, subject);
  for (const each of state.unsaid.values()) each.delete(subject);
  if (!subject.unreachable) state.out.push({ type: 'left', member, why });
}

/** It is not lost any more: there is a link to it, or it has left. */
export function found(state: State, subject: Subject): void {
  subject.isLost = false;
  state.lost.delete(subject);
}
