import { refuseUnknown } from '../../base/option-checks.ts';
import { readableTag } from '../../base/tag.ts';
import { libraryVersion } from '../../base/version.ts';
import { underWay } from '../../calls/under-way.ts';
import { WatchedCalls } from '../../calls/watched-calls.ts';
import type { PeerWatch, WatchedAbout, WatchedLoad } from '../../presence/set/peer-watch.ts';
import { WatchedActors } from './actors.ts';
import { Happenings } from './happenings.ts';
import { WatchedLinks } from './links.ts';
import { WatchedTopics } from './topics.ts';
import type { WatchInput } from './watch-input.ts';

/** Time between two messages, in ms. */
const TICK = 250;

/** What changes slowly is told with each of so many messages. */
const SLOWLY = 4;

/** Messages that wait for a reader: 10 s. One that falls further behind gets a snapshot instead. */
const MOST_UNREAD = 40;

/** A call is told of when it has been under way for as long as a message takes. */
const MOST_CALLS = 20;

const MOST_FUNCTIONS = 200;

const OPTIONS = { actors: true } as const;

/** Who reads the stream `net.watch` of this peer. */
interface Reader {
  unread: PeerWatch[];
  /** It has lost messages, and gets a snapshot next. */
  isBehind: boolean;
  readonly actors: WatchedActors | undefined;
  wake: () => void;
}

/** Measures a peer while somebody watches it: all readers share one timer and its messages. */
export class Watch {
  readonly #input: WatchInput;
  readonly #start: number;
  readonly #readers = new Set<Reader>();
  /** What is measured; undefined while nobody watches. */
  #measured: Measured | undefined;

  constructor(input: WatchInput) {
    this.#input = input;
    this.#start = input.clock.now();
  }

  /** @throws TypeError for wrong options */
  async *read(options: unknown = {}): AsyncGenerator<PeerWatch, void, void> {
    if (typeof options !== 'object' || options === null) throw new TypeError('net.watch: give { actors }');
    refuseUnknown('option', options, OPTIONS);
    const { actors } = options as { actors?: unknown };
    const watched = actors === true ? new WatchedActors(this.#input.actor, Date.now) : undefined;
    const reader: Reader = { unread: [], isBehind: true, actors: watched, wake: () => {} };
    this.#readers.add(reader);
    this.#measured ??= new Measured(this.#input, () => this.#tell());
    try {
      while (this.#measured.isOnline) {
        const message = reader.isBehind ? this.#snapshot(reader) : reader.unread.shift();
        if (message) yield message;
        else await new Promise<void>((resolve) => (reader.wake = resolve));
      }
    } finally {
      this.#readers.delete(reader);
      reader.actors?.stop();
      if (this.#readers.size === 0) {
        this.#measured.stop();
        this.#measured = undefined;
      }
    }
  }

  #snapshot(reader: Reader): PeerWatch {
    reader.isBehind = false;
    reader.unread = [];
    const { clock, id, describe } = this.#input;
    const { name, group, hub, host, pid, functions } = describe();
    const about: WatchedAbout = {
      ...{ id, name, group, hub, host, pid, version: libraryVersion(), node: process.versions.node },
      uptime: Math.round(clock.now() - this.#start),
      functions: functions.slice(0, MOST_FUNCTIONS).map((tag) => readableTag(tag)),
    };
    return withActors({ ...this.#measured!.snapshot(), about }, reader, true);
  }

  /** A delta for every reader, or the end of all. */
  #tell(): void {
    const delta = this.#measured!.delta();
    for (const reader of this.#readers) {
      if (!reader.isBehind) reader.unread.push(withActors(delta, reader, false));
      if (reader.unread.length > MOST_UNREAD) reader.isBehind = true;
      reader.wake();
    }
  }
}

function withActors(message: PeerWatch, { actors }: Reader, isFirst: boolean): PeerWatch {
  if (!actors) return message;
  const tree = actors.read(isFirst);
  return { ...message, ...(tree && { actors: tree }), happened: [...message.happened, ...actors.take()] };
}

/** Everything that is counted while somebody watches. */
class Measured {
  readonly #input: WatchInput;
  readonly #made = new WatchedCalls('made');
  readonly #ran = new WatchedCalls('ran');
  readonly #links: WatchedLinks;
  readonly #topics: WatchedTopics;
  readonly #happenings: Happenings;
  readonly #ends: (() => void)[];
  readonly #tell: () => void;
  #timer: unknown;
  #due = 0;
  #ticks = 0;
  #late = 0;
  #busy = 0;
  #memory: number;
  #before: number;

  constructor(input: WatchInput, tell: () => void) {
    this.#input = input;
    this.#memory = input.process.memory();
    this.#before = input.process.busy();
    this.#tell = tell;
    this.#links = new WatchedLinks(input);
    this.#topics = new WatchedTopics(input.topics);
    this.#happenings = new Happenings(input);
    const ending = input.actor.subscribe({ next: () => !this.isOnline && tell() });
    this.#ends = [
      input.calls.watch(this.#made, this.#ran),
      () => this.#happenings.stop(),
      () => ending.unsubscribe(),
    ];
    this.#links.measure();
    this.#wait();
  }

  /** Nobody may hold up a peer that stops by watching it. */
  get isOnline(): boolean {
    return this.#input.actor.getSnapshot().value === 'online';
  }

  stop(): void {
    this.#input.clock.clearTimeout(this.#timer);
    for (const end of this.#ends) end();
  }

  snapshot(): PeerWatch {
    return { ...this.#message('snapshot'), links: this.#links.read(), ...this.#topics.read() };
  }

  delta(): PeerWatch {
    const message = { ...this.#message('delta'), functions: [...this.#ran.take(), ...this.#made.take()] };
    const isSlow = this.#ticks % SLOWLY === 0;
    if (isSlow || this.#links.haveChanged()) message.links = this.#links.read();
    if (isSlow) Object.assign(message, this.#topics.read());
    message.happened = this.#happenings.take();
    return message;
  }

  #message(type: PeerWatch['type']): PeerWatch {
    const { clock } = this.#input;
    const calls = underWay(this.#links.all(), clock.now(), TICK, MOST_CALLS);
    return { type, at: Date.now(), load: this.#load(), functions: [], calls, happened: [] };
  }

  #load(): WatchedLoad {
    const { peers, counters } = this.#input;
    const [busy, delay] = [Math.round(this.#busy * 1_000) / 1_000, Math.round(this.#late)];
    return { peers: peers(), ...counters(), busy, delay, memory: this.#memory };
  }

  #wait(): void {
    const { clock } = this.#input;
    this.#due = clock.now() + TICK;
    this.#timer = clock.setTimeout(() => this.#tick(), TICK);
  }

  #tick(): void {
    const { clock, process } = this.#input;
    this.#late = Math.max(0, clock.now() - this.#due);
    const busy = process.busy();
    this.#busy = Math.min(1, (busy - this.#before) / (TICK + this.#late));
    this.#before = busy;
    this.#wait();
    this.#ticks += 1;
    if (this.#ticks % SLOWLY === 0) {
      this.#memory = process.memory();
      this.#links.measure();
    }
    this.#tell();
  }
}
