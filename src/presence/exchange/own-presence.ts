import type { HintedAddress } from '../../providers/hint.ts';
import type { Description } from '../../wire/frames.ts';
import type { Presence } from '../../wire/presence-frames.ts';
import { MOST_ADDRESSES } from '../../wire/shapes.ts';
import { FunctionLists } from './function-lists.ts';
import type { About } from './members-wire.ts';
import type { Member } from '../members/types.ts';

/** What this peer tells of its own presence, in handshakes and to everybody. */
export class OwnPresence {
  readonly lists = new FunctionLists();
  readonly #life: { readonly id: string; readonly incarnation: string };
  readonly #describe: () => Omit<Description, keyof Presence>;
  #presence: Presence;

  /** @param started in ms since 1970 */
  constructor(
    life: { id: string; incarnation: string },
    started: number,
    describe: () => Omit<Description, keyof Presence>,
  ) {
    this.#life = life;
    this.#describe = describe;
    this.#presence = { started, version: 1, addresses: [], digest: '' };
  }

  /** Others can dial this peer at these addresses, the nearest first; none if they cannot. A host may have more than can be told. */
  listens(addresses: readonly HintedAddress[]): void {
    this.#presence = { ...this.#presence, addresses: addresses.slice(0, MOST_ADDRESSES) };
  }

  /** This is what everybody is told now. */
  note({ started, version, about }: Member): void {
    const before = this.#presence;
    if (before.started === started && before.version === version) return;
    this.#presence = { ...before, started, version, digest: (about as About).functions };
  }

  /** This peer as it begins. */
  member(): Member {
    const { name, group, hub, pid, host, functions: tags } = this.#describe();
    const functions = this.lists.keep(tags);
    this.#presence = { ...this.#presence, digest: functions };
    const { started, version, addresses } = this.#presence;
    const about: About = { name, group, hub, pid, host, functions };
    return { ...this.#life, started, version, addresses, about };
  }

  /** For a handshake. */
  describe(): Description {
    return { ...this.#describe(), ...this.#presence };
  }
}
