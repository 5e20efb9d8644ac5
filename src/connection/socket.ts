import type { Channel } from 'node:diagnostics_channel';

import { fromCallback } from 'xstate';

import { BadFrame } from '../wire/bad-frame.ts';
import { Arrivals } from '../wire/binary.ts';
import { decodeMessage } from '../wire/codec.ts';
import { CHANNELS } from '../base/diagnostics.ts';
import { peerLine } from '../base/peer-line.ts';
import { CLOSE } from '../wire/frames.ts';
import type { ErrorFrame, EventsFrame, Frame, UnreadableFrame } from '../wire/frames.ts';
import { encodeCancel } from '../wire/stream-frames.ts';
import type { ConnectionServices } from './connection-context.ts';
import { GuestFrames } from './guest-frames.ts';
import type { FrameTaker } from './guest-frames.ts';
import type { Receiver } from '../transport/transport.ts';
import type { Link } from './link/link.ts';
import type { LinkOwner } from './link/link-owner.ts';
import type { LinkMessage } from './link/link-message.ts';
import { ToldLoads } from './link/told-loads.ts';
import type { CallerFrame, ConnectionMessage, DispatcherFrame } from './messages.ts';

export interface SocketInput {
  link: Link;
  services: ConnectionServices;
}

/**
 * Owns the socket of a link. It passes each frame to the actor it is for, and closes the socket when it is stopped. Requests,
 * answers and events go straight to dispatcher, caller and events, and news of other peers to discovery. Only frames about the
 * connection itself go to its machine.
 */
export const socketLogic = fromCallback<{ type: 'never' }, SocketInput>(({ input, sendBack }) => {
  const owner = new SocketOwner(input, sendBack);
  return () => owner.dispose();
});

/** A class, not a set of closures, to save memory: there is one for every idle connection. */
class SocketOwner implements Receiver, LinkOwner, FrameTaker {
  readonly #link: Link;
  readonly #services: ConnectionServices;
  readonly #tell: (message: ConnectionMessage) => void;
  readonly #arrivals: Arrivals;
  /** Takes the frames that arrive: this object, or what limits a guest. */
  readonly #frames: FrameTaker;
  #open = true;
  /** The close was told of. */
  #isClosed = false;
  /** The frames of one message for each of the three actors, so that an actor gets one message, not one for each call. */
  #answers: CallerFrame[] = NOTHING;
  #requests: DispatcherFrame[] = NOTHING;
  #happened: EventsFrame[] = NOTHING;

  constructor({ link, services }: SocketInput, tell: (message: ConnectionMessage) => void) {
    this.#link = link;
    this.#services = services;
    this.#tell = tell;
    this.#arrivals = new Arrivals(services.largestMessage);
    const { rights } = link;
    this.#frames = rights ? new GuestFrames(link, rights, this) : this;
    link.owner = this;
    link.socket.receive(this);
    services.counts.opened += 1;
    if (link.generation > 0) services.counts.reopened += 1;
    this.#publish(CHANNELS.linkOpen);
    if (rights) services.guests.opened(link);
  }

  message(text: string): void {
    if (!this.#open) return;
    this.#link.received += text.length;
    try {
      decodeMessage(text, this.#frames, this.#link.newerVersion, this.#arrivals);
      this.#deliver();
    } catch (error) {
      this.#broke(error);
    }
  }

  binary(data: Uint8Array): void {
    if (!this.#open) return;
    this.#link.received += data.byteLength;
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
    // The frames before the bad one count.
    this.#deliver();
    this.#link.breach(error.message);
  }

  breached(reason: string, isDeaf: boolean, code: number): void {
    const link = this.#link;
    this.#open = false;
    if (code === CLOSE.BAD_FRAME) this.#services.log.peerBroke(link.record, reason);
    // A close would wait behind everything that is already written.
    if (isDeaf) link.socket.terminate();
    else link.close(code, reason);
  }

  frame(frame: Frame | UnreadableFrame): void {
    switch (frame.type) {
      case 'request':
        this.#toDispatcher(frame);
        break;
      case 'result':
        this.#toCaller(frame);
        break;
      // With `arg` they belong to an argument, which flows in the opposite direction of a result.
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
        // Keep the order: earlier requests go out first, and earlier events go out before a call.
        if (this.#requests !== NOTHING) this.#deliver();
        if (this.#happened === NOTHING) this.#happened = [frame];
        else this.#happened.push(frame);
        break;
      case 'unreadable':
        this.#unreadable(frame);
        break;
      case 'load':
        (this.#link.loads ??= new ToldLoads()).take(frame, this.#link.record.functions.has(frame.tag));
        break;
      case 'revoked':
        this.#services.guests.told(frame.passes, this.#link);
        break;
      case 'functions':
      case 'goaway':
        // A goaway does not affect the frames before it.
        this.#deliver();
        this.#tell({ type: 'frame.received', link: this.#link, frame });
        break;
      default:
        // The changes of its functions before it count.
        this.#services.discovery.send({ type: 'presence.told', link: this.#link, frame });
        break;
    }
  }

  closed(code: number): void {
    this.#open = false;
    this.#countClose(code);
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
    this.#countClose(undefined);
    this.#link.socket.terminate();
  }

  #countClose(code: number | undefined): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const { counts, guests } = this.#services;
    counts.sent += this.#link.sent;
    counts.received += this.#link.received;
    this.#link.sent = 0;
    this.#link.received = 0;
    guests.closed(this.#link);
    this.#publish(CHANNELS.linkClose, code);
  }

  #publish(channel: Channel, code?: number): void {
    if (!channel.hasSubscribers) return;
    const { record: peer, dialled, generation } = this.#link;
    const local = this.#services.handshake.self.id;
    const message: LinkMessage = { local, peer, dialled, generation, code };
    channel.publish(message);
  }

  #unreadable(frame: UnreadableFrame): void {
    // The subscriber notices a missing event by the sequence.
    if (frame.of === 'event') return;
    if (frame.of === 'request') {
      this.#toDispatcher(frame);
      return;
    }
    // Cancel the stream, or more values would follow.
    if (frame.of === 'next' && this.#isRead(frame)) this.#link.send(encodeCancel(frame.id, frame.arg));
    const answer = unreadableAnswer(frame);
    if (frame.arg === undefined) this.#toCaller(answer);
    else this.#toDispatcher(answer);
  }

  /** Whether the stream is being read; if not, there is nothing to cancel. */
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
    // Events before answers, so that a caller that awaits a call sees the events that were emitted during it.
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

/** The error for an answer, or a value of a stream, that cannot be created here. */
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

/** An empty list that is never changed. */
const NOTHING: never[] = [];
