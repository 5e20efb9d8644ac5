import type { KeyObject } from 'node:crypto';

import { Alarm } from '../base/time/alarm.ts';
import { systemClock } from '../base/time/clock.ts';
import type { Clock } from '../base/time/clock.ts';
import { Evidence } from '../connection/link/evidence.ts';
import type { LeaveReason } from '../connection/link/evidence.ts';
import type { Link, PeerRecord } from '../connection/link/link.ts';
import { createRecord } from '../connection/link/peer-record.ts';
import { changeFunctions, differenceOf } from '../connection/link/told-functions.ts';
import type { Address } from '../transport/address.ts';
import { isOnHost, scopeOf } from '../transport/scope.ts';
import type { Presence, PresenceFrame } from '../wire/presence-frames.ts';
import { FunctionLists } from './exchange/function-lists.ts';
import { Intake } from './exchange/intake.ts';
import { aboutOf, readAddresses, sendPresence } from './exchange/members-wire.ts';
import type { About, MemberReader } from './exchange/members-wire.ts';
import { Membership } from './members/membership.ts';
import type { LinkKey, Member, MembershipInput, MembershipOutput } from './members/types.ts';
import { placesBy } from './places.ts';
import type { OwnPresence } from './exchange/own-presence.ts';

/** Carries the core of presence: gives it what happens on links, sends what it tells, and keeps a record of every peer in it. */

/** What follows for discovery, in this order. */
export type PresenceChange =
  | { readonly type: 'dial'; readonly id: string; readonly addresses: readonly Address[] }
  | { readonly type: 'joined'; readonly record: PeerRecord }
  | { readonly type: 'left'; readonly record: PeerRecord; readonly why: LeaveReason }
  | {
      readonly type: 'changed';
      readonly record: PeerRecord;
      readonly added: string[];
      readonly removed: string[];
    };

export interface CarrierInput {
  clock: Clock;
  random: () => number;
  own: OwnPresence;
  /** For the places of the peers on the rings. */
  ringKey: KeyObject;
  neighbours: number;
  /** Whether this peer is told nothing of others. */
  isGuest: boolean;
  reader: MemberReader;
  /** Called when `wake` is due. */
  ring: () => void;
}

export class Carrier {
  readonly core: Membership;
  readonly #clock: Clock;
  readonly #own: OwnPresence;
  readonly #lists: FunctionLists;
  readonly #reader: MemberReader;
  readonly #intake: Intake;
  readonly #alarm: Alarm;
  /** When the core is woken, on the clock. */
  #due = Infinity;
  readonly #records = new Map<string, PeerRecord>();
  /** Open links, by the names that the core has for them. */
  readonly #links = new Map<LinkKey, Link>();
  readonly #keys = new Map<Link, LinkKey>();
  #newest = 0;
  /** Links to peers that tell of others, and want to be told: those that tell of themselves in the handshake. */
  readonly #tellers = new Set<Link>();
  /** The record of the link that is being opened. */
  #arriving: PeerRecord | undefined;

