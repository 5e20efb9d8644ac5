import { dialLater, dialSoon, neighboursMayMove } from './dials.ts';
import { isFinal, markOf } from './members.ts';
import type { Subject } from './members.ts';
import { flood } from './state.ts';
import type { State } from './state.ts';
import type { Departure, LinkKey, Mark, Member } from './types.ts';

/**
 * Doubts, and how they end. A peer that lost its link to another accuses it; a peer that has one says so, and that blocks the
 * judgement; the accused refutes by a later version of itself. A judgement takes two accusers, if there can be two.
 */

/** How long the condemned may still refute, in ms. In simulation 50 to 300 ms all led to no false leave. */
const GRACE = 250;

/** An accusation that could not be decided is judged again after so long, in ms. */
const JUDGEMENT = 1_000;

/** How long it is remembered that a life is over, in ms. */
export const TOMBSTONE = 300_000;

/** `by` says that it has lost the peer. */
export function accuse(state: State, mark: Mark, by: string, from: LinkKey | undefined): void {
  if (mark.id === state.self.id) {
    refute(state, mark);
    return;
  }
  const subject = state.members.get(mark.id);
  const known = subject?.member;
  if (!subject || !known || known.incarnation !== mark.incarnation || mark.version < known.version) return;
  if (subject.accusers.has(by)) return;
  subject.accusers.add(by);
  subject.holders.delete(by);
  subject.judgeAt = Math.min(subject.judgeAt, state.now);
  flood(state, { type: 'accused', mark, by }, from);
  if (subject.links.size > 0) {
    claim(state, subject);
  } else if (by !== state.self.id && state.rings.beside(subject.id, 2).has(state.self.id)) {
    // Peers beyond its neighbours look for themselves: its neighbours may be those that are cut off.
    dialSoon(state, subject);
  }
}

/** This peer has a link to it, whatever others say. */
export function claim(state: State, subject: Subject): void {
  const { id } = state.self;
  if (subject.holders.has(id)) return;
  subject.holders.add(id);
  subject.accusers.delete(id);
  flood(state, { type: 'have', mark: markOf(subject.member!), by: id }, undefined);
}

/** `by` says that it has a link to the peer. */
export function held(state: State, mark: Mark, by: string, from: LinkKey): void {
  const subject = state.members.get(mark.id);
  if (subject?.member?.incarnation !== mark.incarnation || subject.holders.has(by)) return;
  subject.holders.add(by);
  subject.accusers.delete(by);
  flood(state, { type: 'have', mark, by }, from);
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
  for (const subject of state.members.subjects()) if (subject.judgeAt <= state.now) judge(state, subject);
}

function judge(state: State, subject: Subject): void {
  subject.judgeAt = state.now + JUDGEMENT;
  if (!subject.member || subject.accusers.size === 0) {
    subject.clear();
    return;
  }
  if (subject.links.size > 0) claim(state, subject);
  const isHeld = [...subject.holders].some(
    (id) => id === state.self.id || state.members.get(id)?.member !== undefined,
  );
  if (isHeld || subject.accusers.size < accusersNeeded(state, subject)) {
    subject.condemnedAt = undefined;
    return;
  }
  subject.condemnedAt ??= state.now;
  const end = subject.condemnedAt + GRACE;
  if (state.now >= end) bury(state, subject, 'lost');
  else subject.judgeAt = end;
}

/** Two, or as many as there are of its neighbours that are not accused themselves; never none. */
function accusersNeeded({ rings, members, self }: State, subject: Subject): number {
  let able = 0;
  for (const id of rings.beside(subject.id)) {
    const other = members.get(id);
    if (id === self.id || (other?.member && other.accusers.size === 0)) able += 1;
    if (able === 2) return 2;
  }
  return 1;
}

/** It has left. */
export function bury(state: State, subject: Subject, why: Departure): void {
  const mark = markOf(subject.member!);
  subject.tombstone = { mark, why, until: state.now + TOMBSTONE };
  depart(state, subject, why);
  state.rings.remove(subject.id);
  if (isFinal(why) && subject.hint?.incarnation === mark.incarnation) subject.hint = undefined;
  subject.dialAt = Infinity;
  // A hint at it is worth another attempt, but makes it no neighbour.
  if (subject.hint) dialLater(state, subject);
  neighboursMayMove(state);
}

/** That life is not present any more. */
export function depart(state: State, subject: Subject, why: Departure | 'replaced'): void {
  const member = subject.member!;
  state.members.put(subject, undefined);
  subject.clear();
  subject.holders.clear();
  for (const each of state.unsaid.values()) each.delete(subject);
  if (!subject.unreachable) state.out.push({ type: 'left', member, why });
}
