/**
 * What one side of a link sends. A server never slows a sender down: it holds what a slow receiver does not take, and after ten
 * seconds cuts that receiver off, with all its links. So a sender waits by itself. A message may also be lost when a server dies, or
 * while the other side is on the way to another server. So each one is kept until the other side has it.
 */

/** Bytes that may be sent and not yet received. */
export const WINDOW = 1024 * 1024;

/** The receiver tells what it has received when it is this much. */
export const TELL = 256 * 1024;
/** Also after so many messages, so that the sender need not keep more small ones. */
export const TELL_MESSAGES = 64;

export class Outbox {
  readonly #seal: (message: Buffer) => Buffer;
  readonly #publish: (sealed: Buffer) => void;
  readonly #waiting = new Line();
  /** Sealed messages that the other side has not told to have received, in the order of their counters. */
  readonly #underWay = new Line();
  /** The counter of the last message that the other side has received. */
  #received = 0;

  /** @param seal counts the messages: the first one is 1 */
  constructor(seal: (message: Buffer) => Buffer, publish: (sealed: Buffer) => void) {
    this.#seal = seal;
    this.#publish = publish;
  }

  /** Bytes that wait to be sent. */
  get bytes(): number {
    return this.#waiting.bytes;
  }

  /** Sends the piece as soon as it may. */
  add(piece: Buffer): void {
    if (this.#waiting.bytes === 0 && this.#hasRoom(piece)) this.tell(piece);
    else this.#waiting.push(piece);
  }

  /** Sends a word about the link itself. It need not wait. */
  tell(word: Buffer): void {
    const sealed = this.#seal(word);
    this.#underWay.push(sealed);
    this.#publish(sealed);
  }

  /**
   * @param counter the other side has received everything up to it
   * @returns whether so much was sent
   */
  received(counter: number): boolean {
    const count = counter - this.#received;
    // It was told before something that was told already.
    if (count <= 0) return true;
    if (count > this.#underWay.size) return false;
    this.#received = counter;
    for (let each = 0; each < count; each += 1) this.#underWay.shift();
    while (this.#waiting.size > 0 && this.#hasRoom(this.#waiting.first!)) this.tell(this.#waiting.shift());
    return true;
  }

  /** Sends again what the other side has not received, in the same order and to the byte. */
  again(): void {
    for (const sealed of this.#underWay) this.#publish(sealed);
  }

  clear(): void {
    this.#waiting.clear();
    this.#underWay.clear();
  }

  #hasRoom({ length }: Buffer): boolean {
    return this.#underWay.bytes + length <= WINDOW;
  }
}

/** First in, first out, without moving the others at each step. */
class Line {
  #items: Buffer[] = [];
  #first = 0;
  bytes = 0;

  get size(): number {
    return this.#items.length - this.#first;
  }

  get first(): Buffer | undefined {
    return this.#items[this.#first];
  }

  push(item: Buffer): void {
    this.#items.push(item);
    this.bytes += item.length;
  }

  /** There has to be one. */
  shift(): Buffer {
    const item = this.#items[this.#first]!;
    this.#items[this.#first] = NOTHING;
    this.#first += 1;
    this.bytes -= item.length;
    if (this.#first === this.#items.length) this.clear();
    else if (this.#first > 64 && this.#first * 2 > this.#items.length) {
      this.#items.splice(0, this.#first);
      this.#first = 0;
    }
    return item;
  }

  clear(): void {
    this.#items.length = 0;
    this.#first = 0;
    this.bytes = 0;
  }

  *[Symbol.iterator](): Generator<Buffer> {
    for (let index = this.#first; index < this.#items.length; index += 1) yield this.#items[index]!;
  }
}

/** So that what was taken out is not kept. */
const NOTHING = Buffer.alloc(0);
