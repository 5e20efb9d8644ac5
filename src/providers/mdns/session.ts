import type { Clock } from '../../base/clock.ts';
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

/** A link on which not even the own packets are heard after this time is deaf. In ms. */
const DEAF = 3_000;

/** What keeps floods out, for all links together: those who say something and those who ask take no room from each other. */
export interface Gates {
  answers: FloodGate;
  questions: FloodGate;
}

export function makeGates(clock: Clock): Gates {
  return { answers: new FloodGate(clock), questions: new FloodGate(clock) };
}

export interface SessionOptions {
  link: Link;
  /** What is said on this link; undefined where this peer cannot be reached, or only looks for others. */
  records: OwnRecords | undefined;
  gates: Gates;
  tags: HintTags | undefined;
  open: OpenSocket;
  clock: Clock;
  random: () => number;
  sighted: (endpoint: string, sighting: Sighting | undefined) => void;
  /** Somebody said with a wrong tag that the peer of this id is there. */
  dropped: (id: string, address: Address) => void;
  /** Its `problem` may be another one. */
  changed: () => void;
}

/** Multicast DNS on one link, from the socket's opening to its end. */
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

  /** It could not be opened. That may be tried again. */
  get hasFailed(): boolean {
    return !this.#socket && this.#error !== undefined;
  }

  /** Why it does not work; undefined as long as it does, or may. */
  get problem(): string | undefined {
    if (this.#error) return this.#error.message;
    if (this.#hasHeard || this.#options.clock.now() - this.#since < DEAF) return undefined;
    return 'nothing is heard, not even what this peer says itself; does a firewall close UDP port 5353?';
  }

  /** Never rejects: see `problem`. */
  async open(): Promise<void> {
    const { link, open, records, clock, random, sighted, changed } = this.#options;
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
      this.#browser = new Browser({ link, own: records?.pointer, send, sighted, clock, random });
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

  /** Says goodbye, if there is somebody to hear it, and ends. What is said is on its way when this returns. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#responder?.goodbye();
    this.#browser?.close();
    await this.#socket?.close();
  }

  #received(bytes: Uint8Array, from: Sender): void {
    const { link, gates } = this.#options;
    // Only what comes from the link is believed (RFC 6762, section 11). As a system delivers to each socket what comes
    // in on any interface, this is also what tells the links apart.
    if (this.#closed || !link.isFrom(from.address)) return;
    if (!this.#hasHeard) {
      this.#hasHeard = true;
      this.#options.changed();
    }
    if (!concernsPeers(bytes)) return;
    const isSaid = isResponse(bytes);
    // From another port it is no answer of multicast DNS (section 6).
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

  /** What somebody with the secret says needs no gate, and what has a wrong tag needs no look. @returns whether it was either */
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
