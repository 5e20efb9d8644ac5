import { networkInterfaces } from 'node:os';

import type { Clock } from '../../base/time/clock.ts';
import type { Sighting } from './browser.ts';
import { linksOf } from './links.ts';
import type { Link } from './links.ts';
import { ownRecords } from './records.ts';
import type { OwnRecords } from './records.ts';
import { makeGates, LinkSession } from './session.ts';
import type { Gates } from './session.ts';
import { SightingsById } from './sightings.ts';
import { openSocket } from './socket.ts';
import type { OpenSocket } from './socket.ts';
import type { Announcement, Provider, ProviderListener } from '../provider.ts';
import type { Hint } from '../hint.ts';
import { unawaited } from '../../base/unforeseen.ts';
import type { Address } from '../../transport/address.ts';

/** Time between two checks of the clock and the interfaces, in ms. The system does not report when an interface comes or goes. */
const TICK = 1_000;

/**
 * After this time all present peers have answered the first query, in ms: 120 until it is sent, 120 for the answer, and a margin.
 */
const FIRST_LOOK = 400;

/**
 * How long peers of this host are held back, in ms. They nearly always share the runtime directory and have met through it after
 * some 30 ms, over loopback, which costs less than the encrypted way through a LAN address. The time is shorter than the first
 * search, so that peers with another directory do not miss it.
 */
const OWN_HOST = 250;

/** Ids whose wrong tags are counted at the same time, until the next report. */
const MOST_COUNTED = 256;

/** Where it happened, in reports of unexpected errors. */
const MULTICAST = 'in multicast DNS';

export interface MdnsOptions {
  /** The address that the peer listens on. `::` and `0.0.0.0` stand for every interface, as they come and go. */
  host: string;
  clock: Clock;
  /** From 0 to 1. */
  random: () => number;
  /** Default: the interfaces of this host. */
  interfaces?: typeof networkInterfaces;
  /** Default: real sockets. */
  open?: OpenSocket;
}

/** Finds peers on the LAN: multicast DNS and DNS-SD, `_app-net._tcp.local`, on every interface of this host. */
export class MdnsProvider implements Provider {
  readonly name = 'mdns';
  readonly #options: Required<MdnsOptions>;
  readonly #gates: Gates;
  readonly #sessions = new Map<string, LinkSession>();
  readonly #sightings = new SightingsById();
  readonly #told = new Map<string, Hint>();
  /** Hints with a wrong tag since the last report. */
  #dropped = new Map<string, { count: number; address: Address }>();
  /** By id: the timer after which a peer of this host is reported. */
  readonly #keptBack = new Map<string, unknown>();
  #self: Announcement | undefined;
  #listener: ProviderListener | undefined;
  #timer: unknown;
  #scanning: unknown;
  /** The first search is over, but some of the peers that it found are still held back. */
  #isLookOver = false;
  #reason: string | undefined;

  constructor(options: MdnsOptions) {
    this.#options = { interfaces: networkInterfaces, open: openSocket, ...options };
    this.#gates = makeGates(options.clock);
  }

