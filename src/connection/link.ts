import type { Socket } from '../transport/transport.ts';
import { CLOSE, VERSIONS } from '../wire/frames.ts';
import type { GoawayFrame, Limits } from '../wire/frames.ts';
import { encodeFrame, SEPARATOR } from '../wire/codec.ts';
import { takeFunctionsFrame } from '../wire/functions-frames.ts';
import type { Outgoing } from '../wire/outgoing.ts';
import type { CallsMade, CallsTaken } from './link-calls.ts';
import type { Session } from './session.ts';
import { flushAtEnd, hasBegun } from './tick.ts';
import type { Scope } from '../transport/scope.ts';
import type { Evidence, Findings, LeaveReason } from './evidence.ts';
import { mostUnread } from './unread.ts';
import type { LinkLimits } from './unread.ts';

/**
 * Characters at which the message of a tick is cut: some twenty calls. The other side then works on the first part
 * while this one still writes the rest. Measured with 512 calls in flight: 170,000 calls/s cut at 64 Ki characters,
 * 220,000 at 16 Ki, 300,000 at 2 to 4 Ki, 190,000 at 512, where each message costs more than it brings. That the
 * first frame of a tick goes out by itself doubles the calls/s with 8 in flight, for the same reason.
 */
const CUT = 2 * 1024;

/** The same while the network is behind anyway: a message for each frame would only cost memory. */
const SLOW_CUT = 16 * 1024;

/** Bytes written and not yet taken by the network, above which a link is slow. */
const SLOW = 256 * 1024;

/** Who owns the socket of a link. */
export interface LinkOwner {
  /** The last call of a link that is `leaving` has settled. */
  idle(): void;
  /** What was written has been taken by the network. */
  drained(wasCongested: boolean): void;
  /** Nothing has arrived for too long. */
  silent(): void;
  /** After that, something has. */
  heard(): void;
  /** Something that nobody foresaw went wrong with it; it is being closed. */
  failed(error: unknown): void;
  /** The other side breaks the protocol: the link is to be ended. */
  breached(reason: string, isDeaf: boolean): void;
}

/**
 * One life of one other peer: made when its first connection opens, dropped when it leaves, never used for the
 * next life. Connection, discovery and caller share it; the comments say who writes what.
 */
export interface PeerRecord {
  readonly id: string;
  readonly incarnation: string;
  readonly name: string;
  readonly group: string;
  readonly hub: boolean;
  readonly pid: number;
  readonly host: string;
  readonly scope: Scope;
  /** Tags. Written by the connection. */
  readonly functions: Set<string>;
  /** Of all tags together. */
  tagCharacters: number;
  /** Where calls to it go. Written by the connection; undefined once the peer has left. */
  link: Link | undefined;
  /** How often a connection to it was lost or given up. Written by the connection. */
  generation: number;
  /** Why it is suspect. Written by the connection; undefined while there is no doubt. */
  doubt: Findings | undefined;
  /** Written by the connection, once. */
  left: LeaveReason | undefined;
  /** Why it was held for gone. Written by the connection when the peer leaves. */
  evidence: Evidence | undefined;
  /** Calls that wait until the peer has room. The caller's; undefined before the first. */
  waiting: { readonly size: number } | undefined;
}

/**
 * One open, authenticated connection, as caller and dispatcher use it. Not an actor: a call costs a few
 * microseconds and a message to one more actor would be felt. The connection machine owns it.
 */
export class Link {
  readonly record: PeerRecord;
  readonly socket: Socket;
  /** Whether this side opened it. */
  readonly dialled: boolean;
  /** What the other side accepts. */
  readonly limits: Limits;
  readonly newerVersion: boolean;
  /** How often the side that opened it had lost a connection to the other before. */
  readonly generation: number;

  /** The caller's; undefined before its first call. */
  made: CallsMade | undefined;
  /** The dispatcher's; undefined before its first request. */
  taken: CallsTaken | undefined;
  /** The dispatcher's: requests are ignored from here on; a goaway has said so. */
  refusing = false;

  /** What the other side did against the protocol, if the link was ended for it. */
  broken: string | undefined;
  /** Why we said goaway. */
  leaving: GoawayFrame['reason'] | undefined;
  /** Why the other side said goaway. */
  otherLeaving: GoawayFrame['reason'] | undefined;
  owner: LinkOwner | undefined;
  readonly ownerName: string;

  /** The liveness': how much had arrived at the last look. */
  heard = 0;
  /** The liveness': looks since anything arrived. */
  silentLooks = 0;
  /** The liveness': silent for too long. */
  suspect = false;

  /** The discovery's: this side has said whom it knows. */
  toldPeers = false;
  /** The discovery's: the other side has. */
  heardPeers = false;

