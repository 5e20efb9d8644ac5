import type { Peer } from '../../../src/index.ts';
import type { Simulation } from '../../../src/testing.ts';
import { crowd, watchPairs } from './presence.ts';

/**
 * Peers with far fewer links than peers: most of what they know of each other is hearsay. Run it with `withNeighbours(4, …)`.
 * The times are bounds on what users see, in virtual ms.
 */

/** A goodbye and a new peer are told on at once, over a few links. */
const TOLD = 1_000;
/** Nobody listens any more where a killed process did, and each neighbour of it notices at once. */
const KILLED = 3_000;
/** A peer that is silent is missed after 8 s, and then those around it have to agree. */
const SILENT = 20_000;
/** How long until all agree once the network works: dials pause for 10 s, and sets are compared every 10 s. */
const HEALED = 30_000;
/** How long until nothing is under way any more: doubts are refuted, and neighbours are linked. */
const AFTERWARDS = 5_000;

/** Steps that a peer may cause in one second in which nothing happens, and those that each news may cause at each peer. */
const QUIET = 12;
const NEWS = 120;

interface Leave {
  readonly at: number;
  readonly by: string;
  readonly id: string;
  readonly why: string;
}

class Gossip {
  readonly #simulation: Simulation;
  readonly #names: string[] = [];
  readonly #selves = new Map<string, Peer>();
  readonly leaves: Leave[] = [];
  readonly joins: string[] = [];
  /** Steps since this time, and those that news may cause in addition. */
  #steps = 0;
  #since = 0;
  #allowed = Infinity;

  constructor(simulation: Simulation) {
    this.#simulation = simulation;
    simulation.always(() => this.#count());
  }

  async start(count: number): Promise<void> {
    this.#names.push(
      ...(await crowd(this.#simulation, count, (self) => {
        this.#selves.set(self.id, self);
        watchPairs(self);
        self.peers.on('join', ({ id }) => this.joins.push(`${self.id} saw ${id} join`));
        self.peers.on('leave', ({ id }, why) =>
          this.leaves.push({ at: this.#simulation.now(), by: self.id, id, why }),
        );
      })),
    );
    await this.together(HEALED);
  }

  /** Some of them, in an order by chance. */
  some(count: number, without: readonly string[] = []): string[] {
    const left = this.#names.filter((name) => !without.includes(name));
    const { random } = this.#simulation;
    return Array.from({ length: count }, () => left.splice(Math.floor(random() * left.length), 1)[0]!);
  }

  others(name: string): string[] {
    return this.#names.filter((each) => each !== name);
  }

  self(name: string): Peer {
    return this.#selves.get(name)!;
  }

  /** Everybody sees everybody. */
  together(within: number): Promise<unknown> {
    return this.#simulation.eventually(() => {
      for (const name of this.#names) this.#expect(name, this.others(name));
    }, within);
  }

  /** The others see everybody but this one. */
  without(name: string, within: number): Promise<unknown> {
    return this.#simulation.eventually(() => {
      for (const other of this.others(name))
        this.#expect(
          other,
          this.others(other).filter((each) => each !== name),
        );
    }, within);
  }

  #expect(name: string, wanted: readonly string[]): void {
    const seen = [...this.self(name).peers].map(({ id }) => id).toSorted();
    if (seen.join() !== wanted.toSorted().join())
      throw new Error(`${name} sees ${seen.join(' ')}; there are ${wanted.join(' ')}`);
  }

  /** What happens meanwhile causes no more steps than so many news may, and only those leave that may. */
  async round(
    news: number,
    what: () => Promise<unknown>,
    mayLeave: (leave: Leave) => boolean,
  ): Promise<void> {
    const told = this.leaves.length;
    this.#since = this.#simulation.now();
    this.#steps = 0;
    this.#allowed = news * NEWS * this.#names.length;
    await what();
    this.#allowed = Infinity;
    for (const leave of this.leaves.slice(told)) {
      const { by, id, why, at } = leave;
      if (!mayLeave(leave))
        throw new Error(`${by} saw ${id} leave (${why}) at ${at.toFixed(0)} ms, and it was there`);
    }
  }

  #count(): void {
    this.#steps += 1;
    const seconds = (this.#simulation.now() - this.#since) / 1_000;
    const most = this.#allowed + this.#names.length * QUIET * (seconds + 1);
    if (this.#steps > most)
      throw new Error(
        `${this.#steps} steps in ${seconds.toFixed(1)} s, which is more than such news may cause`,
      );
  }
}

const nobody = (): boolean => false;