  async start(self: Announcement, listener: ProviderListener): Promise<void> {
    this.#self = self;
    this.#listener = listener;
    await this.#follow();
    if (!this.#listener) return;
    const isAnybodyAsked = [...this.#sessions.values()].some(({ isOpen }) => isOpen);
    const { clock } = this.#options;
    if (isAnybodyAsked) this.#scanning = clock.setTimeout(() => this.#scanned(), FIRST_LOOK);
    else listener.scanned();
    this.#scheduleTick();
  }

  failed(hint: Hint, refused: boolean): void {
    // If nobody answers at all, the network may be at fault, and the peer may be back in a moment.
    if (refused) for (const session of this.#sessions.values()) session.doubt(hint.id);
  }

  async stop(): Promise<void> {
    this.#listener = undefined;
    this.#options.clock.clearTimeout(this.#timer);
    this.#options.clock.clearTimeout(this.#scanning);
    for (const timer of this.#keptBack.values()) this.#options.clock.clearTimeout(timer);
    this.#keptBack.clear();
    const sessions = [...this.#sessions.values()];
    this.#sessions.clear();
    await Promise.all(sessions.map((session) => session.close()));
  }

  stopNow(): void {
    // The goodbyes have been sent when this returns.
    unawaited(MULTICAST, this.stop());
  }

  #scheduleTick(): void {
    this.#timer = this.#options.clock.setTimeout(() => {
      for (const session of this.#sessions.values()) session.tick();
      this.#tellOfDropped();
      unawaited(MULTICAST, this.#follow());
      this.#scheduleTick();
    }, TICK);
  }

  /** Opens sessions for new links, closes those of links that are gone, and tries again those that failed. */
  async #follow(): Promise<void> {
    const links = this.#links();
    const keys = new Set(links.map(({ key }) => key));
    for (const [key, session] of this.#sessions) {
      if (keys.has(key)) continue;
      this.#sessions.delete(key);
      unawaited(MULTICAST, session.close());
    }
    const opening: LinkSession[] = [];
    for (const link of links) {
      const known = this.#sessions.get(link.key);
      if (known && !known.hasFailed) continue;
      const session = known ?? this.#session(link);
      this.#sessions.set(link.key, session);
      opening.push(session);
    }
    await Promise.all(opening.map((session) => session.open()));
    this.#judge();
  }

  #links(): Link[] {
    try {
      return linksOf(this.#options.interfaces());
    } catch {
      // Some sandboxes forbid this.
      return [];
    }
  }

  #session(link: Link): LinkSession {
    const { open, clock, random } = this.#options;
    return new LinkSession({
      link,
      records: this.#recordsFor(link),
      gates: this.#gates,
      tags: this.#self!.tags,
      isGuest: this.#self!.isGuest === true,
      open,
      clock,
      random,
      sighted: (endpoint, sighting) => this.#sighted(link, endpoint, sighting),
      dropped: (id, address) => this.#drop(id, address),
      changed: () => this.#judge(),
    });
  }

  #recordsFor(link: Link): OwnRecords | undefined {
    const self = this.#self!;
    const { host } = this.#options;
    const [first] = self.addresses;
    const reachable = link.addresses.filter((address) => {
      return host === '::' || address === host || (host === '0.0.0.0' && !address.includes(':'));
    });
    return first && reachable.length > 0 ? ownRecords(self, first.port, reachable, self.tags) : undefined;
  }

  #sighted(link: Link, endpoint: string, sighting: Sighting | undefined): void {
    const other = sighting?.id === this.#self!.id ? undefined : sighting;
    for (const id of this.#sightings.see(`${link.key} ${endpoint}`, other)) {
      const isOwnHost = other?.addresses.every(({ host }) => link.addresses.includes(host.split('%')[0]!));
      if (id === other?.id && isOwnHost && !this.#told.has(id)) this.#tellLater(id);
      else this.#tell(id);
    }
  }

  #drop(id: string, address: Address): void {
    const count = this.#dropped.get(id)?.count ?? 0;
    if (count > 0 || this.#dropped.size < MOST_COUNTED) this.#dropped.set(id, { count: count + 1, address });
  }

  /** Reports them together, because there can be thousands a second. */
  #tellOfDropped(): void {
    if (this.#dropped.size === 0) return;
    this.#listener?.dropped?.(this.#dropped);
    this.#dropped = new Map();
  }

  /** The first search is complete only when the peers that are held back have been reported. */
  #scanned(): void {
    this.#tellOfDropped();
    this.#isLookOver = this.#keptBack.size > 0;
    if (!this.#isLookOver) this.#listener?.scanned();
  }

  #tellLater(id: string): void {
    if (this.#keptBack.has(id)) return;
    const { clock } = this.#options;
    const tell = (): void => {
      this.#keptBack.delete(id);
      this.#tell(id);
      if (this.#isLookOver) this.#scanned();
    };
    this.#keptBack.set(id, clock.setTimeout(tell, OWN_HOST));
  }

  /** Reports a hint; only a dial shows who is really there. */
  #tell(id: string): void {
    const known = this.#told.get(id);
    const hint = this.#sightings.hint(id);
    if (!hint) {
      this.#told.delete(id);
      if (known) this.#listener?.lost(id, known.incarnation);
      return;
    }
    if (JSON.stringify(known) === JSON.stringify(hint)) return;
    this.#told.set(id, hint);
    this.#listener?.found(hint);
  }

  /** Reports if no peer can be found here, and what to do about it. One working interface is enough. */
  #judge(): void {
    const sessions = [...this.#sessions.values()];
    const problems = sessions.flatMap(({ link, problem }) => (problem ? [`${link.label}: ${problem}`] : []));
    const works = sessions.length > problems.length;
    const why = problems.join('; ') || 'no network interface is up that leads to other hosts';
    const reason = works ? undefined : why;
    if (reason === this.#reason) return;
    this.#reason = reason;
    const remedy = 'give the addresses of other peers with APP_NET_PEERS=host:port';
    this.#listener?.degraded(reason === undefined ? undefined : new Error(`${reason}; ${remedy}`));
  }
}
