import { dialDue, dialLater, dialSoon, hinted, neighboursMayMove, plan, unhinted } from './dials.ts';
import { accuse, bury, changeSelf, claim, depart, held, judgeDue, refute, TOMBSTONE } from './doubts.ts';
import { isFinal, markOf, Members } from './members.ts';
import type { Subject } from './members.ts';
import { Rings } from './rings.ts';
import type { Places } from './rings.ts';
import { flood, isNeighbour, send } from './state.ts';
import type { State } from './state.ts';
import {
  answerDigest,
  answerSummary,
  compare,
  firstComparison,
  isNewer,
  say,
  spread,
  tellDue,
} from './telling.ts';
import type {
  Departure,
  LinkKey,
  Mark,
  Member,
  MembershipFrame,
  MembershipInput,
  MembershipOutput,
} from './types.ts';

export interface MembershipOptions {
  self: Member;
  /** Neighbours of a peer: an even number. */
  neighbours: number;
  places: Places;
  /** From 0 to 1. */
  random: () => number;
  /** On the clock of the peer, in ms. */
  now: number;
}

/**
 * Who is present, as one peer sees it: a function of what it was told, and when. No clock, no socket, no actor: `receive` takes
 * what happened and returns what is to be done, and `wakeAt` says when it wants to be called next.
 */
export class Membership {
  readonly #state: State;

  constructor({ self, neighbours, places, random, now }: MembershipOptions) {
    const rings = new Rings(neighbours / 2, places);
    rings.add(self.id);
    this.#state = {
      ...{ self, rings, members: new Members(self), links: new Map(), random, begun: now, now, out: [] },
      ...{ firstNews: -Infinity, lastNews: -Infinity, unsaid: new Map(), batchAt: Infinity },
      compareAt: firstComparison(now, random),
    };
  }

  /** This peer, as others see it. */
  get self(): Member {
    return this.#state.self;
  }

  /** The others that are present. */
  present(): Member[] {
    return this.#state.members.present();
  }

  /** Whether a link to this peer is to be kept, used or not. */
  isNeighbour(id: string): boolean {
    return isNeighbour(this.#state, id);
  }

  /** When `time.passed` is due. */
  get wakeAt(): number {
    const { batchAt, links, compareAt, members } = this.#state;
    let at = Math.min(batchAt, links.size > 0 ? compareAt : Infinity);
    for (const { dialAt, judgeAt } of members.subjects()) at = Math.min(at, dialAt, judgeAt);
    return at;
  }

  /** @returns what is to be done, in this order */
  receive(input: MembershipInput, now: number): MembershipOutput[] {
    const state = this.#state;
    state.now = now;
    state.out = [];
    take(state, input);
    judgeDue(state);
    dialDue(state);
    tellDue(state);
    return state.out;
  }
}

function take(state: State, input: MembershipInput): void {
  switch (input.type) {
    case 'hint.found':
      hinted(state, input.id, input.incarnation, input.addresses);
      break;
    case 'hint.lost':
      unhinted(state, input.id);
      break;
    case 'link.opened':
      opened(state, input.link, input.member, input.dialled);
      break;
    case 'link.closed':
      closed(state, input.link, input.goodbye);
      break;
    case 'dial.failed':
      dialFailed(state, state.members.subject(input.id), input.refused);
      break;
    case 'frame.received':
      frame(state, input.link, input.frame);
      break;
    case 'self.changed':
      changeSelf(state, input.about, state.self.version + 1);
      break;
    case 'lagged':
      lagged(state, input.time);
      break;
    case 'time.passed':
      break;
  }
}

function frame(state: State, link: LinkKey, received: MembershipFrame): void {
  const from = state.links.get(link);
  if (!from) return;
  switch (received.type) {
    case 'joined':
      for (const member of received.members) heard(state, member, link);
      break;
    case 'left':
      heardLeft(state, received.mark, received.why, from.id, link);
      break;
    case 'accused':
      accuse(state, received.mark, received.by, link);
      break;
    case 'have':
      held(state, received.mark, received.by, link);
      break;
    case 'digest':
      answerDigest(state, link, received.digest);
      break;
    case 'summary':
      answerSummary(state, link, received.marks);
      break;
    case 'difference':
      for (const member of received.members) heard(state, member, link);
      for (const { mark, why } of received.left) heardLeft(state, mark, why, from.id, link);
      for (const id of received.wanted) {
        if (id === state.self.id || state.members.get(id)?.member)
          say(state, state.members.subject(id), link);
      }
      break;
  }
}

