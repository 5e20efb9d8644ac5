import { messageOf } from '../base/text.ts';
import { BadFrame } from '../wire/bad-frame.ts';
import type { ErrorFrame, Frame, UnreadableFrame } from '../wire/frames.ts';
import type { Callee } from './callee.ts';
import { decodeMessage } from './codec/decode.ts';
import type { Dial } from './dial.ts';
import type { PageSubscriptions } from './events.ts';
import type { Introduced } from './handshake.ts';
import { PageLink } from './link.ts';
import type { OutgoingCalls } from './outgoing.ts';
import { throwLater } from './page-event.ts';
import { Server } from './server.ts';

/** What a connection serves. */
export interface Parts {
  readonly outgoing: OutgoingCalls;
  readonly callee: Callee;
  readonly events: PageSubscriptions;
}

export interface SessionOwner {
  heard(): void;
  /** The server says that it leaves. */
  drain(): void;
}

/** The close code for a message that breaks the protocol. */
const BAD_FRAME = 4400;

/** One connection, from the end of its handshake: it passes each frame to what it is for. */
export class Session {
  readonly server: Server;
  readonly link: PageLink;
  readonly #parts: Parts;
  readonly #owner: SessionOwner;
  readonly #dial: Dial;
  /** Binary messages that wait for their frame, which comes with the next text. */
  readonly #binaries: Uint8Array[] = [];
  /** Tags that the server knows. */
  #told: Set<string>;

  constructor({ server, told }: Introduced, dial: Dial, parts: Parts, owner: SessionOwner) {
    const { id, incarnation, name, group, functions, limits } = server;
    this.server = new Server(id, name, group, functions);
    this.#parts = parts;
    this.#owner = owner;
    this.#dial = dial;
    this.#told = new Set(told);
    this.link = new PageLink(dial.socket, limits, {
      drained: () => parts.outgoing.pump(),
      failed: (error) => this.#broke(error),
    });
    dial.socket.onmessage = ({ data }) => this.#message(data);
    parts.callee.opened();
    this.tellFunctions();
    parts.events.opened(this.link, this.server, incarnation);
    parts.outgoing.opened(this.link, this.server);
  }

  /** Tells the server of the functions that were connected and disconnected since it was told last. */
  tellFunctions(): void {
    const now = new Set(this.#parts.callee.functions.keys());
    const before = this.#told;
    this.#told = now;
    for (const tag of now) if (!before.has(tag)) this.#tell([tag], []);
    for (const tag of before) if (!now.has(tag)) this.#tell([], [tag]);
  }

  /** One tag in a frame: the longest have 6 KiB of JSON, and every server takes frames of 64 KiB. */
  #tell(added: string[], removed: string[]): void {
    this.link.tell({ type: 'functions', added, removed });
  }

  /** Whether no call is under way, in either direction. */
  get isIdle(): boolean {
    return this.#parts.outgoing.size + this.#parts.callee.size === 0;
  }

  goaway(): void {
    const { link } = this;
    link.leaving = true;
    link.tell({ type: 'goaway', last: this.#parts.callee.last, reason: 'stopped' });
    link.flush();
  }

  lost(): void {
    const { outgoing, callee, events } = this.#parts;
    outgoing.lost();
    callee.lost();
    events.lost();
  }

  #message(data: unknown): void {
    this.#owner.heard();
    try {
      if (typeof data === 'string') decodeMessage(data, this.#binaries, this.#take);
      else this.#binaries.push(new Uint8Array(data as ArrayBuffer));
    } catch (error) {
      this.#broke(error);
    }
  }

  #broke(error: unknown): void {
    // A frame that breaks the protocol is the server's fault. Anything else is a bug of this library, and must not be silent.
    if (!(error instanceof BadFrame)) throwLater(error);
    this.link.flush();
    this.#dial.abort(messageOf(error), BAD_FRAME);
  }

  readonly #take = (frame: Frame | UnreadableFrame): void => {
    const { outgoing, callee, events } = this.#parts;
    switch (frame.type) {
      case 'request':
        callee.request(this.link, this.server, frame);
        break;
      case 'result':
        outgoing.received(frame);
        break;
      // With `arg` they belong to an argument, which flows in the opposite direction of a result.
      case 'cancel':
      case 'credit':
        if (frame.arg === undefined) callee.control(frame);
        else outgoing.received(frame);
        break;
      case 'error':
      case 'next':
      case 'complete':
        if (frame.arg === undefined) outgoing.received(frame);
        else callee.argument(frame);
        break;
      case 'unreadable':
        this.#unreadable(frame);
        break;
      case 'functions':
        this.server.change(frame);
        break;
      case 'goaway':
        if (frame.reason !== 'stopped') break;
        this.link.leaving = true;
        outgoing.refused(frame.last);
        this.#owner.drain();
        break;
      case 'event':
      case 'subscribe':
      case 'subscribed':
      case 'unsubscribe':
        events.received(frame);
        break;
      default:
      // A page is told of nobody else.
    }
  };

  /** A frame has a value that this engine cannot make. Only its call fails; an event counts as missed. */
  #unreadable(frame: UnreadableFrame): void {
    const { outgoing, callee } = this.#parts;
    const { id, arg, of, message } = frame;
    if (of === 'request') callee.request(this.link, this.server, frame);
    if (of === 'request' || of === 'event') return;
    // Cancel the stream, or more values would follow.
    if (of === 'next') this.link.tell({ type: 'cancel', id, arg });
    const what =
      of === 'next' || arg !== undefined ? 'a value of the stream' : 'the function ran, but its answer';
    const failure = {
      code: 'NOT_SERIALIZABLE',
      ran: 'yes',
      message: `${what} cannot be read: ${message}`,
    } as const;
    const answer: ErrorFrame = { type: 'error', id, failure };
    if (arg === undefined) outgoing.received(answer);
    else callee.argument({ ...answer, arg });
  }
}
