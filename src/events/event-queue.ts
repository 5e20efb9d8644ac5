import { Parcel } from '../wire/outgoing.ts';
import type { Outgoing } from '../wire/outgoing.ts';

/** An event in the form in which it goes to all its subscribers. It is encoded once, however many they are. */
export class EncodedEvent {
  readonly name: string;
  readonly sequence: number;
  #frame: Outgoing;
  #cost: number | undefined;

  constructor(name: string, sequence: number, frame: Outgoing) {
    this.name = name;
    this.sequence = sequence;
    this.#frame = frame;
  }

  get frame(): Outgoing {
    return this.#frame;
  }

  /** The memory that it takes, in bytes. It is computed when the event has to wait, and most events never wait. */
  get cost(): number {
    this.#cost ??= this.#keep();
    return this.#cost;
  }

  /** Copies the binary data: it is the emitter's own memory, which may change while the event waits. */
  #keep(): number {
    const frame = this.#frame;
    if (typeof frame === 'string') return Buffer.byteLength(frame) + OVERHEAD;
    this.#frame = new Parcel(
      frame.text,
      // `slice()` would not do: of a Buffer it returns a view and not a copy.
      frame.binaries.map((binary) => new Uint8Array(binary)),
    );
    const bytes = frame.binaries.reduce((sum, binary) => sum + binary.byteLength + OVERHEAD, 0);
    return Buffer.byteLength(frame.text) + OVERHEAD + bytes;
  }
}

/** The engine's overhead for the text of a waiting event, in bytes, estimated. */
const OVERHEAD = 64;

/** How many entries may be passed at the front, or be removed and still in the list, before the list is built anew. */
const MOST_PASSED = 1_024;

/** The events that wait under one name. */
interface Lane {
  /** The oldest. */
  first: Entry | undefined;
  newest: Entry | undefined;
  count: number;
  bytes: number;
  /** The lane was removed. Its entries are skipped when their turn comes. */
  gone: boolean;
}

interface Entry {
  readonly event: EncodedEvent;
  readonly lane: Lane;
  /** The next entry of the same name. */
  next: Entry | undefined;
}

/**
 * Events that wait for one subscriber, oldest first. Each name also has its own lane through them. A subscriber may ask
 * for any name at any time, and a walk through everything that waits would cost far more than the question.
 */
export class EventQueue {
  #entries: (Entry | undefined)[] = [];
  readonly #lanes = new Map<string, Lane>();
  /** Position of the oldest entry. Shifting a long array for each event would cost more than the event. */
  #head = 0;
  /** Bytes of the waiting events. */
  bytes = 0;
  /** How many events wait. */
  size = 0;

  push(event: EncodedEvent): void {
    const { name, cost } = event;
    const known = this.#lanes.get(name);
    const lane: Lane = known ?? { first: undefined, newest: undefined, count: 0, bytes: 0, gone: false };
    if (!known) this.#lanes.set(name, lane);
    const entry: Entry = { event, lane, next: undefined };
    if (lane.newest) lane.newest.next = entry;
    lane.first ??= entry;
    lane.newest = entry;
    lane.count += 1;
    lane.bytes += cost;
    this.#entries.push(entry);
    this.size += 1;
    this.bytes += cost;
  }

  shift(): EncodedEvent | undefined {
    while (this.#head < this.#entries.length) {
      const { event, lane, next } = this.#entries[this.#head]!;
      this.#entries[this.#head] = undefined;
      this.#head += 1;
      if (lane.gone) continue;
      const { cost } = event;
      lane.first = next;
      lane.count -= 1;
      lane.bytes -= cost;
      if (!next) this.#lanes.delete(event.name);
      this.size -= 1;
      this.bytes -= cost;
      this.#tidy();
      return event;
    }
    return undefined;
  }

  /** The oldest event that waits under this name. */
  first(name: string): EncodedEvent | undefined {
    return this.#lanes.get(name)?.first?.event;
  }

  /** Removes every event of this name, and returns how many there were. */
  remove(name: string): number {
    const lane = this.#lanes.get(name);
    if (!lane) return 0;
    this.#lanes.delete(name);
    lane.gone = true;
    this.size -= lane.count;
    this.bytes -= lane.bytes;
    this.#tidy();
    return lane.count;
  }

  clear(): void {
    this.#entries = [];
    this.#lanes.clear();
    this.#head = 0;
    this.bytes = 0;
    this.size = 0;
  }

  /** Runs so rarely that it costs little per event: it drops at least as many entries as it keeps. */
  #tidy(): void {
    if (this.#entries.length <= 2 * this.size + MOST_PASSED) return;
    const waiting: Entry[] = [];
    for (let at = this.#head; at < this.#entries.length; at += 1) {
      const entry = this.#entries[at]!;
      if (!entry.lane.gone) waiting.push(entry);
    }
    this.#entries = waiting;
    this.#head = 0;
  }
}
