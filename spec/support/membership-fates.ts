import { MembershipWorld } from './membership-world.ts';
import type { SimulatedPeer } from './simulated-peer.ts';

/** Longer than any silence is borne, in ms. */
const LONG = 20_000;

/** How long everybody is given to agree when nothing happens any more, in ms: a peer that was cut off is dialled each minute. */
const QUIET = 150_000;

/** One network, from its start to the end of its troubles. */
export interface Life {
  readonly world: MembershipWorld;
  /** What happened to it, and when. */
  readonly story: readonly string[];
  /** What is wrong with it, in words; undefined if nothing is. */
  readonly wrong: string | undefined;
}

/**
 * Some peers on some hosts, to which by chance things happen: peers join, crash, restart, leave, stand still, call each other; hosts
 * die; cables are cut, both ways or one; processors are overloaded for a while. In the end everything is healed. The same seed makes the same life.
 */
export function live(seed: number): Life {
  const begin = new MembershipWorld(seed);
  const chance = begin.random;
  const count = 2 + Math.floor(chance() * chance() * 40);
  const hosts = 1 + Math.floor(chance() * Math.min(count, 6));
  const neighbours = chance() < 0.5 ? 12 : 4;
  const world = MembershipWorld.met(seed * 7 + 1, count, hosts, neighbours);
  const fates = new Fates(world, hosts);
  const story = [`${count} peers on ${hosts} hosts, ${neighbours} neighbours`];
  for (let left = 1 + Math.floor(chance() * 12); left > 0; left -= 1) {
    story.push(`${(world.now / 1_000).toFixed(3)} s: ${fates.next()}`);
    world.run(chance() < 0.5 ? chance() * 300 : chance() * 12_000);
  }
  world.heal();
  world.burden(0);
  story.push(`${(world.now / 1_000).toFixed(3)} s: heal`);
  world.run(LONG);
  world.until(() => world.agrees, QUIET, 500);
  world.closeIdle();
  world.until(() => world.agrees && world.unlinked === undefined, 2 * LONG, 500);
  return { world, story, wrong: world.disagreement ?? world.unpaired ?? world.unlinked ?? fates.excess };
}

class Fates {
  readonly #world: MembershipWorld;
  readonly #hosts: number;
  /** Whether somebody could rightly be thought lost. */
  #isBroken = false;
  #born = 0;

  constructor(world: MembershipWorld, hosts: number) {
    this.#world = world;
    this.#hosts = hosts;
  }

  /** What should not have been, though all is well in the end. */
  get excess(): string | undefined {
    const { falseLeaves } = this.#world;
    return this.#isBroken || falseLeaves === 0 ? undefined : `${falseLeaves} leaves of peers that live`;
  }

  next(): string {
    const world = this.#world;
    const { living } = world;
    const chance = world.random();
    if (living.length === 0 || chance < 0.15)
      return this.#join(`n${(this.#born += 1)}`, world.random() < 0.2);
    const peer = this.#any(living);
    if (chance < 0.3) {
      world.kill(peer);
      return `kill ${peer.incarnation}`;
    }
    if (chance < 0.37) {
      world.leave(peer);
      return `stop ${peer.incarnation}`;
    }
    if (chance < 0.47) return this.#restart(peer);
    if (chance < 0.52) {
      const dying = living.filter(({ host }) => host === peer.host);
      for (const each of dying) world.kill(each, true);
      return `${peer.host} dies`;
    }
    if (chance < 0.57) {
      const dying = living.filter(() => world.random() < 0.5);
      for (const each of dying) world.kill(each);
      return `kill ${dying.map(({ incarnation }) => incarnation).join(' ')}`;
    }
    if (chance < 0.72) {
      const time = world.random() < 0.7 ? world.random() * 5_000 : world.random() * LONG;
      if (time > 7_000) this.#isBroken = true;
      world.freeze(peer, time);
      return `freeze ${peer.incarnation} for ${(time / 1_000).toFixed(1)} s`;
    }
    if (chance < 0.84) return this.#cut(peer.host, this.#any(living).host);
    if (chance < 0.92) {
      const target = this.#any(living);
      if (target !== peer) world.call(peer, target);
      return `${peer.incarnation} calls ${target.incarnation}`;
    }
    if (chance < 0.96) {
      world.change(peer, world.now);
      return `${peer.incarnation} changes`;
    }
    if (chance < 0.98) {
      world.heal();
      return 'heal';
    }
    const cost = world.random() < 0.5 ? 0 : world.random() * (400 / living.length);
    world.burden(cost);
    return `each input takes ${cost.toFixed(1)} ms`;
  }

  #join(id: string, isLeaf: boolean): string {
    const host = `h${Math.floor(this.#world.random() * this.#hosts)}`;
    const peer = this.#world.add(id, host, isLeaf);
    this.#world.announce(peer);
    return `${peer.incarnation} joins on ${host}${isLeaf ? ' as a leaf' : ''}`;
  }

  #restart(peer: SimulatedPeer): string {
    const world = this.#world;
    world.kill(peer);
    world.run(world.random() < 0.5 ? 1 : world.random() * 1_000);
    const next = world.add(peer.id, peer.host, peer.isLeaf);
    world.announce(next);
    return `restart ${peer.incarnation} as ${next.incarnation}`;
  }

  #cut(one: string, other: string): string {
    const both = this.#world.random() < 0.6;
    if (one !== other) {
      this.#isBroken = true;
      this.#world.cut(one, other, both);
    }
    return `cut ${one} ${both ? 'and' : 'to'} ${other}`;
  }

  #any(peers: readonly SimulatedPeer[]): SimulatedPeer {
    return peers[Math.floor(this.#world.random() * peers.length)]!;
  }
}
