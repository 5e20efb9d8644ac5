import { CLOSE } from '../../wire/frames.ts';
import { HANDSHAKE_BYTES } from '../../wire/handshake/handshake.ts';
import type { Binding } from '../../wire/handshake/proof.ts';
import { Inbox } from '../inbox.ts';
import type { Receiver, Socket } from '../transport.ts';
import type { Bus } from './bus.ts';
import * as item from './items.ts';
import type { Life } from './opening.ts';
import { Outbox, TELL, TELL_MESSAGES } from './outbox.ts';
import { SEAL_BYTES, Sealer, Unsealer } from './seal.ts';

/** How long an orderly close may take before the link is cut, in ms. */
const CLOSE_TIME = 1_000;

/** A message asks the server whether anybody listens if none has asked for so long, in ms. */
const ASK_AGAIN = 20;

/**
 * Time between two requests to send again what is missing, the first and the longest, in ms. It doubles. An answer takes a few ms,
 * and the other side may be on the way to another server.
 */
const FIRST_AGAIN = 20;
const LONGEST_AGAIN = 1_000;

/** What was sent again is not sent once more within this time, in ms: somebody may repeat the request. */
const SENT_AGAIN = 15;

/** The other side did not send a close code. */
const NO_CODE = 1006;

export interface NatsSocketInput {
  bus: Bus;
  /** The life at the other end, as it said. */
  other: Life;
  /** Where this side sends to. */
  subject: string;
  /** Where the server says that nobody listens there. */
  reply: string;
  transcript: Buffer;
  /** The keys of this direction and of the other one. */
  keys: { send: Buffer; receive: Buffer };
  /** Bytes. */
  largestMessage: number;
  /** Lifts the limits for strangers. */
  trusted(): void;
  /** Called once, at the end. */
  ended(): void;
}

/**
 * One link through the broker: every message is sealed, counted, paid for with credit, and sent again if it was lost. A link outlives
 * the connections of both its ends to their servers.
 */
