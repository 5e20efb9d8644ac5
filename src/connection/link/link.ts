import type { Socket } from '../../transport/transport.ts';
import { CLOSE, VERSIONS } from '../../wire/frames.ts';
import type { GoawayFrame, Limits } from '../../wire/frames.ts';
import { encodeFrame, SEPARATOR } from '../../wire/codec.ts';
import { takeFunctionsFrame } from '../../wire/functions-frames.ts';
import type { Outgoing } from '../../wire/outgoing.ts';
import { cutFor, LARGE_CUT } from './cut.ts';
import type { CallsMade, CallsTaken } from './link-calls.ts';
import type { LinkOwner } from './link-owner.ts';
import type { LinkSession } from './session.ts';
import type { Rights } from '../../wire/handshake/pass.ts';
import type { ToldLoads } from './told-loads.ts';
import { flushAtEnd, hasToWait } from './tick.ts';
import type { Scope } from '../../transport/scope.ts';
import type { Evidence, Findings, LeaveReason } from './evidence.ts';
import { mostUnread } from './unread.ts';
import type { LinkLimits } from './unread.ts';
import { noteUntold } from './untold.ts';
import type { Untold } from './untold.ts';

/** A link is slow if more bytes than this are written and not yet taken by the network. */
const SLOW = 256 * 1024;

/**
 * One life of one other peer, from its first connection, or the word of another peer, until it leaves. Connection, discovery and
 * caller share it. The comments say which of them writes a field.
 */
export interface PeerRecord {
  readonly id: string;
  readonly incarnation: string;
  readonly name: string;
  readonly group: string;
  readonly hub: boolean;
  /** Whether it has a pass, and what it may then do here. */
  readonly guest: boolean;
  readonly rights: Rights | undefined;
  readonly pid: number;
  readonly host: string;
  readonly scope: Scope;
  /** Tags. Written by the connection. */
  readonly functions: Set<string>;
  /** Characters of all tags together. */
  tagCharacters: number;
  /** The link for calls to the peer. Written by the connection; undefined while there is none, and once the peer has left. */
  link: Link | undefined;
  /** How often a connection to it was lost or given up. Written by the connection. */
  generation: number;
  /** Why the peer is suspect. `hasClosed`: its connection closed without a silence. Written by the connection. */
  doubt: (Findings & { readonly hasClosed?: boolean }) | undefined;
  /** Why the peer left. Written by discovery, once. */
  left: LeaveReason | undefined;
  /** The evidence for its leave. Written by discovery when the peer leaves. */
  evidence: Evidence | undefined;
  /** Calls that wait until the peer has room. Written by the caller; undefined before the first one. */
  waiting: { readonly size: number } | undefined;
  /** Names of events that this peer wants from it. Written by events. */
  interests: number;
}

/**
 * One open, authenticated connection, as caller and dispatcher use it. It is not an actor: a call takes a few microseconds, and a
 * message to one more actor would slow it down noticeably. The machine of the connection owns it.
 */
export class Link {
  readonly record: PeerRecord;
  readonly socket: Socket;
  /** Whether this side opened the link. */
  readonly dialled: boolean;
  readonly limits: Limits;
  readonly newerVersion: boolean;
  /** How often the side that opened the link had lost a connection to the other side before. */
  readonly generation: number;
  /** What the other side may do here; undefined for a peer that may do everything. */
  readonly rights: Rights | undefined;

  /** Written by the caller; undefined before its first call. */
  made: CallsMade | undefined;
  /** Written by the dispatcher; undefined before its first request. */
  taken: CallsTaken | undefined;
  /** Written by the socket; undefined before the other side has told. */
  loads: ToldLoads | undefined;
  /** Read by the dispatcher: from here on it ignores requests. A goaway has told the other side. */
  refusing = false;

  /** How the other side broke the protocol or lost its right to the link, if the link was closed for that. */
  broken: string | undefined;
  /** Why we sent goaway. */
  leaving: GoawayFrame['reason'] | undefined;
  /** Why the other side sent goaway. */
  otherLeaving: GoawayFrame['reason'] | undefined;
  owner: LinkOwner | undefined;
  readonly ownerName: string;

