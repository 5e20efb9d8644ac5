import { fromCallback } from 'xstate';

import { BadFrame } from '../wire/bad-frame.ts';
import { Arrivals } from '../wire/binary.ts';
import { decodeMessage } from '../wire/codec.ts';
import { peerLine } from '../base/text.ts';
import { CLOSE } from '../wire/frames.ts';
import type { ErrorFrame, EventsFrame, Frame, UnreadableFrame } from '../wire/frames.ts';
import { encodeCancel } from '../wire/stream-frames.ts';
import type { ConnectionServices } from './connection-context.ts';
import type { Receiver } from '../transport/transport.ts';
import type { Link, LinkOwner } from './link.ts';
import type { CallerFrame, ConnectionMessage, DispatcherFrame } from './messages.ts';

export interface SocketInput {
  link: Link;
  services: ConnectionServices;
}

/**
 * Owns the socket of a link: hands each frame to who it is for, and ends the socket when it is stopped. Requests,
 * answers and events go straight to dispatcher, caller and events, lists of peers to discovery; only what concerns the
 * connection goes to its machine.
 */
export const socketLogic = fromCallback<{ type: 'never' }, SocketInput>(({ input, sendBack }) => {
  const owner = new SocketOwner(input, sendBack);
  return () => owner.dispose();
});

/** An object and not a handful of closures: there is one for every idle connection. */
class SocketOwner implements Receiver, LinkOwner {
  readonly #link: Link;
  readonly #services: ConnectionServices;
  readonly #tell: (message: ConnectionMessage) => void;
  readonly #arrivals: Arrivals;
  #open = true;
  /** What one message holds for each of the three, so that a message to an actor is paid for once and not per call. */
  #answers: CallerFrame[] = NOTHING;
  #requests: DispatcherFrame[] = NOTHING;
  #happened: EventsFrame[] = NOTHING;

  constructor({ link, services }: SocketInput, tell: (message: ConnectionMessage) => void) {
    this.#link = link;
    this.#services = services;
    this.#tell = tell;
    this.#arrivals = new Arrivals(services.largestMessage);
    link.owner = this;
    link.socket.receive(this);
  }

