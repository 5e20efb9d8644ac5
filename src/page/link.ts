import type { WriterLink } from '../calls/streams/stream-writer.ts';
import type { Frame, Limits } from '../wire/frames.ts';
import type { Outgoing } from '../wire/outgoing.ts';
import type { PageSocket } from './socket.ts';

/**
 * Characters at which the message of a tick is cut. The server can then work on the first part while the rest is written. Smaller
 * messages cost a browser more than that saves: see `connection/link/cut.ts`.
 */
const CUT = 16 * 1024;

/** Nothing more is sent while more bytes than this are written and not taken by the network, but for short answers. */
const MOST_BUFFERED = 4 * 1024 * 1024;

/** A browser does not tell when a socket has sent everything, so it is asked every so many ms. */
const POLL = 10;

/** A frame whose optional fields may also be undefined. */
type Loose<F> = F extends Frame
  ? { [K in keyof F]: Partial<Pick<F, K>> extends Pick<F, K> ? F[K] | undefined : F[K] }
  : never;

/** What the link tells its owner. */
export interface LinkOwner {
  /** The network takes data again. */
  drained(): void;
  /** Something unexpected happened on the link, which ends it. */
  failed(error: unknown): void;
}

/** One open, authenticated connection to the server. */
export class PageLink implements WriterLink {
  readonly socket: PageSocket;
  /** The limits of the server. */
  readonly limits: Limits;
  /** One of the two sides has said that it leaves: no more calls are made here. */
  leaving = false;
  congested = false;
  readonly #owner: LinkOwner;
  #batch = '';
  #stalled: Set<() => void> | undefined;

  constructor(socket: PageSocket, limits: Limits, owner: LinkOwner) {
    this.socket = socket;
    this.limits = limits;
    this.#owner = owner;
  }

  /** Frames of one tick leave together. A frame with binary messages leaves at once, right after them. */
  send(frame: Outgoing): void {
    if (typeof frame !== 'string') {
      this.flush();
      for (const bytes of frame.binaries) this.#write(unshared(bytes));
      this.#write(frame.text);
    } else if (this.#batch === '') {
      this.#batch = frame;
      queueMicrotask(this.flush);
    } else if (this.#batch.length + frame.length > CUT) {
      this.flush();
      this.send(frame);
    } else {
      this.#batch += `\n${frame}`;
    }
  }

  /** Sends a frame without a value of a user. Fields that are undefined are left out. */
  tell(frame: Loose<Frame>): void {
    this.send(JSON.stringify(frame));
  }

  readonly flush = (): void => {
    const batch = this.#batch;
    if (batch === '') return;
    this.#batch = '';
    this.#write(batch);
  };

  whenDrained(callback: () => void): void {
    if (this.#stalled) {
      this.#stalled.add(callback);
      return;
    }
    this.#stalled = new Set([callback]);
    this.#poll();
  }

  fail(error: unknown): void {
    this.#owner.failed(error);
  }

  #write(data: string | Uint8Array): void {
    this.socket.send(data);
    if (this.congested || this.socket.bufferedAmount <= MOST_BUFFERED) return;
    this.congested = true;
    this.whenDrained(() => {
      this.congested = false;
      this.#owner.drained();
    });
  }

  readonly #poll = (): void => {
    if (this.socket.bufferedAmount > 0 && this.socket.readyState === OPEN) {
      setTimeout(this.#poll, POLL);
      return;
    }
    const stalled = this.#stalled!;
    this.#stalled = undefined;
    for (const each of stalled) each();
  };
}

/** The `readyState` of an open socket. */
const OPEN = 1;

/** Browsers refuse to send memory that several threads share. */
function unshared(bytes: Uint8Array): Uint8Array {
  return bytes.buffer instanceof ArrayBuffer ? bytes : bytes.slice();
}
