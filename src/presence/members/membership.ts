import { Agenda } from './agenda.ts';
import { dialDue, hinted, isSought, planDials, unhinted } from './dials.ts';
import { believe } from './cut-off.ts';
import { changeSelf, judgeDue, said } from './doubts.ts';
import { closed, dialFailed, lagged, opened } from './links.ts';
import { Members } from './members.ts';
import { heard, heardLeft } from './hearing.ts';
import { Rings } from './rings.ts';
import type { Places } from './rings.ts';
import { isNeighbour } from './state.ts';
import type { State } from './state.ts';
import {
  answerDigest,
  answerOffer,
  answerSummary,
  describe,
  firstComparison,
  tellAt,
  tellDue,
} from './telling.ts';
import { isLeaf } from './types.ts';
import type { LinkKey, Member, MembershipFrame, MembershipInput, MembershipOutput } from './types.ts';

/** So late a process may be all the time, in ms. */
const LATE = 200;

/** After a stall, judgements wait for so long at most, in ms. */
const LONGEST_WAIT = 10_000;

export interface MembershipOptions {
  self: Member;
  /** Neighbours of a peer: an even number. */
  neighbours: number;
  places: Places;
  /** Nobody tells this leaf of others: it dials all that it finds, and keeps its links. Default: false. */
  isUntold?: boolean;
  /** Whether the other side of this open link is known to live. Default: always. */
  isProved?: (link: LinkKey) => boolean;
  /** Whether a peer is on the host of this one, so that no cable can come between them. Default: none is. */
  isHere?: (member: Member) => boolean;
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
  /** When it should be called next, at the latest. */
  #expected = Infinity;

  constructor(options: MembershipOptions) {
    const { self, neighbours, places, isUntold = false, isProved = () => true, random, now } = options;
    const { isHere = () => false } = options;
    const rings = new Rings(neighbours / 2, places, isLeaf(self) ? undefined : self.id);
    this.#state = {
      ...{
        self,
        rings,
        members: new Members(self),
        links: new Map(),
        tellers: new Set(),
        isUntold,
        isProved,
        isHere,
        lateUntil: -Infinity,
        random,
        begun: now,
        now,
        out: [],
      },
      ...{ firstNews: -Infinity, lastNews: -Infinity, unsaid: new Map(), batchAt: Infinity },
      ...{ batchedAt: -Infinity, batchTime: 0 },
      ...{
        dials: new Agenda(),
        judgements: new Agenda(),
        dialling: new Set(),
        lost: new Set(),
        planned: undefined,
      },
      ...{ turn: self.started, asked: new Map() },
      ...{ compareAt: firstComparison(now, random), compared: isUntold, isAnswered: false },
      ...{ isLeafMoved: false, isUnsure: false, isFewer: false, triedAt: -Infinity, strandedAt: -Infinity },
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
    return subject !== undefined && isSought(this.#state, subject);
  }

  /** Whether a link to it is of no use to presence: it is no neighbour, no leaf that depends on it, and nobody doubts it. */
  isDispensable(id: string): boolean {
    const { self, tellers, isUntold, members } = this.#state;
    const subject = members.get(id);
    if (subject?.doubt || (subject?.member && isLeaf(subject.member))) return false;
    if (isLeaf(self)) return tellers.size > 1 && !isUntold;
    return !isNeighbour(this.#state, id);
  }

  /** Whether a link to this peer is to be kept, used or not. */
  isNeighbour(id: string): boolean {
    return isNeighbour(this.#state, id);
  }

  /** When `time.passed` is due. */
  get wakeAt(): number {
    const { dials, judgements } = this.#state;
    return Math.min(tellAt(this.#state), dials.next, judgements.next);
  }

  /** @returns what is to be done, in this order */
  receive(input: MembershipInput, now: number): MembershipOutput[] {
    return this.receiveAll([input], now);
  }

  /** Many hints come at once where many start: what follows from all of them is found out once. */
  receiveAll(inputs: readonly MembershipInput[], now: number): MembershipOutput[] {
    const state = this.#state;
    state.now = now;
    state.out = [];
    noteLag(state, now - this.#expected);
    for (const input of inputs) take(state, input);
    judgeDue(state);
    if (!state.compared && state.isAnswered && state.asked.size === 0) {
      state.compared = true;
      state.isLeafMoved = true;
    }
    planDials(state);
    // Many hints can come at once, and all of them count before the first dial.
    if (inputs.some(({ type }) => type === 'time.passed')) dialDue(state);
    tellDue(state);
    this.#expected = Math.max(now, this.wakeAt);
    return state.out;
  }
}

/** Others on a busy host are about as late: their words come after as long again. */
function noteLag(state: State, late: number): void {
  if (late < LATE) return;
  state.lateUntil = Math.max(state.lateUntil, state.now + Math.min(2 * late, LONGEST_WAIT));
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
      opened(state, input);
      break;
    case 'link.closed':
      closed(state, input.link, input.goodbye);
      break;
    case 'dial.failed':
      dialFailed(state, state.members.subject(input.id), input);
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
    case 'have': {
      const { mark, by, turn } = received;
      said(state, mark, { by, turn, holds: received.type === 'have', at: state.now }, link);
      break;
    }
    case 'digest':
      answerDigest(state, link, received.digest);
      break;
    case 'summary':
      answerSummary(state, link, received.fingerprints);
      break;
    case 'difference':
      state.isAnswered = true;
      describe(state, link, received.wanted);
      answerOffer(state, link, received.offered);
      if (state.isUnsure) believe(state);
      break;
    case 'offered':
      answerOffer(state, link, received.fingerprints);
      break;
    case 'wanted':
      describe(state, link, received.fingerprints);
      break;
  }
}
