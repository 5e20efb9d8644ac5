import type { Clock } from '../../base/time/clock.ts';
import { writeGoodbye, writeLegacyResponse, writeResponse } from './packet.ts';
import type { Packet, Question, Resource } from './packet.ts';
import { saysTheSame } from './records.ts';
import type { OwnRecords } from './records.ts';
import { PORT } from './socket.ts';
import type { Sender } from './socket.ts';

/**
 * Announces this peer on one link: when it starts, when it stops, and when asked. It follows RFC 6762, sections 6 to 8 and 10;
 * the numbers come from there.
 */

/** Times of the announcements after the start, in ms. */
const ANNOUNCEMENTS = [0, 1_000, 3_000];

/** An answer that others may give, too, is sent after a random time between these two, in ms. */
const SHARED_DELAY = [20, 120] as const;

/** The same if the asker sends more known answers in further packets. */
const TRUNCATED_DELAY = [400, 500] as const;

/** The same record is not sent to all again within this time, in ms. */
const PAUSE = 1_000;

/** Askers whose further packets are awaited at the same time, at most. Another one is answered as if it sent no more. */
const MOST_UNFINISHED = 32;

interface Dependencies {
  records: OwnRecords;
  send: (bytes: Uint8Array, to?: Sender) => void;
  clock: Clock;
  random: () => number;
}

export class Responder {
  readonly #records: OwnRecords;
  readonly #send: Dependencies['send'];
  readonly #clock: Clock;
  readonly #random: () => number;
  /** Records to send to all, and when, on the clock. */
  readonly #pending = new Map<Resource, number>();
  /** When each record was last sent to all, on the clock. */
  readonly #said = new Map<Resource, number>();
  /** By address of the asker: answers that wait until it has finished. */
  readonly #unfinished = new Map<string, { answers: Set<Resource>; timer: unknown }>();
  readonly #announcing: unknown[];
  #timer: unknown;

  constructor({ records, send, clock, random }: Dependencies) {
    this.#records = records;
    this.#send = send;
    this.#clock = clock;
    this.#random = random;
    this.#announcing = ANNOUNCEMENTS.map((delay) => clock.setTimeout(() => this.#announce(), delay));
  }

