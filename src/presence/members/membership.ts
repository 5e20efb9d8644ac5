import { dialDue, dialLater, dialSoon, hinted, neighboursMayMove, planLeaf, unhinted } from './dials.ts';
import { accuse, bury, changeSelf, claim, held, judgeDue, TOMBSTONE } from './doubts.ts';
import { heard, heardLeft } from './hearing.ts';
import { markOf, Members } from './members.ts';
import type { Subject } from './members.ts';
import { Rings } from './rings.ts';
import type { Places } from './rings.ts';
import { flood, isNeighbour, send } from './state.ts';
import type { State } from './state.ts';
import { isLeaf } from './types.ts';
import { answerDigest, answerSummary, askForAll, compare, firstComparison, say, tellDue } from './telling.ts';
import type { LinkKey, Member, MembershipFrame, MembershipInput, MembershipOutput } from './types.ts';

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
    if (!isLeaf(self)) rings.add(self.id);
    this.#state = {
      ...{ self, rings, members: new Members(self), links: new Map(), random, begun: now, now, out: [] },
      ...{ firstNews: -Infinity, lastNews: -Infinity, unsaid: new Map(), batchAt: Infinity },
      ...{ compareAt: firstComparison(now, random), compared: false },
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

  get(id: string): Member | undefined {
    return this.#state.members.get(id)?.member;
  }

  /** The id of the peer that last told of it; undefined when it said so itself. */
  toldBy(id: string): string | undefined {
    return this.#state.members.get(id)?.toldBy;
  }

  /** Whether this peer has ever received what another one has. */
  get compared(): boolean {
    return this.#state.compared;
  }

  /** Whether it is hinted at and not present, and will be dialled. */
  isSought(id: string): boolean {
    const subject = this.#state.members.get(id);
    if (!subject?.hint || subject.member) return false;
    return subject.dialAt < Infinity || subject.dialledAt !== undefined;
  }

  /** Whether a link to it is of no use to presence: it is no neighbour, and nobody doubts it. */
  isDispensable(id: string): boolean {
    const { self, links, members } = this.#state;
    if (isLeaf(self)) return links.size > 1;
    const subject = members.get(id);
    return !isNeighbour(this.#state, id) && (subject?.accusers.size ?? 0) === 0;
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
    // Many hints can come at once, and all of them count before the first dial.
    if (input.type === 'time.passed') dialDue(state);
    tellDue(state);
    return state.out;
  }
}

function take(state: State, input: MembershipInput): void {
  switch (input.type) {
    case 'hint.found':
      hinted(state, input.id, input.incarnation, input.addresses, input.patience);
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
      dialFailed(state, state.members.subject(input.id), input.refused, input.moot ?? false);
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
      state.compared = true;
      for (const member of received.members) heard(state, member, link);
      for (const { mark, why } of received.left) heardLeft(state, mark, why, from.id, link);
      for (const id of received.wanted) {
        if (id === state.self.id || state.members.get(id)?.member)
          say(state, state.members.subject(id), link);
      }
      if (isLeaf(state.self)) planLeaf(state);
      break;
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
  if (tombstone && (tombstone.mark.incarnation !== member.incarnation || tombstone.why !== 'stopped'))
    subject.tombstone = undefined;
  heard(state, member, undefined);
  if (subject.member && subject.unreachable) {
    subject.unreachable = false;
    state.out.push({ type: 'joined', member: subject.member });
  }
  if (subject.accusers.size > 0) claim(state, subject);
  if (!state.compared) askForAll(state, link);
  else if (dialled) compare(state, link);
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
  } else if (subject.links.size === 0 && isLeaf(member)) {
    bury(state, subject, 'lost');
  } else if (subject.links.size === 0) {
    const wasClaimed = subject.holders.delete(state.self.id);
    if (isNeighbour(state, subject.id)) dialSoon(state, subject);
    else if (wasClaimed) accuse(state, markOf(member), state.self.id, undefined);
  }
  if (isLeaf(state.self)) planLeaf(state);
}

function dialFailed(state: State, subject: Subject, refused: boolean, moot: boolean): void {
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
    if (!moot) accuse(state, markOf(member), state.self.id, undefined);
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
