import type { MessagePort, TransferListItem } from 'node:worker_threads';

import { systemClock } from '../base/time/clock.ts';
import { Link } from '../connection/link/link.ts';
import type { PeerRecord } from '../connection/link/link.ts';
import type { Limits } from '../wire/frames.ts';
import type { Outgoing } from '../wire/outgoing.ts';
import type { Socket } from '../transport/transport.ts';

/** A message between two threads: lines of text, or one line with the bytes that belong to it. */
export type PortMessage = string | { line: string; binaries: Uint8Array[] };

/** Whether it is a line with bytes. */
export function isPortMessage(value: unknown): value is Exclude<PortMessage, string> {
  const { line, binaries } = (value ?? {}) as { line?: unknown; binaries?: unknown };
  return typeof line === 'string' && Array.isArray(binaries);
}

/** Characters of a message at which it is posted at once. */
const CUT = 64 * 1024;

/** The way to the other thread. The lines of a turn of the event loop go in one message, since each message costs as much as some ten calls. */
export class PortSocket implements Socket {
  readonly binding: Socket['binding'] = { kind: 'thread', data: new Uint8Array() };
  readonly scope = 'host';
  readonly bufferedAmount = 0;
  readonly received = 0;
  readonly #port: MessagePort;
  /** Whether lines may wait, because the other thread has enough to do. The next `flush` sends them. */
  holds: (() => boolean) | undefined;
  /** Lines that wait here. */
  lines = 0;
  /** A thread may compute for long before its next turn. Then lines wait for so long, in ms, and not for the turn. */
  longestWait = Infinity;
  #waitingSince = 0;
  #text = '';
  #isDue = false;

  constructor(port: MessagePort) {
    this.#port = port;
  }

  write(line: string): void {
    this.lines += 1;
    this.#text = this.#text === '' ? line : `${this.#text}\n${line}`;
    if (this.#text.length > CUT || this.#isLate()) {
      this.flush();
    } else if (!this.#isDue) {
      this.#isDue = true;
      setImmediate(this.#flushDue);
    }
  }

  /** Sends a line with its bytes. Bytes that fill their memory are moved and not copied: nobody may use them afterwards. */
  move(line: string, binaries: readonly Uint8Array[]): void {
    this.flush();
    const owned = binaries.map((each) => (fillsMemory(each) ? each : copyOf(each)));
    const memory = new Set(owned.map(({ buffer }) => buffer as ArrayBuffer));
    this.#port.postMessage({ line, binaries: owned }, [...memory] as TransferListItem[]);
  }

  /** A turn begins here: its lines may wait for each other. */
  turn(): void {
    this.#waitingSince = systemClock.now();
  }

  /** Sends what has waited for too long. */
  flushLate(): void {
    if (this.#isLate()) this.flush();
  }

  #isLate(): boolean {
    if (this.longestWait === Infinity) return false;
    return systemClock.now() - this.#waitingSince > this.longestWait;
  }

  flush(): void {
    const text = this.#text;
    if (text === '') return;
    if (this.longestWait !== Infinity) this.turn();
    this.lines = 0;
    this.#text = '';
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port between threads has no origin
    this.#port.postMessage(text);
  }

  readonly #flushDue = (): void => {
    this.#isDue = false;
    if (!this.holds?.()) this.flush();
  };

  send(message: string, before?: readonly Uint8Array[]): void {
    if (before) this.move(message, before);
    else this.write(message);
  }

  whenDrained(callback: () => void): void {
    queueMicrotask(callback);
  }

  ping(): void {}
  receive(): void {}
  trust(): void {}
  close(): void {}
  terminate(): void {}
}

/** `Buffer.slice` returns a view, `Uint8Array.slice` a copy. */
function copyOf(bytes: Uint8Array): Uint8Array {
  return Uint8Array.prototype.slice.call(bytes);
}

/** Whether the view is over all of its memory. Small buffers of Node share theirs. */
function fillsMemory({ byteLength, buffer }: Uint8Array): boolean {
  return buffer instanceof ArrayBuffer && byteLength === buffer.byteLength;
}

const CANCEL = '{"type":"cancel","id":';
const LATE = '"late":true}';

/** A link to another thread. Frames are not collected by it, since its socket does that. */
export class ThreadLink extends Link {
  declare readonly socket: PortSocket;
  /** What goes before the next frame, in the same line. */
  prefix = '';
  /** A frame cancels this call. */
  cancelled: ((id: number, late: boolean) => void) | undefined;

  /** @param limits what the other end of the calls accepts */
  constructor(record: PeerRecord, socket: PortSocket, limits: Limits) {
    const party = { ...record, functions: [], newestVersion: 1, limits };
    const session = { socket, party, dialled: true, generation: 0 };
    super(record, session, { buffered: Infinity, calls: Infinity, subscriptions: 0 }, 'thread');
  }

  override send(frame: Outgoing): void {
    const { prefix } = this;
    this.prefix = '';
    if (typeof frame !== 'string') {
      // The bytes may be in memory that the user keeps.
      this.socket.move(prefix + frame.text, frame.binaries.map(copyOf));
      return;
    }
    this.socket.write(prefix + frame);
    if (!this.cancelled || !frame.startsWith(CANCEL)) return;
    const [, id, more] = /(\d+)(,"arg")?/.exec(frame)!;
    if (more === undefined) this.cancelled(Number(id), frame.endsWith(LATE));
  }

  override flush(): void {
    this.socket.flush();
  }
}

/** The record of a peer as far as calls between threads need it. */
export function recordOf(
  peer: Pick<PeerRecord, 'id' | 'name' | 'group' | 'hub' | 'guest' | 'pid' | 'host' | 'scope'>,
): PeerRecord {
  return {
    ...peer,
    rights: undefined,
    ...{ incarnation: '', functions: new Set(), tagCharacters: 0, generation: 0 },
    ...{ link: undefined, doubt: undefined, left: undefined, evidence: undefined, waiting: undefined },
    interests: 0,
  };
}

/** Calls back with each line of a text: where it begins, and where it ends. */
export function eachLine(text: string, take: (text: string, start: number, end: number) => void): void {
  let start = 0;
  for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
    take(text, start, end);
    start = end + 1;
  }
  take(text, start, text.length);
}
