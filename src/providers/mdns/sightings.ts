import { addressText } from '../../transport/address.ts';
import type { Sighting } from './browser.ts';
import type { Hint, HintedAddress } from '../hint.ts';

/** Addresses of one peer that are reported, at most, from all sources together. */
const MOST_ADDRESSES = 8;

/** Sightings by endpoint of a link, in the order in which they were seen. */
type Sightings = Map<string, Sighting>;

interface Known {
  vouched: Sightings;
  others: Sightings;
}

/** All sightings of peers on any link, by peer id. The sightings of one peer together make its hint. */
export class SightingsById {
  readonly #known = new Map<string, Known>();
  /** By endpoint of a link: the peer id of its sighting. */
  readonly #ids = new Map<string, string>();

  /** @returns the ids whose hint may have changed */
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
   * Made from the sightings with a valid tag or, if there are none, from the others. There may be several of a kind, and only a
   * dial shows which is right. The newest comes first, because it may be the peer's next life. Then come the others from the
   * oldest on, so that later ones cannot push them out.
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
        // A tag belongs to one life.
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

  /** @param next replaces the sighting; if it is of the same kind, it keeps the position in the order */
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