  /** The network does not take what is written as fast as it comes; events wait until it has. */
  slow = false;
  /** More is written than may be (`limits.buffered`); calls wait, too. */
  congested = false;
  /** Streams that wait until the network has taken what was written. */
  #stalled: Set<() => void> | undefined;
  readonly #own: LinkLimits;
  /** Bytes written and not yet taken at which a congested link is ended. */
  #mostUnread = Infinity;
  /** Changes of the functions that the other side was not told of yet, by tag: whether there is one now. */
  #untold: Map<string, boolean> | undefined;
  /** Frames that wait for the end of the tick, or events for the next writing of events. */
  #batch = '';
  /** Whether the end of the tick flushes it. */
  #isUnsent = false;
  #hasFailed = false;

  /** @param ownerName of the actor that owns its socket, among the children of the connection */
  constructor(
    record: PeerRecord,
    { socket, dialled, generation, party }: Session,
    own: LinkLimits,
    ownerName: string,
  ) {
    this.record = record;
    this.#own = own;
    this.ownerName = ownerName;
    this.socket = socket;
    this.dialled = dialled;
    this.generation = generation;
    this.limits = party.limits;
    this.newerVersion = party.newestVersion > VERSIONS[0]!;
  }

  /**
   * Sends a frame: the first of a tick at once, so that its receiver can begin, and what follows in the same tick
   * together, in messages of about `CUT` characters. One that bytes go with is sent at once, right behind them: so
   * the other side never holds bytes of more than one frame. So is a long one: whether there is room for the next
   * is known then.
   */
  send(frame: Outgoing): void {
    if (typeof frame !== 'string') {
      this.flush();
      this.#write(frame.text, frame.binaries);
    } else if (!this.slow && !hasBegun()) {
      if (this.#batch !== '') this.flush();
      this.#write(frame);
    } else {
      if (!this.#isUnsent) {
        this.#isUnsent = true;
        flushAtEnd(this);
      }
      this.#add(frame, this.slow ? SLOW_CUT : CUT);
    }
  }

  /**
   * Keeps a frame for the next `flush`, which follows soon; whatever else is sent before takes it along. One that bytes go
   * with is sent at once.
   * @param cut characters at which the message is cut
   * @returns whether there was nothing to flush before
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
    // Many links are written to in one go, at the end of a tick and for an event: one that fails must not keep the others waiting.
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
      this.#breach('it does not read what it is answered', true);
    }
  }

  /** Calls back once, when the network has taken everything that was written. Said twice, the same callback is called once. */
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
   * Says that this side is leaving. With `stopped` it takes no more requests. With `duplicate` it makes none here
   * but takes them until the other side has said the same, so that no call is lost to the change of connection.
   */
  goaway(reason: GoawayFrame['reason']): void {
    if (this.leaving === reason || this.leaving === 'stopped') {
      // One that was gone back to in between, and is left again.
      if (reason === 'duplicate') this.checkIdle();
      return;
    }
    this.leaving = reason;
    this.refusing = reason === 'stopped';
    this.send(encodeFrame({ type: 'goaway', last: this.taken?.last ?? 0, reason }));
    // At once: when the process exits there is no later.
    this.flush();
    this.checkIdle();
  }

  /**
   * Called whenever a call settles on a link that one side is leaving. A side that stops closes the link itself,
   * when nothing runs on any of its links; a duplicate is closed once both sides agree.
   */
  checkIdle(): void {
    if ((this.made?.pending.size ?? 0) > 0 || (this.taken?.unsettled ?? 0) > 0) return;
    const agreed = this.leaving === 'duplicate' && this.otherLeaving === 'duplicate';
    // Later, so that what was just put into this tick's message is sent before the connection closes.
    if (agreed || this.leaving === 'stopped') setImmediate(() => this.owner?.idle());
  }

  /** Tells which functions have come and gone, as fast as the network takes it. */
  tellFunctions(added: Iterable<string>, removed: Iterable<string>): void {
    const untold = (this.#untold ??= new Map());
    for (const tag of added) untold.set(tag, true);
    for (const tag of removed) untold.set(tag, false);
    this.#tellRest();
  }

  #tellRest(): void {
    const untold = this.#untold;
    if (!untold) return;
    while (untold.size > 0 && !this.congested) this.send(takeFunctionsFrame(untold, this.limits.message));
    if (untold.size === 0) this.#untold = undefined;
  }

  /** The other side breaks the protocol: nothing more of it is taken, and it is told why. */
  breach(reason: string): void {
    this.#breach(reason, false);
  }

  /** @param isDeaf whether it could not be told anything */
  #breach(reason: string, isDeaf: boolean): void {
    if (this.broken !== undefined) return;
    this.broken = reason;
    this.owner?.breached(reason, isDeaf);
  }

  /** What was sent goes out before the close. */
  close(code: number, reason: string): void {
    this.flush();
    this.socket.close(code, reason);
  }

  /** Something that nobody foresaw went wrong with what came on it, or with what goes out: it ends, and nothing else does. */
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
