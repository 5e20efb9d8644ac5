/**
 * How much of a link may be under way. A server never slows a sender down: it holds what a slow receiver does not take, and after
 * ten seconds cuts that receiver off, with all its links. So a sender waits by itself.
 */

/** Bytes that may be sent and not yet taken. */
export const WINDOW = 1024 * 1024;

/** The receiver tells what it has taken when it is this much. */
export const TELL = 256 * 1024;

/** The sending side: keeps what may not be sent yet. */
export class Outbox {
  readonly #write: (piece: Buffer) => void;
  readonly #waiting: Buffer[] = [];
  #first = 0;
  /** Bytes that wait. */
  #bytes = 0;
  #underWay = 0;

  constructor(write: (piece: Buffer) => void) {
    this.#write = write;
  }

  get bytes(): number {
    return this.#bytes;
  }

  add(piece: Buffer): void {
    if (this.#bytes === 0 && this.#underWay + piece.length <= WINDOW) {
      this.#underWay += piece.length;
      this.#write(piece);
    } else {
      this.#waiting.push(piece);
      this.#bytes += piece.length;
    }
  }

  /** @returns whether the other side can have taken so many bytes */
  taken(bytes: number): boolean {
    if (bytes > this.#underWay) return false;
    this.#underWay -= bytes;
    while (this.#bytes > 0) {
      const piece = this.#waiting[this.#first]!;
      if (this.#underWay + piece.length > WINDOW) break;
      this.#waiting[this.#first] = NOTHING;
      this.#first += 1;
      this.#bytes -= piece.length;
      this.#underWay += piece.length;
      this.#write(piece);
    }
    if (this.#first > 64 && this.#first * 2 > this.#waiting.length) {
      this.#waiting.splice(0, this.#first);
      this.#first = 0;
    } else if (this.#bytes === 0) {
      this.#waiting.length = 0;
      this.#first = 0;
    }
    return true;
  }

  clear(): void {
    this.#waiting.length = 0;
    this.#first = 0;
    this.#bytes = 0;
  }
}

/** So that a piece that was sent is not kept. */
const NOTHING = Buffer.alloc(0);
