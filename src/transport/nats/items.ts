/**
 * What a sealed message holds: one piece of a message of a link, or a word about the link itself. The first byte says what it is.
 */

export const TEXT = 0;
export const BINARY = 1;
/** The sender of this has received everything up to a counter: its 6 bytes, most significant first. */
export const RECEIVED = 2;
export const PING = 3;
export const PONG = 4;
/** The link ends: 2 bytes of the code, then the reason. */
export const CLOSE = 5;
/** The same as `RECEIVED`, and a request to send again what came after. It is answered with `RECEIVED`. */
export const AGAIN = 6;

/** In the first byte: further pieces of this message follow. */
const MORE = 0x80;

/** A piece has at most this many bytes, so that a long message does not hold up the others on the connection for long. */
export const LARGEST_PIECE = 128 * 1024;

/**
 * The message in pieces. Nearly all messages are one piece.
 * @param largest bytes of a piece, its first byte included
 */
export function piecesOf(message: string | Uint8Array, largest: number): Buffer[] {
  const kind = typeof message === 'string' ? TEXT : BINARY;
  const whole = withKind(kind, message);
  if (whole.length <= largest) return [whole];
  const pieces: Buffer[] = [];
  const content = whole.subarray(1);
  const step = largest - 1;
  for (let at = 0; at < content.length; at += step) {
    const isLast = at + step >= content.length;
    pieces.push(withKind(isLast ? kind : kind | MORE, content.subarray(at, at + step)));
  }
  return pieces;
}

export function withKind(kind: number, content: string | Uint8Array): Buffer {
  if (typeof content === 'string') {
    const text = Buffer.allocUnsafe(1 + Buffer.byteLength(content));
    text[0] = kind;
    text.write(content, 1, 'utf8');
    return text;
  }
  const bytes = Buffer.allocUnsafe(1 + content.length);
  bytes[0] = kind;
  bytes.set(content, 1);
  return bytes;
}

/** @param kind `RECEIVED` or `AGAIN` */
export function withCounter(kind: number, counter: number): Buffer {
  const item = Buffer.allocUnsafe(7);
  item[0] = kind;
  item.writeUIntBE(counter, 1, 6);
  return item;
}

/** Undefined if it is not what `withCounter` makes. */
export function counterIn(item: Buffer): number | undefined {
  return item.length === 7 ? item.readUIntBE(1, 6) : undefined;
}

/** What arrived is against the rules of this file. */
export class BadItem extends Error {}

/** Puts the pieces of a message together again. */
export class Pieces {
  #parts: Buffer[] = [];
  #bytes = 0;
  #kind: number | undefined;

  /**
   * @param item a piece: its first byte and its content
   * @param largest bytes of the largest message
   * @returns the whole message, or undefined while pieces of it are missing
   * @throws BadItem
   */
  add(item: Buffer, largest: number): string | Buffer | undefined {
    const [first = 0] = item;
    const kind = first & ~MORE;
    if (this.#bytes + item.length - 1 > largest) throw new BadItem('a message is too large');
    if (this.#kind === undefined && first === kind) return contentOf(kind, item.subarray(1));
    if (this.#kind !== undefined && this.#kind !== kind) throw new BadItem('a message within another');
    this.#kind = kind;
    this.#parts.push(item.subarray(1));
    this.#bytes += item.length - 1;
    if (first !== kind) return undefined;
    const whole = Buffer.concat(this.#parts);
    this.#parts = [];
    this.#bytes = 0;
    this.#kind = undefined;
    return contentOf(kind, whole);
  }
}

function contentOf(kind: number, content: Buffer): string | Buffer {
  return kind === TEXT ? content.toString('utf8') : content;
}
