import type { Address } from '../../transport/address.ts';
import type { Subject } from './members.ts';
import { isFinal, isNamed } from './members.ts';
import { jitter } from './state.ts';
import type { State } from './state.ts';
import { isLeaf } from './types.ts';
import type { Member } from './types.ts';

/** Hints, and the dials that follow from them: a peer dials its neighbours, and nobody else unless there is a doubt. */

/** News is waited for as long as more of it comes, since each may move the neighbours; in ms. Where many start, it comes slowly. */
const NEWS = 150;
const MOST_NEWS = 1_000;

/** The same while everybody is everybody's neighbour: this is how long two peers take longer to meet, in ms. */
const FEW_NEWS = 15;
const MOST_FEW_NEWS = 240;

/** Of two peers that could dial each other, one waits this long for the other, in ms; and where many start at once, which takes them longer. */
const POLITE = 60;
const POLITE_OF_MANY = 250;
const LONGEST_POLITE = 1_000;

/** A peer that has run for so long is no newcomer any more, in ms. */
const NEWCOMER = 1_000;

/** Before the first repetition of a dial, doubled each time, and at most; in ms, with full jitter. */
const RETRY = 1_000;
const LONGEST_RETRY = 60_000;

/** The same while few peers are known, which cannot flood each other with dials. */
const RETRY_OF_FEW = 100;
const LONGEST_RETRY_OF_FEW = 10_000;

/** So many are few. */
const FEW = 32;

/** Dials under way that have not hung yet. */
const MOST_DIALS = 16;

/** The same for a leaf that has no link yet to a peer that tells of others: it needs one such peer, whichever answers first. */
const MOST_FIRST_DIALS = 1;

/** A dial that takes longer gives up its place, in ms. */
const HANGS = 150;

/** Before a peer that was lost or is doubted is dialled, in ms, with full jitter. */
const SOON = 20;

export function hinted(
  state: State,
  id: string,
  incarnation: string,
  addresses: readonly Address[],
  patience: number | undefined,
): void {
  if (id === state.self.id) return;
  const subject = state.members.subject(id);
  const { tombstone } = subject;
  if (tombstone?.mark.incarnation === incarnation && isFinal(tombstone.why)) return;
  const isName = isNamed({ addresses });
  const wasName = subject.hint !== undefined && isNamed(subject.hint);
  if (isName && subject.hint) return;
  const isNew = subject.hint?.incarnation !== incarnation;
  subject.hint = { incarnation, addresses, patience };
  if (wasName && subject.dialledLife === '') subject.dialledLife = incarnation;
  if (isName ? subject.member : wasName && tombstone?.mark.incarnation === incarnation) return;
  if (!isNew || subject.member?.incarnation === incarnation) return;
  subject.failures = 0;
  subject.failingSince = undefined;
  // Its place follows from its name, so its address moves nobody.
  if (state.rings.add(id) || !wasName) neighboursMayMove(state);
}

export function unhinted(state: State, id: string): void {
  const subject = state.members.get(id);
  if (!subject) return;
  subject.hint = undefined;
  if (subject.member) return;
  state.dials.delete(subject);
  if (state.rings.remove(id)) neighboursMayMove(state);
}

/** The neighbours may be others now. Dials wait until nothing more comes for a while. */
export function neighboursMayMove(state: State): void {
  if (state.lastNews < state.now - MOST_FEW_NEWS) state.firstNews = state.now;
  state.lastNews = state.now;
  state.isLeafMoved = true;
}

/** Plans the dials of new neighbours. Once for all news that came together. */
export function planDials(state: State): void {
  if (isLeaf(state.self)) planLeaf(state);
  const { neighbours } = state.rings;
  if (neighbours === state.planned) return;
  state.planned = neighbours;
  for (const id of neighbours) plan(state, state.members.subject(id));
}

/**
 * A leaf is nobody's neighbour. It dials one peer after the other until one tells it of the others. Those that it finds hints at
 * and that nobody tells it of are new, dead, or leaves: it dials them to find out.
 */
function planLeaf(state: State): void {
  const { tellers, members, compared, asked } = state;
  if (!state.isLeafMoved || (tellers.size > 0 && (!compared || asked.size > 0))) return;
  state.isLeafMoved = false;
  for (const subject of members.subjects()) {
    const { member, hint, dialledAt, failures } = subject;
    if (dialledAt !== undefined || failures > 0 || subject.links > 0) continue;
    if (tellers.size === 0 ? (member ?? hint) : hint && !member) state.dials.hasten(subject, state.now);
  }
}

export function plan(state: State, subject: Subject): void {
  if (subject.links > 0 || subject.dialledAt !== undefined) return;
  if (subject.failures > 0 && state.dials.at(subject) < Infinity) return;
  if (!subject.isPlanned) subject.plannedAt = state.now;
  subject.isPlanned = true;
  state.dials.hasten(subject, turn(state, subject));
}

