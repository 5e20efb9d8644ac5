import { isBeyondCut } from './cut-off.ts';
import { neighboursMayMove, plan } from './dials.ts';
import { changeSelf, refute, said } from './doubts.ts';
import { bury, clear, depart } from './leaving.ts';
import { fingerprintOf } from './fingerprint.ts';
import { isFinal } from './members.ts';
import type { Subject } from './members.ts';
import { flood, isNeighbour } from './state.ts';
import type { State } from './state.ts';
import { isNewer, sayLeft, spread, spreadAtOnce } from './telling.ts';
import { isLeaf } from './types.ts';
import type { Departure, LinkKey, Mark, Member } from './types.ts';

/** What others say of who is present, and who has left. */

/** Others that a peer knows, at most: some 10 MB. A peer with the secret could tell of any number. */
const MOST_MEMBERS = 16_384;

/** @param from the link that told of it; undefined when the peer says it of itself, on a link of its own */
export function heard(state: State, member: Member, from: LinkKey | undefined): void {
  const { id } = member;
  if (id === state.self.id) {
    const { incarnation, started, about, version } = state.self;
    if (member.incarnation === incarnation) {
      // Somebody holds a later state of this life than this peer itself: its own has to be later still.
      if (member.version > version) changeSelf(state, about, member.version + 1);
    } else if (member.started >= started) {
      // The life before this one began later, by a clock that was set back since.
      changeSelf(state, about, version + 1, { started: member.started + 1 });
    }
    return;
  }
  const subject = state.members.subject(id);
  const { member: known, tombstone } = subject;
  state.asked.delete(fingerprintOf(member));
  const isDirect = from === undefined;
  // A leaf speaks for itself only.
  if (!isDirect && isLeaf(member) && subject.links === 0) return;
  if (from !== undefined) state.unsaid.get(from)?.delete(subject);
  subject.toldBy = from === undefined ? undefined : state.links.get(from)?.id;
  if (known && known.incarnation === member.incarnation) {
    subject.unvouched = false;
    if (member.version > known.version) changed(state, subject, member, from);
    return;
  }
  // A link proves the life that it leads to, whatever the clocks say.
  if (from !== undefined) {
    if (!known && isBeyondCut(state, subject)) return;
    if (known && known.started >= member.started) return;
    if (!known && tombstone && !isNewer(member, tombstone)) {
      sayLeft(state, from, tombstone);
      return;
    }
  }
  if (!known && state.members.size >= MOST_MEMBERS) return;
  if (known) depart(state, subject, 'replaced');
  state.members.put(subject, member);
  subject.spokeAt = state.now;
  subject.failures = 0;
  subject.failingSince = undefined;
  subject.unreachable = false;
  subject.unvouched = false;
  if (!isLeaf(member)) state.rings.add(id);
  state.out.push({ type: 'joined', member });
  spread(state, subject, from);
  neighboursMayMove(state);
}

function changed(state: State, subject: Subject, member: Member, from: LinkKey | undefined): void {
  state.members.put(subject, member);
  subject.spokeAt = state.now;
  const isRefutation = subject.doubt !== undefined;
  clear(state, subject);
  if (!subject.unreachable) state.out.push({ type: 'changed', member });
  if (isRefutation) spreadAtOnce(state, subject, from);
  else spread(state, subject, from);
  if (isNeighbour(state, subject.id)) plan(state, subject);
}

/** A goodbye is believed, unless there is a link to the peer: that link knows better. Anything else is a doubt. A leaf believes it. */
export function heardLeft(state: State, mark: Mark, why: Departure, by: string, from: LinkKey): void {
  if (mark.id === state.self.id) {
    refute(state, mark);
    return;
  }
  const subject = state.members.get(mark.id);
  const known = subject?.member;
  if (!subject || !known) return;
  if (known.incarnation !== mark.incarnation) {
    // A later life of it has left, so this one is over, too.
    if (mark.started > known.started && subject.links === 0) bury(state, subject, why, mark, [by]);
    return;
  }
  if ((isFinal(why) || isLeaf(state.self)) && subject.links === 0) {
    bury(state, subject, why, undefined, [by]);
    flood(state, { type: 'left', mark, why }, from);
    return;
  }
  const last = subject.doubt?.by(by);
  // Two such words decide, or the peer refutes them. When a split heals, each side has buried all of the other one.
  if (!last?.holds && (subject.doubt?.accusers ?? 0) >= 2) return;
  // Later than what it has said, and earlier than what it may say next.
  said(state, mark, { by, turn: (last?.turn ?? 0) + 0.5, holds: false, at: state.now }, from);
}
