import { Parcel } from '../wire/outgoing.ts';
import type { Outgoing } from '../wire/outgoing.ts';

/** An event as it goes to all its subscribers: encoded once, however many they are. */
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

  /** What it takes to keep it, in bytes. Found out when it has to wait; most never do. */
  get cost(): number {
    this.#cost ??= this.#keep();
    return this.#cost;
  }

  /** The bytes in it are the emitter's own memory, which may change while the event waits. */
  #keep(): number {
    const frame = this.#frame;
    if (typeof frame === 'string') return Buffer.byteLength(frame) + OVERHEAD;
    this.#frame = new Parcel(
      frame.text,
      // Not `slice()`, which is a view for a Buffer.
      frame.binaries.map((binary) => new Uint8Array(binary)),
    );
    const bytes = frame.binaries.reduce((sum, binary) => sum + binary.byteLength + OVERHEAD, 0);
    return Buffer.byteLength(frame.text) + OVERHEAD + bytes;
  }
}

/** About what the engine needs around the text of a waiting event, in bytes. */
const OVERHEAD = 64;

/** How much may be passed over at the front before the list is moved up. */
const MOST_PASSED = 1_024;

/** Events that wait for one subscriber, oldest first. */
export class EventQueue {
  #events: (EncodedEvent | undefined)[] = [];
  /** Where the oldest is: moving a long list up for each event would cost more than the event. */
  #head = 0;
  /** Of what waits. */
  bytes = 0;

  get size(): number {
    return this.#events.length - this.#head;
  }

  push(event: EncodedEvent): void {
    this.#events.push(event);
    this.bytes += event.cost;
  }

  shift(): EncodedEvent | undefined {
    const event = this.#events[this.#head];
    if (!event) return undefined;
    this.#events[this.#head] = undefined;
    this.#head += 1;
    this.bytes -= event.cost;
    if (this.#head === this.#events.length) this.clear();
    else if (this.#head > MOST_PASSED && this.#head * 2 > this.#events.length) {
      this.#events = this.#events.slice(this.#head);
      this.#head = 0;
    }
    return event;
  }

  /** The first that waits under this name. */
  first(name: string): EncodedEvent | undefined {
    return this.#events.find((event) => event?.name === name);
  }

  /** Takes out everything of this name. Returns how many that were. */
  remove(name: string): number {
    const kept = this.#events.filter((event) => event && event.name !== name);
    const removed = this.size - kept.length;
    this.#events = kept;
    this.#head = 0;
    this.bytes = kept.reduce((sum, event) => sum + event!.cost, 0);
    return removed;
  }

  clear(): void {
    this.#events = [];
    this.#head = 0;
    this.bytes = 0;
  }
}