/**
 * When a neighbour is dialled. While everybody is everybody's neighbour, only a storm of news can move them, and the peer with the
 * lower id dials at once. Otherwise, of a newcomer and a peer that has been there, the newcomer dials; of two alike, the one with
 * the lower id.
 */
function turn(state: State, { id, member, hint, plannedAt }: Subject): number {
  // A process that was late has not read yet that the other side dials.
  const late = Math.min(state.lateUntil, plannedAt + LONGEST_POLITE);
  if (state.rings.isFull) {
    const patience = (member ? undefined : hint?.patience) ?? (state.self.id > id ? POLITE : 0);
    const quiet = Math.min(state.lastNews + FEW_NEWS, state.firstNews + MOST_FEW_NEWS);
    return Math.max(quiet, plannedAt + patience, patience > 0 ? late : 0);
  }
  const quiet = Math.min(state.lastNews + NEWS, state.firstNews + MOST_NEWS);
  const settled = state.now - state.begun > NEWCOMER ? POLITE_OF_MANY : 0;
  return state.self.id > id ? Math.max(quiet + settled + POLITE_OF_MANY, late) : quiet + settled;
}

export function dialSoon(state: State, subject: Subject): void {
  if (subject.links > 0 || subject.dialledAt !== undefined) return;
  subject.isPlanned = false;
  state.dials.hasten(subject, state.now + jitter(state, SOON));
}

export function dialLater(state: State, subject: Subject): void {
  const areFew = state.members.known <= FEW;
  const [first, longest] = areFew ? [RETRY_OF_FEW, LONGEST_RETRY_OF_FEW] : [RETRY, LONGEST_RETRY];
  const most = Math.min(longest, first * 2 ** Math.min(subject.failures, 16));
  subject.isPlanned = false;
  state.dials.set(subject, state.now + jitter(state, most));
}

/** The dial is over, however it ended. */
export function dialEnded(state: State, subject: Subject): void {
  subject.dialledAt = undefined;
  subject.dialledLife = undefined;
  subject.isTried = false;
  state.dialling.delete(subject);
}

/** Which life of it to dial: the one that is present, and every other time the one that is hinted at, while dials fail. */
function aim({ member, hint, failures }: Subject): Subject['hint'] | Member {
  const isOther = hint && !isNamed(hint) && hint.incarnation !== member?.incarnation;
  return isOther && failures % 2 === 1 ? hint : (member ?? hint);
}

/** Begins every dial that is due and has a place. */
export function dialDue(state: State): void {
  if (state.dials.next > state.now) return;
  const most = isLeaf(state.self) && state.tellers.size === 0 ? MOST_FIRST_DIALS : MOST_DIALS;
  let underWay = 0;
  for (const { dialledAt } of state.dialling) if (state.now - dialledAt! < HANGS) underWay += 1;
  for (let subject = state.dials.take(state.now); subject; subject = state.dials.take(state.now)) {
    if (underWay >= most) {
      state.dials.set(subject, state.now + 1 + jitter(state, HANGS));
    } else if (dial(state, subject)) {
      underWay += 1;
    }
  }
}

/** False when there is no need to, or it has to wait. */
function dial(state: State, subject: Subject): boolean {
  if (subject.links > 0 || subject.dialledAt !== undefined) return false;
  const life = aim(subject);
  if (!life || (life === subject.member && isLeaf(life))) return false;
  if (!isWanted(state, subject)) {
    // Those beside it may leave, and then its turn comes.
    if (!subject.member)
      state.dials.set(subject, state.now + LONGEST_RETRY / 2 + jitter(state, LONGEST_RETRY));
    return false;
  }
  if (subject.isPlanned && turn(state, subject) > state.now) {
    plan(state, subject);
    return false;
  }
  subject.isPlanned = false;
  subject.dialledAt = state.now;
  subject.lostAt ??= state.now;
  subject.dialledLife = life.incarnation;
  state.dialling.add(subject);
  state.out.push({ type: 'dial', id: subject.id, addresses: life.addresses });
  return true;
}

/**
 * Whether this peer is one of those that dial it: its neighbours, also while it is not there and they only would be, or else all
 * would dial whoever is gone; anybody while it is doubted; and whoever could not reach it, since that is for itself only.
 */
function isWanted({ self, tellers, rings, compared, asked }: State, subject: Subject): boolean {
  if (isLeaf(self)) {
    const isUntold = !subject.member && compared && asked.size === 0;
    return tellers.size === 0 || isUntold || subject.unreachable;
  }
  return subject.isDoubted || subject.unreachable || subject.isTried || rings.beside(subject.id).has(self.id);
}

/** Whether it is hinted at and not present, and this peer will dial it. */
export function isSought(state: State, subject: Subject): boolean {
  if (!subject.hint || subject.member) return false;
  return subject.dialledAt !== undefined || (state.dials.at(subject) < Infinity && isWanted(state, subject));
}
