import type { KeyObject } from 'node:crypto';

import { CLOSE } from '../../wire/frames.ts';
import { findAbsent } from './absence.ts';
import type { Bus } from './bus.ts';
import type { NatsSocket } from './nats-socket.ts';
import type { Life } from './opening.ts';
import { Questions } from './questions.ts';
import type { Subjects } from './subjects.ts';

/** Lives that are known to be over, at most. */
const MOST_GONE = 4_096;

const NOTHING = Buffer.alloc(0);

interface Group {
  life: Life;
  sockets: Set<NatsSocket>;
}

/** What one peer has at the broker: its connection, its links, and what it knows about the deaths of others. */
export class Station {
  readonly bus: Bus;
  readonly subjects: Subjects;
  readonly questions: Questions;
  readonly self: Life;
  /** The key of boxes. A function, so that a log or inspector that walks the actors does not find it. */
  readonly relay: () => KeyObject;
  /** Called when a life is over. Set by the provider. */
  whenOver: ((life: Life) => void) | undefined;
  /** By incarnation. */
  readonly #groups = new Map<string, Group>();
  readonly #gone = new Set<string>();
  /** Lives whose connection the server has reported as closed by them, by incarnation. */
  readonly #hungUp = new Set<string>();
  readonly #doubted = new WeakSet<NatsSocket>();
  readonly #examined = new Map<string, () => void>();
  readonly #offChange: () => void;
  #using = 0;
  #whenUnused: (() => void) | undefined;

  constructor(bus: Bus, subjects: Subjects, self: Life, relay: () => KeyObject) {
    this.bus = bus;
    this.subjects = subjects;
    this.self = self;
    this.relay = relay;
    this.questions = new Questions(bus, subjects);
    let { epoch } = bus;
    this.#offChange = bus.onChange(() => {
      const isNew = bus.epoch !== undefined && bus.epoch !== epoch;
      ({ epoch } = bus);
      if (isNew) this.#resumeAll();
    });
  }

  /** Whether the life is known to be over. */
  isGone({ incarnation }: Life): boolean {
    return this.#gone.has(incarnation);
  }

  hasHungUp({ incarnation }: Life): boolean {
    return this.#hungUp.has(incarnation);
  }

  /** The server says that this life has closed its connection. It may have opened another one. */
  hungUp(life: Life): void {
    remember(this.#hungUp, life.incarnation);
    // What has begun already would wait before it asks again.
    this.#examined.get(life.incarnation)?.();
    this.#examined.delete(life.incarnation);
    this.examine(life);
  }

  /** The life was heard of again. */
  isBack({ incarnation }: Life): void {
    this.#hungUp.delete(incarnation);
    this.#gone.delete(incarnation);
  }

  add(socket: NatsSocket): void {
    const { other } = socket;
    // It is there, whatever was known of it.
    this.isBack(other);
    const group = this.#groups.get(other.incarnation) ?? { life: other, sockets: new Set() };
    this.#groups.set(other.incarnation, group);
    group.sockets.add(socket);
  }

  remove(socket: NatsSocket): void {
    const { incarnation } = socket.other;
    const group = this.#groups.get(incarnation);
    group?.sockets.delete(socket);
    if (group?.sockets.size === 0) this.#groups.delete(incarnation);
  }

  /** The lives to which there are links. */
  linked(): Life[] {
    return [...this.#groups.values()].map(({ life }) => life);
  }

  /** Asks the server for each link to a life whether its other end is there, and nothing else if it is. */
  ask({ incarnation }: Life): void {
    for (const { subject, reply } of this.#groups.get(incarnation)?.sockets ?? [])
      this.bus.publish(subject, NOTHING, reply);
  }

  /**
   * Finds out whether a life is over, after a first sign of it, and ends its links if it is.
   * @returns whether this has just begun
   */
  examine(life: Life): boolean {
    const { incarnation } = life;
    if (this.#examined.has(incarnation) || this.isGone(life)) return false;
    const before = this.#heardFrom(incarnation);
    for (const socket of this.#groups.get(incarnation)?.sockets ?? []) socket.ping();
    const stop = findAbsent(this.bus, this.questions, {
      subject: this.subjects.life(life),
      data: NOTHING,
      isAlive: () => this.#heardFrom(incarnation) > before,
      isCertain: () => this.#hungUp.has(incarnation),
      mayMove: true,
      absent: () => {
        this.#examined.delete(incarnation);
        this.#isOver(life);
      },
      present: () => this.#examined.delete(incarnation),
    });
    this.#examined.set(incarnation, stop);
    return true;
  }

  /** The server says that nobody is at the other end of a link. Its peer may have another connection by now. */
  doubt(socket: NatsSocket): void {
    if (this.#doubted.has(socket)) return;
    this.#doubted.add(socket);
    this.examine(socket.other);
    const before = socket.received;
    findAbsent(this.bus, this.questions, {
      subject: socket.subject,
      data: NOTHING,
      isAlive: () => socket.received !== before,
      isCertain: () => this.#hungUp.has(socket.other.incarnation),
      mayMove: true,
      absent: () => socket.end(this.isGone(socket.other) ? CLOSE.GONE : CLOSE.NETWORK),
      present: () => this.#doubted.delete(socket),
    });
  }

  /** Something of this peer begins to use the connection. Returns a function to call at its end. */
  use(): () => void {
    this.#using += 1;
    let over = false;
    return () => {
      if (over) return;
      over = true;
      this.#using -= 1;
      if (this.#using === 0) this.#whenUnused?.();
    };
  }

  /** Closes the connection when nothing uses it any more. */
  async close(): Promise<void> {
    if (this.#using > 0) await new Promise<void>((resolve) => (this.#whenUnused = resolve));
    this.#offChange();
    for (const stop of this.#examined.values()) stop();
    this.questions.stop();
    await this.bus.close();
  }

  #resumeAll(): void {
    for (const { sockets } of [...this.#groups.values()]) for (const socket of [...sockets]) socket.resume();
  }

  #isOver(life: Life): void {
    remember(this.#gone, life.incarnation);
    this.whenOver?.(life);
    for (const socket of [...(this.#groups.get(life.incarnation)?.sockets ?? [])]) socket.end(CLOSE.GONE);
  }

  #heardFrom(incarnation: string): number {
    let heard = 0;
    for (const { received } of this.#groups.get(incarnation)?.sockets ?? []) heard += received;
    return heard;
  }
}

function remember(set: Set<string>, incarnation: string): void {
  set.add(incarnation);
  const [oldest] = set;
  if (set.size > MOST_GONE) set.delete(oldest!);
}