  /** Characters of text and bytes of binary messages, written and arrived. */
  sent = 0;
  received = 0;
  /** Written by liveness: how much had arrived at the last check. */
  heard = 0;
  /** Written by liveness: checks since anything arrived. */
  silentLooks = 0;
  /** Written by liveness: silent for too long. */
  suspect = false;
  /** Written by liveness: this process stood still, and the link proves its peer after so many checks that find something. */
  unproved = 0;
  /** Written by discovery: this side has asked to end the link, as it has no use for it. */
  askedToEnd = false;
  /** The network is slower than the writing. Events wait until everything is sent. */
  slow = false;
  /** More bytes are buffered than allowed (`limits.buffered`). Calls wait, too. */
  congested = false;
  /** Streams that wait until the network has taken everything that was written. */
  #stalled: Set<() => void> | undefined;
  readonly #own: LinkLimits;
  readonly #cut: number;
  /** A congested link is closed at this many bytes that are written and not yet taken. */
  #mostUnread = Infinity;
  #untold: Untold | undefined;
  /** Frames that wait for the end of the tick, and events that wait for the next flush of events. */
  #batch = '';
  /** Whether the end of the tick will flush the batch. */
  #isUnsent = false;
  #hasFailed = false;
  readonly #checkAgain = (): void => this.checkIdle();

  /** @param ownerName name of the actor that owns the socket, among the children of the connection */
  constructor(
    record: PeerRecord,
    { socket, dialled, generation, rights, party }: LinkSession,
    own: LinkLimits,
    ownerName: string,
  ) {
    this.record = record;
    this.#own = own;
    this.ownerName = ownerName;
    this.socket = socket;
    this.dialled = dialled;
    this.generation = generation;
    this.rights = rights;
    this.#cut = cutFor(socket);
    this.limits = party.limits;
    this.newerVersion = party.newestVersion > VERSIONS[0]!;
  }

  /**
   * Sends a frame. With little to send, the first frame of a tick is sent at once, so that its receiver can begin. Those that
   * follow in the same tick are sent together, in messages of about `CUT` characters. With much to send, all frames of a turn are
   * (see `tick.ts`). A frame with binary messages is sent at once, right after them, so that the other side never holds the bytes
   * of more than one frame. A long frame is sent at once, too: then it is known whether there is room for the next one.
   */
  send(frame: Outgoing): void {
    if (typeof frame !== 'string') {
      this.flush();
      this.#write(frame.text, frame.binaries);
    } else if (!this.slow && !hasToWait(this)) {
      if (this.#batch !== '') this.flush();
      this.#write(frame);
    } else {
      if (!this.#isUnsent) {
        this.#isUnsent = true;
        flushAtEnd(this);
      }
      this.#add(frame, this.slow ? LARGE_CUT : this.#cut);
    }
  }

  /**
   * Keeps a frame for the next `flush`, which must follow soon. A frame that is sent earlier takes it along. A frame with binary
   * messages is sent at once.
   * @param cut characters at which the message is cut
   * @returns whether the batch was empty before
   */
  hold(frame: Outgoing, cut: number): boolean {
    if (typeof frame !== 'string') {
      this.send(frame);
      return false;
    }
    const isFirst = this.#batch === '';
    this.#add(frame, cut);
    return isFirst;
  }

  flush(): void {
    this.#isUnsent = false;
    const batch = this.#batch;
    if (batch === '') return;
    this.#batch = '';
    this.#write(batch);
  }

  #add(frame: string, cut: number): void {
    const batch = this.#batch;
    if (batch === '') {
      if (frame.length > cut) this.#write(frame);
      else this.#batch = frame;
    } else if (batch.length + frame.length <= cut) {
      this.#batch = batch + SEPARATOR + frame;
    } else {
      this.#batch = '';
      this.#write(batch);
      this.#add(frame, cut);
    }
  }

  #write(message: string, before?: readonly Uint8Array[]): void {
    const { socket } = this;
    this.sent += message.length;
    if (before) for (const { byteLength } of before) this.sent += byteLength;
    // At the end of a tick, and for an event, many links are written in one loop. A link that fails must not stop the others.
    try {
      socket.send(message, before);
    } catch (error) {
      this.fail(error);
      return;
    }
    const buffered = socket.bufferedAmount;
    if (buffered > this.#own.buffered) this.#congest(buffered);
    if (this.slow || (buffered <= SLOW && !this.congested)) return;
    this.slow = true;
    this.whenDrained(() => {
      this.slow = false;
      const wasCongested = this.congested;
      this.congested = false;
      this.#tellRest();
      this.owner?.drained(wasCongested);
    });
  }

