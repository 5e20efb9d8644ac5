import { addressText } from '../../transport/address.ts';
import type { Sighting } from './browser.ts';
import type { Hint, HintedAddress } from '../hint.ts';

/** Of one peer, that are told, whoever has said them. */
const MOST_ADDRESSES = 8;

/** Where in a map of all sightings each is, in the order in which they were seen. */
type Sightings = Map<string, Sighting>;

interface Known {
  vouched: Sightings;
  others: Sightings;
}

/** Everybody who is seen on any link as a peer, by id: who is that, and where, is told of all sightings together. */
export class SightingsById {
  readonly #known = new Map<string, Known>();
  /** By endpoint of a link: the id under which its sighting is. */
  readonly #ids = new Map<string, string>();

  /** @returns the ids of which something else is to be told now */
  see(endpoint: string, sighting: Sighting | undefined): Set<string> {
    const changed = new Set<string>();
    const before = this.#ids.get(endpoint);
    if (before !== undefined) this.#remove(before, endpoint, sighting);
    if (before !== undefined && before !== sighting?.id) changed.add(before);
    if (!sighting) return changed;
    const known = this.#known.get(sighting.id) ?? { vouched: new Map(), others: new Map() };
    this.#known.set(sighting.id, known);
    (sighting.isVouched ? known.vouched : known.others).set(endpoint, sighting);
    this.#ids.set(endpoint, sighting.id);
    return changed.add(sighting.id);
  }

  /**
   * Those that somebody with the secret vouches for, and only where there is none the others. Of a kind there may be
   * several, and only a dial tells which is right: the newest, who may be its next life, and then the others from the
   * first on, which no later one can push out.
   */
  hint(id: string): Hint | undefined {
    const known = this.#known.get(id);
    if (!known) return undefined;
    const all = known.vouched.size > 0 ? known.vouched : known.others;
    const newest = [...all.values()].at(-1)!;
    const { incarnation, isVouched } = newest;
    const addresses = new Map<string, HintedAddress>();
    const add = (sighting: Sighting): void => {
      for (const { host, port, tag } of sighting.addresses) {
        const key = addressText({ host, port });
        if (addresses.size >= MOST_ADDRESSES || addresses.has(key)) continue;
        // A tag is of one life.
        const isOfThis = tag !== undefined && sighting.incarnation === incarnation;
        addresses.set(key, isOfThis ? { host, port, tag } : { host, port });
      }
    };
    add(newest);
    for (const sighting of all.values()) {
      if (addresses.size >= MOST_ADDRESSES) break;
      add(sighting);
    }
    return { id, incarnation, addresses: [...addresses.values()], ...(!isVouched && { isAnybodys: true }) };
  }

  /** @param next what takes its place: where that is of the same kind, it stays in the place that it has */
  #remove(id: string, endpoint: string, next: Sighting | undefined): void {
    const known = this.#known.get(id)!;
    const { vouched, others } = known;
    const stays = next?.id === id ? (next.isVouched ? vouched : others) : undefined;
    for (const sightings of [vouched, others]) if (sightings !== stays) sightings.delete(endpoint);
    if (stays) return;
    this.#ids.delete(endpoint);
    if (vouched.size + others.size === 0) this.#known.delete(id);
  }
}