  message(text: string): void {
    if (!this.#open) return;
    try {
      decodeMessage(text, this, this.#link.newerVersion, this.#arrivals);
      this.#deliver();
    } catch (error) {
      this.#broke(error);
    }
  }

  binary(data: Uint8Array): void {
    if (!this.#open) return;
    try {
      this.#arrivals.add(data);
    } catch (error) {
      this.#broke(error);
    }
  }

  #broke(error: unknown): void {
    if (!(error instanceof BadFrame)) {
      this.#link.fail(error);
      return;
    }
    // What came before it is taken.
    this.#deliver();
    this.#link.breach(error.message);
  }

  breached(reason: string, isDeaf: boolean): void {
    const link = this.#link;
    this.#open = false;
    this.#services.log.peerBroke(link.record, reason);
    // A close waits behind what is written already.
    if (isDeaf) link.socket.terminate();
    else link.close(CLOSE.BAD_FRAME, reason);
  }

  frame(frame: Frame | UnreadableFrame): void {
    switch (frame.type) {
      case 'request':
        this.#toDispatcher(frame);
        break;
      case 'result':
        this.#toCaller(frame);
        break;
      // With `arg` they belong to an argument, which goes the other way round than a result.
      case 'cancel':
      case 'credit':
        if (frame.arg === undefined) this.#toDispatcher(frame);
        else this.#toCaller(frame);
        break;
      case 'error':
      case 'next':
      case 'complete':
        if (frame.arg === undefined) this.#toCaller(frame);
        else this.#toDispatcher(frame);
        break;
      case 'event':
      case 'subscribe':
      case 'subscribed':
      case 'unsubscribe':
        // What came before it comes first, and so does what happened before a call.
        if (this.#requests !== NOTHING) this.#deliver();
        if (this.#happened === NOTHING) this.#happened = [frame];
        else this.#happened.push(frame);
        break;
      case 'unreadable':
        this.#unreadable(frame);
        break;
      case 'peers':
        this.#services.discovery.send({ type: 'peers.told', link: this.#link, peers: frame.peers });
        break;
      case 'functions':
      case 'goaway':
        // What came before a goaway is not affected by it.
        this.#deliver();
        this.#tell({ type: 'frame.received', link: this.#link, frame });
        break;
    }
  }

  closed(code: number): void {
    this.#open = false;
    this.#tell({ type: 'link.closed', link: this.#link, code });
  }

  idle(): void {
    this.#tell({ type: 'link.idle', link: this.#link });
  }

  drained(wasCongested: boolean): void {
    if (wasCongested) {
      this.#services.caller.send({ type: 'link.drained', link: this.#link });
      this.#services.dispatcher.send({ type: 'held.due', link: this.#link });
    }
    this.#services.events.send({ type: 'link.drained', link: this.#link });
  }

  silent(): void {
    this.#tell({ type: 'link.silent', link: this.#link });
  }

  heard(): void {
    this.#tell({ type: 'link.heard', link: this.#link });
  }

  failed(error: unknown): void {
    this.#open = false;
    this.#services.log.unforeseen(`on the connection to ${peerLine(this.#link.record)}`, error);
  }

  dispose(): void {
    this.#open = false;
    this.#link.socket.terminate();
  }

  #unreadable(frame: UnreadableFrame): void {
    // The subscriber sees by the sequence that one is missing.
    if (frame.of === 'event') return;
    if (frame.of === 'request') {
      this.#toDispatcher(frame);
      return;
    }
    // Of a stream more would follow.
    if (frame.of === 'next' && this.#isRead(frame)) this.#link.send(encodeCancel(frame.id, frame.arg));
    const answer = unreadableAnswer(frame);
    if (frame.arg === undefined) this.#toCaller(answer);
    else this.#toDispatcher(answer);
  }

  /** Whether the stream is there; if not, nobody need be told that it is read no further. */
  #isRead({ id, arg }: UnreadableFrame): boolean {
    const { made, taken } = this.#link;
    return (arg === undefined ? made?.reads(id) : taken?.reads(id, arg)) === true;
  }

  #toCaller(frame: CallerFrame): void {
    if (this.#answers === NOTHING) this.#answers = [frame];
    else this.#answers.push(frame);
  }

  #toDispatcher(frame: DispatcherFrame): void {
    if (this.#happened !== NOTHING) this.#deliver();
    if (this.#requests === NOTHING) this.#requests = [frame];
    else this.#requests.push(frame);
  }

  #deliver(): void {
    const link = this.#link;
    // Before the answers: who awaits a call sees what happened during it.
    if (this.#happened !== NOTHING) {
      const frames = this.#happened;
      this.#happened = NOTHING;
      this.#services.events.send({ type: 'frames.received', link, frames });
    }
    if (this.#answers !== NOTHING) {
      const frames = this.#answers;
      this.#answers = NOTHING;
      this.#services.caller.send({ type: 'frames.received', link, frames });
    }
    if (this.#requests !== NOTHING) {
      const frames = this.#requests;
      this.#requests = NOTHING;
      this.#services.dispatcher.send({ type: 'frames.received', link, frames });
    }
  }
}

/** An answer or a value of a stream came, but what it holds cannot be made here. */
function unreadableAnswer({ id, arg, of, message }: UnreadableFrame): ErrorFrame {
  const what = of === 'next' || arg !== undefined ? 'a value of the stream' : 'its answer';
  const text =
    arg === undefined
      ? `the function ran, but ${what} cannot be read: ${message}`
      : `${what} cannot be read: ${message}`;
  return {
    ...{ type: 'error', id, failure: { code: 'NOT_SERIALIZABLE', ran: 'yes', message: text } },
    ...(arg !== undefined && { arg }),
  };
}

/** Never changed; stands for an empty list. */
const NOTHING: never[] = [];