  #congest(buffered: number): void {
    if (!this.congested) {
      this.congested = true;
      this.#mostUnread = buffered + mostUnread(this.#own, this.made?.places ?? 0);
    } else if (buffered > this.#mostUnread) {
      this.#breach('it asks without reading the answers', true, CLOSE.BAD_FRAME);
    }
  }

  /** Calls back once, when the network has taken everything that was written. */
  whenDrained(callback: () => void): void {
    if (this.#stalled) {
      this.#stalled.add(callback);
      return;
    }
    this.#stalled = new Set([callback]);
    this.socket.whenDrained(() => {
      const stalled = this.#stalled!;
      this.#stalled = undefined;
      for (const each of stalled) {
        try {
          each();
        } catch (error) {
          this.fail(error);
        }
      }
    });
  }

  /**
   * Tells the other side that this side leaves the link. With `stopped` it takes no more requests. With `duplicate` it makes no
   * requests here, but takes them until the other side has sent `duplicate`, too, so that no call is lost when the connection
   * changes. With `idle` it agrees that the link ends: it makes no requests here, and the other side closes the link.
   */
  goaway(reason: GoawayFrame['reason']): void {
    if (this.leaving === reason || this.leaving === 'stopped') {
      // The link was left before, used again in between, and is left again.
      if (reason === 'duplicate') this.checkIdle();
      return;
    }
    this.leaving = reason;
    this.refusing = reason === 'stopped';
    this.send(encodeFrame({ type: 'goaway', last: this.taken?.last ?? 0, reason }));
    // Flush at once: if the process exits, there is no later.
    this.flush();
    this.checkIdle();
  }

  /** Whether no call is under way on it, in either direction, and the network has taken every answer. */
  get isIdle(): boolean {
    return (this.made?.pending.size ?? 0) + (this.taken?.unsettled ?? 0) + this.socket.bufferedAmount === 0;
  }

  /** Call whenever a call settles on a link that one side is leaving: it closes once nothing runs on it and both sides agree. */
  checkIdle(): void {
    const agreed =
      (this.leaving === 'duplicate' && this.otherLeaving === 'duplicate') ||
      (this.askedToEnd && this.otherLeaving === 'idle');
    if (!agreed && this.leaving !== 'stopped') return;
    // Wait a turn, so that the message of this tick is sent before the connection closes.
    if (this.isIdle) setImmediate(() => (this.isIdle ? this.owner?.idle() : this.checkIdle()));
    // A connection that closes is cut after a second: too soon for a side that reads slowly.
    else if (this.socket.bufferedAmount > 0) this.whenDrained(this.#checkAgain);
  }

  /** Asks the other side to agree that this link ends. It is used as before until the other side does. */
  askToEnd(): void {
    this.askedToEnd = true;
    this.send(encodeFrame({ type: 'goaway', last: this.taken?.last ?? 0, reason: 'idle' }));
  }

  /** Whether a call or a stream is under way on it, in either direction. */
  get isBusy(): boolean {
    return (this.made?.places ?? 0) > 0 || (this.taken?.unsettled ?? 0) > 0;
  }

  /** Sends which functions were connected and disconnected, as fast as the network allows. */
  tellFunctions(added: Iterable<string>, removed: Iterable<string>): void {
    noteUntold((this.#untold ??= new Map()), added, removed, this.rights);
    this.#tellRest();
  }

  #tellRest(): void {
    const untold = this.#untold;
    if (!untold) return;
    while (untold.size > 0 && !this.congested) this.send(takeFunctionsFrame(untold, this.limits.message));
    if (untold.size === 0) this.#untold = undefined;
  }

  /** Closes the link because the other side broke the protocol, or may not have the link (`code`). It takes nothing more. */
  breach(reason: string, code: number = CLOSE.BAD_FRAME): void {
    this.#breach(reason, false, code);
  }

  /** @param isDeaf true if the other side does not read, so that it cannot be told why */
  #breach(reason: string, isDeaf: boolean, code: number): void {
    if (this.broken !== undefined) return;
    this.broken = reason;
    this.owner?.breached(reason, isDeaf, code);
  }

  /** Closes the link after everything is sent. */
  close(code: number, reason: string): void {
    this.flush();
    this.socket.close(code, reason);
  }

  /** Closes this link, and nothing else, after an unexpected error while something was received or sent. */
  fail(error: unknown): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.owner?.failed(error);
    try {
      this.close(CLOSE.UNFORESEEN, '');
    } catch {
      this.socket.terminate();
    }
  }
}