/** @param from the link that told of it; undefined when the peer says it of itself, on a link of its own */
function heard(state: State, member: Member, from: LinkKey | undefined): void {
  const { id } = member;
  if (id === state.self.id) {
    // Somebody holds a later state of this life than this peer itself: its own has to be later still.
    const isOwn = member.incarnation === state.self.incarnation;
    if (isOwn && member.version > state.self.version) changeSelf(state, state.self.about, member.version + 1);
    return;
  }
  const subject = state.members.subject(id);
  const { member: known, tombstone } = subject;
  if (from !== undefined) state.unsaid.get(from)?.delete(subject);
  if (known && known.incarnation === member.incarnation) {
    subject.unvouched = false;
    if (member.version > known.version) changed(state, subject, member, from);
    return;
  }
  if (known ? known.started >= member.started : tombstone && !isNewer(member, tombstone)) return;
  if (known) depart(state, subject, 'replaced');
  state.members.put(subject, member);
  subject.tombstone = undefined;
  subject.failures = 0;
  subject.unreachable = false;
  subject.unvouched = false;
  state.rings.add(id);
  state.out.push({ type: 'joined', member });
  spread(state, subject, from);
  neighboursMayMove(state);
}

function changed(state: State, subject: Subject, member: Member, from: LinkKey | undefined): void {
  state.members.put(subject, member);
  subject.clear();
  if (!subject.unreachable) state.out.push({ type: 'changed', member });
  spread(state, subject, from);
  if (isNeighbour(state, subject.id)) plan(state, subject);
}

/** A goodbye is believed, unless there is a link to the peer: that link knows better. Anything else is a doubt. */
function heardLeft(state: State, mark: Mark, why: Departure, by: string, from: LinkKey): void {
  if (mark.id === state.self.id) {
    refute(state, mark);
    return;
  }
  const subject = state.members.get(mark.id);
  const known = subject?.member;
  if (!subject || !known || known.incarnation !== mark.incarnation) return;
  if (isFinal(why) && subject.links.size === 0) {
    bury(state, subject, why);
    flood(state, { type: 'left', mark, why }, from);
  } else {
    accuse(state, markOf(known), by, from);
  }
}

function opened(state: State, link: LinkKey, member: Member, dialled: boolean): void {
  const subject = state.members.subject(member.id);
  subject.links.add(link);
  subject.dialAt = Infinity;
  subject.dialledAt = undefined;
  subject.failures = 0;
  state.links.set(link, subject);
  state.unsaid.set(link, new Set());
  // A link proves the peer, whatever was said of it.
  const { tombstone } = subject;
  if (tombstone?.mark.incarnation === member.incarnation && !isFinal(tombstone.why))
    subject.tombstone = undefined;
  heard(state, member, undefined);
  if (subject.member && subject.unreachable) {
    subject.unreachable = false;
    state.out.push({ type: 'joined', member: subject.member });
  }
  if (subject.accusers.size > 0) claim(state, subject);
  if (dialled) compare(state, link);
  handOverDoubts(state, link);
}

/** A peer that joins now must judge as the others do. */
function handOverDoubts(state: State, link: LinkKey): void {
  for (const { member, accusers, holders } of state.members.subjects()) {
    if (!member || accusers.size === 0) continue;
    const mark = markOf(member);
    for (const by of accusers) send(state, link, { type: 'accused', mark, by });
    for (const by of holders) send(state, link, { type: 'have', mark, by });
  }
}

function closed(state: State, link: LinkKey, goodbye: boolean): void {
  const subject = state.links.get(link);
  if (!subject) return;
  state.links.delete(link);
  state.unsaid.delete(link);
  subject.links.delete(link);
  const { member } = subject;
  if (!member) return;
  if (goodbye) {
    bury(state, subject, 'stopped');
    flood(state, { type: 'left', mark: markOf(member), why: 'stopped' }, undefined);
  } else if (subject.links.size === 0) {
    const wasClaimed = subject.holders.delete(state.self.id);
    if (isNeighbour(state, subject.id)) dialSoon(state, subject);
    else if (wasClaimed) accuse(state, markOf(member), state.self.id, undefined);
  }
}

function dialFailed(state: State, subject: Subject, refused: boolean): void {
  subject.dialledAt = undefined;
  subject.failures += 1;
  const { member } = subject;
  if (subject.links.size > 0) return;
  if (!member) {
    // It gives up its place on the rings until it proves itself.
    if (state.rings.remove(subject.id)) neighboursMayMove(state);
  } else if (refused) {
    bury(state, subject, 'refused');
    flood(state, { type: 'left', mark: markOf(member), why: 'refused' }, undefined);
    return;
  } else {
    accuse(state, markOf(member), state.self.id, undefined);
    if (subject.failures > 1 && !subject.unreachable) {
      subject.unreachable = true;
      state.out.push({ type: 'left', member, why: 'unreachable' });
    }
  }
  dialLater(state, subject);
}

/** After so long this peer may have missed departures that the others have forgotten: it believes what it is told first. */
function lagged(state: State, time: number): void {
  if (time < TOMBSTONE / 2) return;
  for (const subject of state.members.subjects()) subject.unvouched = subject.member !== undefined;
  for (const link of state.links.keys()) compare(state, link);
}
