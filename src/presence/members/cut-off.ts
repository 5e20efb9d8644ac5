import { dialSoon } from './dials.ts';
import { forget } from './leaving.ts';
import type { Subject } from './members.ts';
import type { State } from './state.ts';
import { isLeaf } from './types.ts';

/** A peer that may be cut off from the others, by a cable or by sleep, and sees them as they were. */

/** After so long without a decision and without anybody who vouches, in ms, this peer may be the one that is cut off. */
const STUCK = 3_000;

/** Those beyond a cut are not believed to be here for so long, in ms, unless somebody is reached there. */
const CUT = 30_000;

/** Before, it tries so many others. */
const TRIED = 8;

/** A doubt cannot be decided, and nobody vouches for the peer, since this time. */
export function stuck(state: State, since: number): void {
  if (since === state.now) return;
  if (state.now - since >= STUCK) leaveStranded(state);
  else tryOthers(state);
}

/** Perhaps all neighbours of this peer are gone: it dials some others. */
function tryOthers(state: State): void {
  if (state.now - state.triedAt < STUCK) return;
  state.triedAt = state.now;
  const others = [...state.members.subjects()].filter(
    ({ member, links, isLost }) => member && !isLeaf(member) && links === 0 && !isLost,
  );
  for (let left = Math.min(TRIED, others.length); left > 0; left -= 1) {
    const [other] = others.splice(Math.floor(state.random() * others.length), 1);
    other!.isTried = true;
    dialSoon(state, other!);
  }
}

/**
 * Few that are cut off from many lack the accusers to judge them all. But news of a peer comes by a chain of neighbours: those that
 * no chain without a doubt leads to, and who have said nothing, are gone, from here. Nothing cuts a peer off from its own host.
 */
function leaveStranded(state: State): void {
  if (state.now - state.strandedAt < STUCK) return;
  state.strandedAt = state.now;
  const { members, rings, links, self } = state;
  const chained = new Set([self.id]);
  for (const { id, member } of links.values()) if (member && !isLeaf(member)) chained.add(id);
  // A set goes on with what is added on the way.
  for (const id of chained) {
    for (const other of rings.beside(id)) {
      const subject = members.get(other);
      if (subject?.member && !subject.isDoubted && !subject.isLost) chained.add(other);
    }
  }
  for (const subject of members.subjects()) {
    const isSilent = state.now - subject.spokeAt > 2 * STUCK;
    const { member } = subject;
    if (!member || subject.links > 0 || !isSilent || chained.has(subject.id) || state.isHere(member))
      continue;
    subject.forgottenAt = state.now;
    subject.isSeconded = false;
    forget(state, subject);
  }
}

/**
 * Whether it was just taken to be beyond a cut. Those on this side may not have noticed the cut, and would pass it round among
 * themselves.
 */
export function isBeyondCut({ now }: State, { forgottenAt }: Subject): boolean {
  return now - forgottenAt < CUT;
}

/** There is a link to it: if it was beyond a cut, that is healed. */
export function healed(state: State, subject: Subject): void {
  if (!isBeyondCut(state, subject)) return;
  for (const each of state.members.subjects()) each.forgottenAt = -Infinity;
}

/** Another peer has told what it has: those that it does not know, and that this one is not linked with, are gone. */
export function believe(state: State): void {
  state.isUnsure = false;
  for (const subject of state.members.subjects()) {
    if (!subject.unvouched) continue;
    subject.unvouched = false;
    if (subject.member && subject.links === 0) forget(state, subject);
  }
}
