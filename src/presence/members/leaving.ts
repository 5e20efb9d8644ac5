import { dialLater, neighboursMayMove } from './dials.ts';
import { fingerprintOf } from './fingerprint.ts';
import { isAt, isFinal, markOf } from './members.ts';
import type { Subject } from './members.ts';
import type { State } from './state.ts';
import type { Departure, Mark } from './types.ts';

/** What happens when a peer is not present any more. */

/** How long it is remembered that a life is over, in ms. */
export const TOMBSTONE = 300_000;

/**
 * It has left.
 * @param later a later life of it that has left, which this peer did not know
 * @param by who told of it, or found it out
 */
export function bury(
  state: State,
  subject: Subject,
  why: Departure,
  later?: Mark,
  by: readonly string[] = [],
): void {
  const mark = later ?? markOf(subject.member!);
  depart(state, subject, later ? 'replaced' : why, by);
  state.members.entomb(subject, {
    ...{ mark, why, fingerprint: fingerprintOf(mark) },
    until: state.now + TOMBSTONE,
  });
  state.rings.remove(subject.id);
  if (isFinal(why) && isAt(subject, mark.incarnation)) subject.hint = undefined;
  state.dials.delete(subject);
  if (subject.hint && !isAt(subject, mark.incarnation)) {
    // Its next life was found before the end of this one.
    subject.failures = 0;
    state.rings.add(subject.id);
  } else if (subject.hint) {
    // A hint at it is worth another attempt, but makes it no neighbour.
    dialLater(state, subject);
  }
  neighboursMayMove(state);
  state.isFewer = true;
}

/** It is gone from here. Without a tombstone: whoever knows it may tell of it again. */
export function forget(state: State, subject: Subject): void {
  depart(state, subject, 'lost');
  state.rings.remove(subject.id);
  if (subject.hint) dialLater(state, subject);
  neighboursMayMove(state);
}

/** That life is not present any more. */
export function depart(
  state: State,
  subject: Subject,
  why: Departure | 'replaced',
  by: readonly string[] = [],
): void {
  const member = subject.member!;
  state.members.put(subject, undefined);
  clear(state, subject);
  found(state, subject);
  for (const each of state.unsaid.values()) each.delete(subject);
  if (!subject.unreachable) state.out.push({ type: 'left', member, why, by });
}

/** Nobody doubts it any more. */
export function clear(state: State, subject: Subject): void {
  subject.doubt = undefined;
  state.judgements.delete(subject);
}

/** It is not lost any more: there is a link to it, or it has left. */
export function found(state: State, subject: Subject): void {
  subject.isLost = false;
  subject.hasLostLink = false;
  subject.lostAt = undefined;
  state.lost.delete(subject);
}
