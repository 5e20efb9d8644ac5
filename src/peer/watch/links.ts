import type { ConnectionContext } from '../../connection/connection-context.ts';
import type { Link, PeerRecord } from '../../connection/link/link.ts';
import type { WatchedLink } from '../../presence/set/peer-watch.ts';
import type { PeerContext } from '../peer-machine.ts';
import type { WatchInput } from './watch-input.ts';

/** Connections that are told of. A peer has a dozen neighbours, and a client dials whom it calls. */
const MOST = 256;

interface Connection extends Pick<ConnectionContext, 'id' | 'record' | 'links'> {
  readonly state: string;
  readonly needs: (record: PeerRecord) => boolean;
}

interface Pinged {
  roundTrip: number | undefined;
  isUnderWay: boolean;
  /** The newest call on the link after the ping: if no other follows, the link is not used. */
  last: number;
}

/** Reads the connections of a watched peer, and measures their round trips. */
export class WatchedLinks {
  readonly #input: WatchInput;
  /** The states that were told last. */
  #told = '';
  #pinged = new Map<PeerRecord, Pinged>();

  constructor(input: WatchInput) {
    this.#input = input;
  }

  /** Every open link. */
  *all(): Generator<Link> {
    for (const { links } of this.#connections()) yield* links;
  }

  haveChanged(): boolean {
    return this.#states() !== this.#told;
  }

  read(): WatchedLink[] {
    this.#told = this.#states();
    return this.#connections().map((connection) => this.#row(connection));
  }

  #row({ id, state, record, links }: Connection): WatchedLink {
    const link = record?.link ?? links.at(-1);
    const roundTrip = record && this.#pinged.get(record)?.roundTrip;
    return {
      ...{ id: record?.id ?? id, name: record?.name ?? '', group: record?.group ?? '', state },
      ...(roundTrip !== undefined && { roundTrip: Math.round(roundTrip * 1_000) / 1_000 }),
      ...{ relayed: link?.socket.isRelayed === true, sent: link?.sent ?? 0, received: link?.received ?? 0 },
      ...{ pending: link?.made?.pending.size ?? 0, waiting: record?.waiting?.size ?? 0 },
      ...{ running: link?.taken?.unsettled ?? 0, slow: link?.slow === true },
    };
  }

  /** Pings those to which a link is kept anyway: a ping alone must not keep one open that nobody uses. */
  measure(): void {
    const before = this.#pinged;
    this.#pinged = new Map();
    for (const { record, needs } of this.#connections()) {
      if (!record?.link) continue;
      const pinged = before.get(record) ?? { roundTrip: undefined, isUnderWay: false, last: -1 };
      this.#pinged.set(record, pinged);
      if (pinged.isUnderWay || (!needs(record) && (record.link.made?.last ?? 0) === pinged.last)) continue;
      pinged.isUnderWay = true;
      this.#input.ping(record).then(
        (roundTrip) => {
          pinged.roundTrip = roundTrip;
          pinged.isUnderWay = false;
          pinged.last = record.link?.made?.last ?? 0;
        },
        () => (pinged.isUnderWay = false),
      );
    }
  }

  #states(): string {
    return this.#connections()
      .map(({ id, state }) => `${id} ${state}`)
      .join();
  }

  #connections(): Connection[] {
    const { connections } = this.#input.actor.getSnapshot().context as PeerContext;
    return [...connections.values()].slice(0, MOST).map((connection) => {
      const { value, context } = connection.getSnapshot() as { value: unknown; context: ConnectionContext };
      const { id, record, links, services } = context;
      return { id, record, links, state: String(value), needs: (each) => services.needs(each) };
    });
  }
}
