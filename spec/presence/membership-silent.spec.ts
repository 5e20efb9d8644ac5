import { expect } from 'chai';

import { fingerprintOf } from '../../src/presence/members/fingerprint.ts';
import { Membership } from '../../src/presence/members/membership.ts';
import type { Member, MembershipInput, MembershipOutput } from '../../src/presence/members/types.ts';
import { seeded } from '../support/random.ts';
import { placesOf, RINGS } from '../support/ring-places.ts';
import { Timeline } from '../support/timeline.ts';

/** A leaf among peers of which some tell nobody of others, as clients in other languages do. */
class World {
  readonly core: Membership;
  readonly tellers = new Map<string, Member>();
  readonly silent = new Map<string, Member>();
  readonly dialled: string[] = [];
  readonly #timeline = new Timeline();
  readonly #links: string[] = [];
  readonly #random: () => number;
  #wakeAt = Infinity;

  constructor(seed: number, tellers: number, silent: number) {
    this.#random = seeded(seed);
    const self = memberOf('leaf', 0);
    const options = { self, neighbours: 2 * RINGS, places: placesOf, random: this.#random, now: 0 };
    this.core = new Membership(options);
    for (let index = 0; index < tellers + silent; index += 1) {
      const id = `p${index}`;
      if (index < tellers) this.tellers.set(id, memberOf(id, index + 1));
      // It leaves its addresses out, too, so it looks like a leaf.
      else this.silent.set(id, memberOf(id, 0));
      const addresses = [{ host: '127.0.0.1', port: index + 1 }];
      this.#later(this.#random() * 20, () =>
        this.give({ type: 'hint.found', id, incarnation: `${id}-1`, addresses, patience: 0 }),
      );
    }
  }

  get now(): number {
    return this.#timeline.now;
  }

  get all(): string[] {
    return [...this.tellers.keys(), ...this.silent.keys()];
  }

  get seen(): string[] {
    return this.core.present().map(({ id }) => id);
  }

  /** As the first search sees it: nobody is to be dialled, and no linked peer still has to tell of others. */
  get isOver(): boolean {
    const hasTeller = this.#links.some((id) => this.tellers.has(id));
    return (this.core.compared || !hasTeller) && !this.all.some((id) => this.core.isSought(id));
  }

  run(time: number): void {
    this.#timeline.run(time);
  }

  give(input: MembershipInput): void {
    for (const output of this.core.receive(input, this.now)) this.#do(output);
    const at = this.core.wakeAt;
    if (at >= this.#wakeAt) return;
    this.#wakeAt = at;
    this.#later(Math.max(0, Math.ceil(at) - this.now), () => {
      this.#wakeAt = Infinity;
      this.give({ type: 'time.passed' });
    });
  }

  /** The link to this peer ends. */
  cut(id: string): void {
    this.give({ type: 'link.closed', link: this.#links.lastIndexOf(id) + 1, goodbye: false });
  }

  #do(output: MembershipOutput): void {
    if (output.type === 'dial') {
      this.dialled.push(output.id);
      this.#later(1 + this.#random() * 30, () => this.#open(output.id));
    } else if (output.type === 'send') {
      const { link, frame } = output;
      // The link to a silent peer takes no such frame.
      if (!this.tellers.has(this.#links[link - 1]!)) return;
      const all = [...this.tellers.values()];
      if (frame.type === 'summary') {
        const offered = all
          .map((each) => fingerprintOf(each))
          .filter((each) => !frame.fingerprints.includes(each));
        this.#tell(link, { type: 'difference', offered, wanted: [] });
      } else if (frame.type === 'wanted') {
        const members = all.filter((each) => frame.fingerprints.includes(fingerprintOf(each)));
        this.#tell(link, { type: 'joined', members });
      }
    }
  }

  #tell(link: number, frame: Extract<MembershipInput, { type: 'frame.received' }>['frame']): void {
    this.#later(1 + this.#random() * 5, () => this.give({ type: 'frame.received', link, frame }));
  }

  #open(id: string): void {
    const link = this.#links.push(id);
    const tells = this.tellers.has(id);
    const member = (this.tellers.get(id) ?? this.silent.get(id))!;
    this.give({ type: 'link.opened', link, member, dialled: true, tells });
  }

  #later(delay: number, run: () => void): void {
    this.#timeline.later(delay, run);
  }
}

function memberOf(id: string, port: number): Member {
  const addresses = port > 0 ? [{ host: '127.0.0.1', port }] : [];
  return { id, incarnation: `${id}-1`, started: 1, version: 1, addresses, about: {} };
}

describe('a leaf, and peers that tell of nobody', () => {
  /** Until every hint is there. */
  const HINTS = 20;

  it('sees everybody when its first search is over', () => {
    for (let seed = 1; seed <= 300; seed += 1) {
      const random = seeded(seed);
      const world = new World(seed, Math.floor(random() * 8), Math.floor(random() * 6));
      world.run(HINTS);
      for (; !world.isOver && world.now < 5_000;) world.run(1);
      const missing = world.all.find((id) => !world.seen.includes(id));
      expect(missing, `seed ${seed}: never seen`).to.equal(undefined);
      expect(world.now, `seed ${seed}: time`).to.be.below(2_000);
    }
  });

  it('dials one of those that tell, and all of the silent ones', () => {
    for (let seed = 1; seed <= 50; seed += 1) {
      const world = new World(seed, 30, 5);
      world.run(3_000);
      expect(world.seen, `seed ${seed}`).to.have.members(world.all);
      expect(world.dialled.filter((id) => world.silent.has(id))).to.have.members([...world.silent.keys()]);
      // A dial that takes longer may be overtaken by the next one.
      expect(world.dialled.filter((id) => world.tellers.has(id)).length, `seed ${seed}`).to.be.at.most(2);
    }
  });

  it('keeps its links to the silent ones, and reaches another one that tells when it loses that link', () => {
    const world = new World(7, 3, 2);
    world.run(3_000);
    const teller = world.dialled.find((id) => world.tellers.has(id));
    for (const id of world.silent.keys()) expect(world.core.isDispensable(id), id).to.equal(false);
    expect(world.core.isDispensable(teller!), 'its only link to one that tells').to.equal(false);
    const before = world.dialled.length;
    world.cut(teller!);
    world.run(3_000);
    expect(world.dialled.slice(before).some((id) => world.tellers.has(id))).to.equal(true);
    expect(world.seen).to.have.members(world.all);
  });
});
