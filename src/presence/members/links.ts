import { askElsewhere } from './asking.ts';
import { healed } from './cut-off.ts';
import { dialEnded, dialLater, dialSoon } from './dials.ts';
import { accuse, claim, handOverDoubts } from './doubts.ts';
import { bury, found, TOMBSTONE } from './leaving.ts';
import { markOf } from './members.ts';
import type { Subject } from './members.ts';
import { heard } from './hearing.ts';
import { flood, isNeighbour, jitter } from './state.ts';
import type { State } from './state.ts';
import { askForAll, compare } from './telling.ts';
import { isLeaf } from './types.ts';
import type { LinkKey, MembershipInput } from './types.ts';

/** Links that open and close, and dials that fail. */

/**
 * A peer to which there was no link yet may be slow to answer. Such dials have to fail for so long before they say anything, in ms,
 * which is as long as a linked peer may be silent.
 */
const SLOW = 6_000;

/** The same for a process that takes connections, and so is there: all that start at once on an overloaded host are too busy. */
const BUSY = 30_000;

/** When one lost peer is back, the others are dialled within so long, in ms. */
const BACK = 1_000;

export function opened(
  state: State,
  { link, member, dialled, tells = true }: Extract<MembershipInput, { type: 'link.opened' }>,
): void {
  const subject = state.members.subject(member.id);
  const isBack = subject.failures > 0 && subject.tombstone?.why === 'lost';
  subject.links += 1;
  state.dials.delete(subject);
  dialEnded(state, subject);
  subject.failures = 0;
  subject.failingSince = undefined;
  found(state, subject);
  healed(state, subject);
  state.links.set(link, subject);
  if (tells || state.isUntold) state.tellers.add(link);
  // A leaf goes on with the next one at once.
  else state.isLeafMoved = true;
  state.unsaid.set(link, new Set());
  // A link proves the peer, whatever was said of it.
  const { tombstone } = subject;
  if (tombstone && (tombstone.mark.incarnation !== member.incarnation || tombstone.why !== 'stopped'))
    state.members.entomb(subject, undefined);
  heard(state, member, undefined);
  if (subject.member && subject.unreachable) {
    subject.unreachable = false;
    state.out.push({ type: 'joined', member: subject.member });
  }
  if (subject.isDoubted) claim(state, subject);
  if (!state.compared || state.isUnsure) askForAll(state, link);
  else if (dialled) compare(state, link);
  handOverDoubts(state, link);
  if (isBack) hastenOthers(state);
}

/** The network works again: those that were lost, too, are dialled soon, and not at the end of their pauses, which have become long. */
function hastenOthers(state: State): void {
  for (const subject of state.members.subjects()) {
    const { links, failures, hint, dialledAt } = subject;
    if (links === 0 && failures > 0 && hint && dialledAt === undefined)
      state.dials.hasten(subject, state.now + jitter(state, BACK));
  }
}

export function closed(state: State, link: LinkKey, goodbye: boolean): void {
  const subject = state.links.get(link);
  if (!subject) return;
  state.links.delete(link);
  state.tellers.delete(link);
  state.unsaid.delete(link);
  askElsewhere(state, link);
  subject.links -= 1;
  state.isLeafMoved = true;
  const { member } = subject;
  if (!member) return;
  if (goodbye) {
    bury(state, subject, 'stopped');
    flood(state, { type: 'left', mark: markOf(member), why: 'stopped' }, undefined);
  } else if (subject.links === 0 && isLeaf(member)) {
    bury(state, subject, 'lost');
  } else if (subject.links === 0) {
    subject.lostAt = state.now;
    subject.hasLostLink = isNeighbour(state, subject.id);
    if (subject.hasLostLink) dialSoon(state, subject);
    else if (subject.doubt?.by(state.self.id)?.holds) accuse(state, subject);
  }
}

export function dialFailed(
  state: State,
  subject: Subject,
  { refused, moot = false, slow = false, busy = false }: Extract<MembershipInput, { type: 'dial.failed' }>,
): void {
  const { member, hint, dialledLife } = subject;
  dialEnded(state, subject);
  if (subject.links > 0) return;
  if (dialledLife !== undefined && dialledLife !== member?.incarnation && dialledLife !== hint?.incarnation) {
    // It says nothing about the life that has begun since.
    dialSoon(state, subject);
    return;
  }
  subject.failures += 1;
  subject.failingSince ??= state.now;
  if (!member) {
    // It gives up its place on the rings until it proves itself. That is no news, so whoever comes next is dialled at once.
    if (state.rings.remove(subject.id)) state.isLeafMoved = true;
  } else if (dialledLife === undefined || dialledLife === member.incarnation) {
    if (refused) {
      bury(state, subject, 'refused');
      flood(state, { type: 'left', mark: markOf(member), why: 'refused' }, undefined);
      return;
    }
    if (!busy || isFailing(state, subject, BUSY)) {
      // A peer of this host that takes connections can be reached, once it has time.
      const isLate = state.isHere(member) && (busy || (slow && !isFailing(state, subject, BUSY)));
      const isOut = subject.failures > 1 && isVouchedFor(state, subject) && !isLate;
      if (isOut && !subject.unreachable && state.now >= state.lateUntil) {
        subject.unreachable = true;
        state.out.push({ type: 'left', member, why: 'unreachable', by: [] });
      }
      if (!moot && (!slow || subject.hasLostLink || isFailing(state, subject, SLOW))) accuse(state, subject);
    }
  }
  dialLater(state, subject);
}

function isFailing({ now }: State, { failingSince }: Subject, time: number): boolean {
  return now - failingSince! >= time;
}

/** Whether it is there for others: somebody says that it has a link to it, or nobody has lost it for that long. */
function isVouchedFor(state: State, subject: Subject): boolean {
  return (subject.doubt?.holders ?? 0) > 0 || isFailing(state, subject, SLOW);
}

/** After so long this peer may have missed departures that the others have forgotten: it believes what it is told first. */
export function lagged(state: State, time: number): void {
  if (time < TOMBSTONE / 2) return;
  state.isUnsure = true;
  for (const subject of state.members.subjects()) subject.unvouched = subject.member !== undefined;
  for (const link of state.links.keys()) askForAll(state, link);
}