  /** Call with a query. */
  asked(packet: Packet, from: Sender): void {
    const asker = this.#unfinished.get(from.address);
    if (packet.questions.length === 0) {
      if (asker) removeKnown(asker.answers, packet.answers);
      return;
    }
    if (from.port !== PORT) {
      this.#answerLegacy(packet, from);
      return;
    }
    const now = this.#clock.now();
    const toAll = new Set<Resource>();
    const toOne = new Set<Resource>();
    for (const question of packet.questions) {
      for (const answer of this.#answersTo(question)) {
        // A personal question is answered to all if the record was not sent to all for a while.
        const isFresh = now - (this.#said.get(answer) ?? -Infinity) < (answer.ttl * 1_000) / 4;
        (question.unicast && isFresh ? toOne : toAll).add(answer);
      }
    }
    removeKnown(toAll, packet.answers);
    removeKnown(toOne, packet.answers);
    if (toOne.size > 0) this.#send(writeResponse([...toOne], this.#additionalsFor(toOne)), from);
    if (toAll.size === 0) return;
    if (packet.truncated && (asker || this.#unfinished.size < MOST_UNFINISHED)) {
      this.#await(from.address, toAll);
    } else {
      const isShared = [...toAll].some(({ unique }) => !unique);
      this.#schedule(toAll, isShared ? this.#between(SHARED_DELAY) : 0);
    }
  }

  /** Call with a response of another host. */
  heard(packet: Packet): void {
    const said = [...packet.answers, ...packet.additionals];
    const { pointer, location, description, existence } = this.#records;
    // Another peer has just sent this record, so we need not. All our other records have names that only we may use: a host that
    // sends those in our place may have sent them to us alone, so we still send them.
    removeKnown(
      this.#pending,
      said.filter(({ name }) => name === existence.name),
    );
    for (const other of said) {
      const own = [pointer, location, description].find(
        ({ name, type }) => name === other.name && type === other.type,
      );
      if (!own) continue;
      const isSame = saysTheSame(own, other);
      // Only we may use these names, so the other host is mistaken or lies: announce everything again, so that all who heard it
      // hear us, too. Others have their own pointers, so ours is contradicted only by a message that it is gone.
      const isWrong = isSame ? other.ttl < own.ttl / 2 : own.unique;
      if (!isWrong) continue;
      this.#schedule(this.#everything(), 0);
      return;
    }
  }

  /** Announces that this peer is gone. Nothing is sent after it. */
  goodbye(): void {
    this.close();
    const { description, farewell } = this.#records;
    this.#send(writeGoodbye(this.#everything().map((each) => (each === description ? farewell : each))));
  }

  close(): void {
    for (const timer of this.#announcing) this.#clock.clearTimeout(timer);
    for (const { timer } of this.#unfinished.values()) this.#clock.clearTimeout(timer);
    this.#clock.clearTimeout(this.#timer);
    this.#pending.clear();
  }

  #announce(): void {
    this.#schedule(this.#everything(), 0);
  }

  #everything(): Resource[] {
    const { pointer, location, description, addresses } = this.#records;
    return [pointer, location, description, ...addresses];
  }

  #answersTo({ name, type }: Question): readonly Resource[] {
    const { existence, absences } = this.#records;
    const ofName = [...this.#everything(), existence].filter((each) => each.name === name);
    const meant = ofName.filter((each) => type === 'ANY' || each.type === type);
    // The only owner of a name also says which types it does not have (section 6.1).
    return meant.length > 0 ? meant : absences.filter((each) => each.name === name);
  }

  /** Records that the asker would ask for next. */
  #additionalsFor(answers: ReadonlySet<Resource>): Resource[] {
    const { pointer, location, description, addresses } = this.#records;
    const more = answers.has(pointer)
      ? [location, description, ...addresses]
      : answers.has(location)
        ? addresses
        : [];
    return more.filter((each) => !answers.has(each));
  }

  #answerLegacy(packet: Packet, from: Sender): void {
    const answers = new Set(packet.questions.flatMap((question) => this.#answersTo(question)));
    if (answers.size === 0) return;
    this.#send(writeLegacyResponse(packet, [...answers], this.#additionalsFor(answers)), from);
  }

  /** Waits for further packets of the asker with known answers. */
  #await(address: string, answers: Set<Resource>): void {
    const known = this.#unfinished.get(address);
    if (known) {
      for (const each of answers) known.answers.add(each);
      return;
    }
    const timer = this.#clock.setTimeout(() => {
      this.#unfinished.delete(address);
      this.#schedule(answers, 0);
    }, this.#between(TRUNCATED_DELAY));
    this.#unfinished.set(address, { answers, timer });
  }

  #schedule(answers: Iterable<Resource>, delay: number): void {
    const now = this.#clock.now();
    for (const each of answers) {
      const allowed = (this.#said.get(each) ?? -Infinity) + PAUSE;
      const due = Math.max(now + delay, allowed);
      this.#pending.set(each, Math.min(due, this.#pending.get(each) ?? Infinity));
    }
    this.#rewind();
  }

  #rewind(): void {
    this.#clock.clearTimeout(this.#timer);
    if (this.#pending.size === 0) return;
    const next = Math.min(...this.#pending.values());
    this.#timer = this.#clock.setTimeout(() => this.#sayWhatIsDue(), Math.max(0, next - this.#clock.now()));
  }

  #sayWhatIsDue(): void {
    const now = this.#clock.now();
    const due = new Set([...this.#pending].flatMap(([each, at]) => (at <= now ? [each] : [])));
    const additionals = this.#additionalsFor(due);
    for (const each of [...due, ...additionals]) {
      this.#pending.delete(each);
      this.#said.set(each, now);
    }
    if (due.size > 0) this.#send(writeResponse([...due], additionals));
    this.#rewind();
  }

  #between([first, last]: readonly [number, number]): number {
    return first + this.#random() * (last - first);
  }
}

/** Removes known answers. An answer is known if it is valid for at least half of its original lifetime (section 7.1). */
function removeKnown(
  answers: { keys(): Iterable<Resource>; delete(each: Resource): unknown },
  known: readonly Resource[],
): void {
  for (const each of answers.keys()) {
    if (known.some((other) => other.ttl >= each.ttl / 2 && saysTheSame(each, other))) answers.delete(each);
  }
}