  constructor({ clock, random, own, ringKey, neighbours, isGuest, reader, ring }: CarrierInput) {
    this.#clock = clock;
    this.#own = own;
    this.#lists = own.lists;
    this.#reader = reader;
    this.#alarm = new Alarm(clock, ring);
    this.#intake = new Intake(this.#lists, reader, {
      of: (id) => {
        const record = this.#records.get(id);
        return record?.link && record.functions;
      },
      find: (digest) => this.#keepListOf(digest),
    });
    const places = placesBy(ringKey, neighbours / 2);
    const isUntold = isGuest;
    this.core = new Membership({
      self: own.member(),
      neighbours,
      places,
      isUntold,
      isProved: (key) => this.#links.get(key)?.unproved === 0,
      // A network with a clock of its own is not part of this machine.
      isHere: ({ addresses }) => clock === systemClock && addresses.every(({ host }) => isOnHost(host)),
      random,
      now: clock.now(),
    });
    this.#setAlarm();
  }

  /** The record of a present peer. */
  record(id: string): PeerRecord | undefined {
    return this.#records.get(id);
  }

  /** Whether a peer is linked that can tell who is present, and none has done so yet. */
  get isWaitingForOthers(): boolean {
    return !this.core.compared && this.#tellers.size > 0;
  }

  records(): Iterable<PeerRecord> {
    return this.#records.values();
  }

  /** @param told the version of itself that this peer has told in the handshake */
  opened(record: PeerRecord, link: Link, presence: Presence, told: number): PresenceChange[] {
    const key = (this.#newest += 1);
    this.#links.set(key, link);
    this.#keys.set(link, key);
    const { id, incarnation, name, group, hub, pid, host } = record;
    if (presence.digest) this.#tellers.add(link);
    // What is known here now. The list may be longer than the handshake, and the rest of it is on its way.
    const known = this.#lists.keep(record.functions);
    const functions = presence.digest || known;
    const about: About = { name, group, hub, pid, host, functions };
    const { started, version } = presence;
    const addresses = readAddresses(record, presence.addresses, link.socket.scope, this.#reader) ?? [];
    const member: Member = { id, incarnation, started, version, addresses, about };
    this.#arriving = record;
    const tells = this.#tellers.has(link);
    const changes = this.receive({ type: 'link.opened', link: key, member, dialled: link.dialled, tells });
    this.#arriving = undefined;
    const { self } = this.core;
    if (self.version > told && this.#tellers.has(link))
      sendPresence(link, { type: 'joined', members: [self] });
    return changes;
  }

  closed(link: Link): PresenceChange[] {
    const key = this.#forget(link);
    return key === undefined ? [] : this.receive({ type: 'link.closed', link: key, goodbye: false });
  }

  /** The peer said goodbye on this link. */
  stopped(link: Link): PresenceChange[] {
    const key = this.#forget(link);
    return key === undefined ? [] : this.receive({ type: 'link.closed', link: key, goodbye: true });
  }

  told(link: Link, frame: PresenceFrame): PresenceChange[] {
    const key = this.#keys.get(link);
    if (key === undefined) return [];
    const changes: PresenceChange[] = [];
    for (const each of this.#intake.take(link, frame))
      changes.push(...this.receive({ type: 'frame.received', link: key, frame: each }));
    return changes;
  }

  /** The functions of this peer have changed. */
  ownFunctions(): PresenceChange[] {
    const before = aboutOf(this.core.self);
    const functions = this.#lists.keep(this.#own.describe().functions);
    if (functions === before.functions) return [];
    const about: About = { ...before, functions };
    return this.receive({ type: 'self.changed', about });
  }

  /** Call when the alarm rings. */
  wake(): PresenceChange[] {
    const late = this.#clock.now() - this.#due;
    const changes = late > LAG ? this.receive({ type: 'lagged', time: late }) : [];
    return [...changes, ...this.receive({ type: 'time.passed' })];
  }

  receive(input: MembershipInput): PresenceChange[] {
    return this.receiveAll([input]);
  }

  receiveAll(inputs: readonly MembershipInput[]): PresenceChange[] {
    const outputs = this.core.receiveAll(inputs, this.#clock.now());
    this.#own.note(this.core.self);
    this.#setAlarm();
    return outputs.flatMap((output) => this.#carry(output) ?? []);
  }

  /** Ends this life of the peer here, without a word of the core: this peer itself stops. */
  end(record: PeerRecord, why: LeaveReason, detail: string | undefined): PresenceChange[] {
    if (record.left) return [];
    finish(record, why, detail);
    if (this.#records.get(record.id) === record) this.#records.delete(record.id);
    return [{ type: 'left', record, why }];
  }

  stop(): void {
    this.#alarm.clear();
  }

  /** A linked peer has told its functions on the link. They are kept as a list when somebody asks for it. */
  #keepListOf(digest: string): void {
    for (const member of this.core.present()) {
      if (aboutOf(member).functions !== digest) continue;
      const record = this.#records.get(member.id);
      if (record?.link && this.#lists.keep(record.functions) === digest) return;
    }
  }

  #setAlarm(): void {
    this.#due = this.core.wakeAt;
    this.#alarm.wakeBy(this.#due);
  }

  #forget(link: Link): LinkKey | undefined {
    const key = this.#keys.get(link);
    if (key === undefined) return undefined;
    this.#keys.delete(link);
    this.#links.delete(key);
    this.#tellers.delete(link);
    this.#intake.closed(link);
    return key;
  }

  #carry(output: MembershipOutput): PresenceChange | undefined {
    switch (output.type) {
      case 'send': {
        const link = this.#links.get(output.link);
        if (link && this.#tellers.has(link)) sendPresence(link, output.frame);
        return undefined;
      }
      case 'dial':
        return output;
      case 'joined':
        return this.#joined(output.member);
      case 'changed':
        return this.#changed(output.member);
      default:
        return this.#left(output);
    }
  }

  #joined(member: Member): PresenceChange {
    const { id, incarnation, addresses } = member;
    let record = this.#arriving;
    if (record?.incarnation !== incarnation) {
      const about = aboutOf(member);
      const functions = this.#lists.get(about.functions) ?? [];
      record = createRecord({ id, incarnation, ...about }, functions, scopeOf(addresses[0]?.host ?? ''));
    }
    this.#records.set(id, record);
    return { type: 'joined', record };
  }

  #changed({ id, about }: Member): PresenceChange | undefined {
    const record = this.#records.get(id);
    // A linked peer tells of its functions itself, and earlier.
    if (!record || record.link) return undefined;
    const functions = this.#lists.get((about as About).functions);
    if (!functions) return undefined;
    const change = changeFunctions(record, differenceOf([...record.functions], functions));
    if (!change || change.added.length + change.removed.length === 0) return undefined;
    return { type: 'changed', record, ...change };
  }

  #left({ member, why, by }: Extract<MembershipOutput, { type: 'left' }>): PresenceChange | undefined {
    const record = this.#records.get(member.id);
    if (!record) return undefined;
    this.#records.delete(member.id);
    const names = by.map((id) =>
      id === this.core.self.id ? undefined : (this.#records.get(id)?.name ?? id),
    );
    const others = names.filter((name) => name !== undefined).join(', ');
    finish(record, why === 'refused' ? 'lost' : why, DETAILS[why](others));
    this.#lists.sweep(() => new Set(this.core.present().map((each) => aboutOf(each).functions)));
    return { type: 'left', record, why: record.left! };
  }
}

/** How late the core may be woken before it is told so, in ms. */
const LAG = 1_000;

/** @param others names of those who told of it; empty if this peer itself knows */
type Detail = (others: string) => string | undefined;

const DETAILS: Record<Extract<MembershipOutput, { type: 'left' }>['why'], Detail> = {
  stopped: (others) => (others ? `it said goodbye to ${others}` : 'it said goodbye'),
  refused: (others) => (others ? `nobody listens at its address any more, as ${others} found` : undefined),
  lost: (others) => (others ? `lost by ${others}` : undefined),
  replaced: () => 'a newer life of this peer connected',
  unreachable: () => 'it is there for others, and no dial from here reaches it',
};

function finish(record: PeerRecord, why: LeaveReason, detail: string | undefined): void {
  const { doubt } = record;
  record.left = why;
  record.evidence = new Evidence('gone', { ...doubt, detail: joined(doubt?.detail, detail), why });
  record.link = undefined;
}

function joined(...details: (string | undefined)[]): string | undefined {
  const known = details.filter((detail) => detail !== undefined);
  return known.length === 0 ? undefined : known.join(', ');
}