/** One disaster after the other, each of which has a known end. */
export const gossipStory =
  (count: number, rounds: number) =>
  async (simulation: Simulation): Promise<void> => {
    const { cut, heal, kill, restart, freeze, sleep, random } = simulation;
    const gossip = new Gossip(simulation);
    await gossip.start(count);
    let tags = 0;

    // Nobody tells of it any more, and it comes back.
    const back = async (one: string): Promise<void> => {
      await gossip.round(3, () => sleep(12_000), nobody);
      await gossip.without(one, 0);
      await restart(one);
      await gossip.round(3, () => gossip.together(TOLD), nobody);
      // Its neighbours still dial it. If it stopped now, such a dial could say that it is lost before its goodbye does.
      await gossip.round(0, () => sleep(AFTERWARDS), nobody);
    };
    const disasters: (() => Promise<void>)[] = [
      // Nobody is told anything, and nobody leaves.
      () => gossip.round(0, () => sleep(5_000), nobody),
      // It is out of reach for most, and a few others vouch for it.
      async () => {
        const [one, ...kept] = gossip.some(4);
        const far = gossip.others(one!).filter((name) => !kept.includes(name));
        for (const name of far) cut(one!, name);
        const isFar = ({ by, id, why }: Leave): boolean =>
          why === 'unreachable' && (by === one ? far.includes(id) : id === one && far.includes(by));
        await gossip.round(6, () => sleep(15_000), isFar);
        heal(one!);
        // A dial that has failed is heard of afterwards.
        await gossip.round(6, () => gossip.together(HEALED), isFar);
      },
      // It stands still for a while that others bear.
      async () => {
        const [one] = gossip.some(1);
        freeze(one!, 2_000 + random() * 3_000);
        await gossip.round(4, () => sleep(10_000), nobody);
        await gossip.together(TOLD);
      },
      // Nobody reaches it any more.
      async () => {
        const [one] = gossip.some(1);
        for (const name of gossip.others(one!)) cut(one!, name);
        await gossip.round(
          12,
          () => gossip.without(one!, SILENT),
          ({ by, id }) => by === one || id === one,
        );
        heal();
        await gossip.round(
          12,
          () => gossip.together(HEALED),
          ({ by, id }) => by === one || id === one,
        );
      },
      async () => {
        const [one] = gossip.some(1);
        kill(one!);
        await gossip.round(
          3,
          () => gossip.without(one!, KILLED),
          ({ id }) => id === one,
        );
        await back(one!);
      },
      async () => {
        const [one] = gossip.some(1);
        const stopped = gossip.self(one!).stop();
        await gossip.round(
          2,
          () => gossip.without(one!, TOLD),
          ({ by, id, why }) => by === one || (id === one && why === 'stopped'),
        );
        await stopped;
        await back(one!);
      },
      // One that is out of reach for a moment knows another one that stops meanwhile. Nobody believes that it is there.
      async () => {
        const [one, far] = gossip.some(2);
        for (const name of gossip.others(far!)) cut(far!, name, 500);
        const stopped = gossip.self(one!).stop();
        const joined = gossip.joins.length;
        await gossip.round(
          12,
          async () => {
            await sleep(AFTERWARDS);
            await gossip.without(one!, TOLD);
          },
          ({ by, id }) => [by, id].some((each) => each === one || each === far),
        );
        const ghost = gossip.joins.slice(joined).find((join) => join.includes(` saw ${one} `));
        if (ghost) throw new Error(`${ghost}, which had stopped`);
        await stopped;
        await back(one!);
      },
      // All learn of a function, also those that heard only some of the others when it was told.
      async () => {
        const [one, ...cutOff] = gossip.some(7);
        const [far, near] = [cutOff.slice(0, 3), cutOff.slice(3)];
        tags += 1;
        const tag = `tag ${tags}`;
        for (const name of far) for (const other of [one!, ...near]) cut(name, other, 1_000);
        const isCut = ({ by, id, why }: Leave): boolean =>
          why === 'unreachable' && far.includes(by) !== far.includes(id);
        await sleep(random() * 100);
        gossip.self(one!).connect(tag, () => tag);
        await gossip.round(
          12,
          () =>
            simulation.eventually(
              () => gossip.others(one!).every((name) => gossip.self(name).peers.of({ has: tag }).size === 1),
              HEALED,
            ),
          isCut,
        );
        // All may know before the cuts are over.
        await gossip.round(12, () => sleep(AFTERWARDS), isCut);
        await gossip.together(HEALED);
      },
    ];
    for (let round = 0; round < rounds; round += 1)
      await disasters[Math.floor(random() * disasters.length)]!();
  };
