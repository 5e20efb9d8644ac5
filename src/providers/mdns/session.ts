import type { Clock } from '../../base/time/clock.ts';
import { Browser } from './browser.ts';
import type { Sighting } from './browser.ts';
import type { HintTags } from '../hint-tags.ts';
import { FloodGate } from './flood.ts';
import type { Link } from './links.ts';
import { asBuffer, concernsPeers, isResponse, readPacket } from './packet.ts';
import type { OwnRecords } from './records.ts';
import { Responder } from './responder.ts';
import { PORT } from './socket.ts';
import type { MulticastSocket, OpenSocket, Sender } from './socket.ts';
import { TagReader } from './tagged.ts';
import type { Address } from '../../transport/address.ts';

/** A link is deaf if not even our own packets are received within this time, in ms. */
const DEAF = 3_000;

/** Flood gates for all links together. Responses and queries are counted apart, so that one kind takes no room from the other. */
export interface Gates {
  answers: FloodGate;
  questions: FloodGate;
}

export function makeGates(clock: Clock): Gates {
  return { answers: new FloodGate(clock), questions: new FloodGate(clock) };
}

export interface SessionOptions {
  link: Link;
  /** This peer's records on this link; undefined if it cannot be reached here, or only searches for others. */
  records: OwnRecords | undefined;
  gates: Gates;
  tags: HintTags | undefined;
  /** See `Announcement`. */
  isGuest: boolean;
  open: OpenSocket;
  clock: Clock;
  random: () => number;
  sighted: (endpoint: string, sighting: Sighting | undefined) => void;
  /** Called for an announcement of this peer id with a wrong tag. */
  dropped: (id: string, address: Address) => void;
  /** Called if `problem` may have changed. */
  changed: () => void;
}

/** Multicast DNS on one link, from the opening of its socket to the end. */
export class LinkSession {
  readonly #options: SessionOptions;
  readonly #tagReader: TagReader | undefined;
  #socket: MulticastSocket | undefined;
  #responder: Responder | undefined;
  #browser: Browser | undefined;
  #closed = false;
  #error: Error | undefined;
  /** When the socket was opened, on the clock. */
  #since = Infinity;
  #hasHeard = false;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#tagReader = options.tags && new TagReader(options.tags, options.clock);
  }

  get link(): Link {
    return this.#options.link;
  }

  get isOpen(): boolean {
    return this.#socket !== undefined;
  }

  /** Whether it could not be opened. You may try again. */
  get hasFailed(): boolean {
    return !this.#socket && this.#error !== undefined;
  }

  /** Why it does not work; undefined while it works, or may work. */
  get problem(): string | undefined {
    if (this.#error) return this.#error.message;
    if (this.#hasHeard || this.#options.clock.now() - this.#since < DEAF) return undefined;
    return 'nothing is received, not even packets of this peer; check whether a firewall blocks UDP port 5353';
  }

  /** Never rejects: see `problem`. */
  async open(): Promise<void> {
    const { link, open, records, isGuest, clock, random, sighted, changed } = this.#options;
    try {
      const socket = await open(link, {
        received: (bytes, from) => this.#received(bytes, from),
        sent: (error) => this.#sent(error),
      });
      if (this.#closed) {
        await socket.close();
        return;
      }
      this.#socket = socket;
      this.#error = undefined;
      this.#since = clock.now();
      const send = (bytes: Uint8Array, to?: Sender): void => socket.send(bytes, to);
      this.#responder = records && new Responder({ records, send, clock, random });
      this.#browser = new Browser({ link, own: records?.pointer, isGuest, send, sighted, clock, random });
    } catch (error) {
      this.#error = error as Error;
    }
    changed();
  }

  tick(): void {
    this.#browser?.tick();
  }

  doubt(id: string): void {
    this.#browser?.doubt(id);
  }

  /** Sends a goodbye, if the socket is open, and ends. The goodbye has been sent when this returns. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#responder?.goodbye();
    this.#browser?.close();
    await this.#socket?.close();
  }

  #received(bytes: Uint8Array, from: Sender): void {
    const { link, gates } = this.#options;
    // Accept only packets from this link (RFC 6762, section 11). The system may deliver packets of any interface to each socket,
    // so this check also tells the links apart.
    if (this.#closed || !link.isFrom(from.address)) return;
    if (!this.#hasHeard) {
      this.#hasHeard = true;
      this.#options.changed();
    }
    if (!concernsPeers(bytes)) return;
    const isSaid = isResponse(bytes);
    // A response from another port is not multicast DNS (section 6).
    if (isSaid && (from.port !== PORT || this.#takeTagged(bytes))) return;
    const admitted = (isSaid ? gates.answers : gates.questions).admits(from.address, bytes.byteLength);
    if (!admitted) {
      this.#browser?.searchAgain();
      return;
    }
    const packet = readPacket(bytes);
    if (packet?.kind === 'query') {
      this.#responder?.asked(packet, from);
      this.#browser?.askedByAnother(packet, from);
    } else if (packet) {
      this.#responder?.heard(packet);
      this.#browser?.heard(packet, from);
    }
  }

  /** Tagged packets bypass the flood gate: a right tag is accepted, a wrong one is dropped. @returns whether there was a tag */
  #takeTagged(bytes: Uint8Array): boolean {
    const verdict = this.#tagReader?.read(asBuffer(bytes));
    if (!verdict?.isTagged) return false;
    for (const vouched of verdict.right) this.#browser?.vouched(vouched);
    for (const { id, address } of verdict.wrong) this.#options.dropped(id, address);
    return true;
  }

  #sent(error: Error | undefined): void {
    if (this.#error?.message === error?.message) return;
    this.#error = error;
    this.#options.changed();
  }
}