export class NatsSocket implements Socket {
  readonly binding: Binding;
  readonly scope = 'wan';
  readonly isRelayed = true;
  readonly other: Life;
  readonly #input: NatsSocketInput;
  readonly #unsealer: Unsealer;
  readonly #inbox = new Inbox();
  readonly #outbox: Outbox;
  readonly #pieces = new item.Pieces();
  readonly #largestPiece: number;
  #isTrusted = false;
  #untrustedBytes = 0;
  /** Bytes that were received, and not told yet. */
  #untold = 0;
  /** The counter that was told last. */
  #told = 0;
  #asked = -Infinity;
  /** Runs while it asks for what is missing. */
  #asking: NodeJS.Timeout | undefined;
  #sentAgain = -Infinity;
  #drained: (() => void)[] = [];
  #state: 'open' | 'closing' | 'ended' = 'open';
  #goodbye: { code: number; reason: string } | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(input: NatsSocketInput) {
    this.#input = input;
    this.other = input.other;
    this.binding = { kind: 'nats', data: input.transcript };
    this.#unsealer = new Unsealer(input.keys.receive);
    this.#largestPiece = Math.min(item.LARGEST_PIECE, (input.bus.epoch?.largest ?? Infinity) - SEAL_BYTES);
    const sealer = new Sealer(input.keys.send);
    this.#outbox = new Outbox(
      (message) => sealer.seal(message),
      (sealed) => this.#publish(sealed),
    );
  }

  /** Counts messages that only the other side can have made, each once. */
  get received(): number {
    return this.#unsealer.counter;
  }

  /** Where this side sends to. */
  get subject(): string {
    return this.#input.subject;
  }

  /** Where the server says that nobody listens there. */
  get reply(): string {
    return this.#input.reply;
  }

  get bufferedAmount(): number {
    return this.#outbox.bytes;
  }

  send(message: string, before: readonly Uint8Array[] = []): void {
    if (this.#state !== 'open') return;
    for (const binary of before) this.#add(binary);
    this.#add(message);
  }

  ping(): void {
    this.#tell(item.withKind(item.PING, ''));
  }

  whenDrained(callback: () => void): void {
    if (this.#outbox.bytes === 0) setImmediate(callback);
    else this.#drained.push(callback);
  }

  receive(receiver: Receiver | undefined): void {
    this.#inbox.receive(receiver);
  }

  trust(): void {
    this.#isTrusted = true;
    this.#input.trusted();
  }

  close(code: number, reason: string): void {
    if (this.#state !== 'open') return;
    this.#state = 'closing';
    this.#goodbye = { code, reason };
    this.#timer = setTimeout(() => this.terminate(), CLOSE_TIME).unref();
    if (this.#outbox.bytes === 0) this.#sayGoodbye();
  }

  terminate(): void {
    if (this.#state === 'ended') return;
    // The other side would notice anyway. So it need not be asked first.
    this.#tell(closeItem(NO_CODE, ''));
    this.end(NO_CODE);
  }

  /** The link is over. */
  end(code: number): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    clearTimeout(this.#timer);
    clearTimeout(this.#asking);
    this.#outbox.clear();
    this.#input.ended();
    setImmediate(() => this.#inbox.closed(code));
    const drained = this.#drained;
    this.#drained = [];
    for (const each of drained) setImmediate(each);
  }

  /** Call when this side has another connection to a server. What either side sent meanwhile is lost. */
  resume(): void {
    const { epoch } = this.#input.bus;
    // A piece that is sent again has to fit.
    if (epoch && this.#largestPiece > epoch.largest - SEAL_BYTES) {
      this.#tell(closeItem(NO_CODE, ''));
      this.end(CLOSE.NETWORK);
    } else {
      this.#askAgain();
    }
  }

  /** Call with each message that arrives for this end. */
  arrived(sealed: Uint8Array): void {
    if (this.#state === 'ended') return;
    const message = this.#unsealer.unseal(sealed);
    // Anybody can publish anything. What is not from the other side changes nothing.
    if (message === 'foreign') return;
    if (this.#unsealer.isAhead) {
      this.#handleAhead(message);
      return;
    }
    clearTimeout(this.#asking);
    this.#asking = undefined;
    this.#handle(message);
    if (this.received - this.#told >= TELL_MESSAGES || this.#untold >= TELL)
      this.#tellReceived(item.RECEIVED);
  }

  #handle(message: Buffer): void {
    switch (message[0]) {
      case item.RECEIVED:
        this.#confirmed(message);
        break;
      case item.AGAIN:
        this.#sendAgain(message);
        // A sign that this end is here.
        this.#tellReceived(item.RECEIVED);
        break;
      case item.PING:
        this.#tell(item.withKind(item.PONG, ''));
        break;
      case item.PONG:
        break;
      case item.CLOSE:
        this.#closedBy(message.length < 3 ? NO_CODE : message.readUInt16BE(1));
        break;
      default:
        this.#take(message);
    }
  }

  /** Messages before this one are missing. It comes again after them, but it may be needed for that. */
  #handleAhead(message: Buffer): void {
    // Whoever has ended a link cannot send anything again.
    if (message[0] === item.CLOSE) {
      this.end(CLOSE.NETWORK);
      return;
    }
    if (message[0] === item.AGAIN) this.#sendAgain(message);
    if (this.#asking === undefined) this.#askAgain();
  }

  #confirmed(message: Buffer): boolean {
    const counter = item.counterIn(message);
    if (counter !== undefined && this.#outbox.received(counter)) {
      this.#drain();
      return true;
    }
    this.#broke();
    return false;
  }

  #sendAgain(message: Buffer): void {
    if (!this.#confirmed(message)) return;
    const now = performance.now();
    if (now - this.#sentAgain < SENT_AGAIN) return;
    this.#sentAgain = now;
    this.#outbox.again();
  }

  /** Until a message has come in its turn: the other side may not be there yet. */
  #askAgain(pause = FIRST_AGAIN): void {
    clearTimeout(this.#asking);
    if (this.#state === 'ended') return;
    // Before it is published: this end may be over after that.
    const next = Math.min(2 * pause, LONGEST_AGAIN);
    this.#asking = setTimeout(() => this.#askAgain(next), pause).unref();
    this.#tellReceived(item.AGAIN);
  }

  #tellReceived(kind: number): void {
    this.#told = this.received;
    this.#untold = 0;
    this.#tell(item.withCounter(kind, this.#told));
  }

  #take(piece: Buffer): void {
    if (!this.#isTrusted && (this.#untrustedBytes += piece.length) > 2 * HANDSHAKE_BYTES) {
      this.#broke();
      return;
    }
    let whole: string | Buffer | undefined;
    try {
      whole = this.#pieces.add(piece, this.#input.largestMessage);
    } catch {
      this.#broke();
      return;
    }
    if (typeof whole === 'string') this.#inbox.message(whole);
    else if (whole) this.#inbox.binary(whole);
    this.#untold += piece.length;
  }

  #add(message: string | Uint8Array): void {
    for (const piece of item.piecesOf(message, this.#largestPiece)) this.#outbox.add(piece);
  }

  #publish(sealed: Buffer): void {
    const { bus, subject, reply } = this.#input;
    const now = performance.now();
    if (now - this.#asked < ASK_AGAIN) {
      bus.publish(subject, sealed);
    } else {
      this.#asked = now;
      bus.publish(subject, sealed, reply);
    }
  }

  /** A word about the link itself. It needs no credit. */
  #tell(message: Buffer): void {
    if (this.#state !== 'ended') this.#outbox.tell(message);
  }

  #drain(): void {
    if (this.#outbox.bytes > 0) return;
    if (this.#goodbye) this.#sayGoodbye();
    const drained = this.#drained;
    this.#drained = [];
    for (const each of drained) each();
  }

  #sayGoodbye(): void {
    const { code, reason } = this.#goodbye!;
    this.#goodbye = undefined;
    this.#tell(closeItem(code, reason));
    // The process may be about to exit.
    this.#input.bus.flush();
  }

  #closedBy(code: number): void {
    if (this.#state === 'open' && code !== NO_CODE) this.#tell(closeItem(code, ''));
    this.end(code === CLOSE.NETWORK || code === CLOSE.GONE ? NO_CODE : code);
  }

  /** The other side does not keep to the rules of a link. */
  #broke(): void {
    this.#tell(closeItem(CLOSE.BAD_FRAME, ''));
    this.end(CLOSE.BAD_FRAME);
  }
}

function closeItem(code: number, reason: string): Buffer {
  const head = Buffer.of(item.CLOSE, code >> 8, code & 0xff);
  return Buffer.concat([head, Buffer.from(reason.slice(0, 123), 'utf8')]);
}
