import { Membership } from '../../src/presence/members/membership.ts';
import type {
  LinkKey,
  MembershipFrame,
  MembershipInput,
  MembershipOutput,
} from '../../src/presence/members/types.ts';
import { disagreement, falseLeaves, unlinked, unpaired } from './membership-verdicts.ts';
import { seeded } from './random.ts';
import { SimulatedPeer } from './simulated-peer.ts';
import type { Wire } from './simulated-peer.ts';
import { placesOf, RINGS } from './ring-places.ts';
import { Processors } from './simulated-processors.ts';
import { Timeline } from './timeline.ts';

/**
 * A network of membership cores in virtual time: links with latency, dials that take time, hosts that die, cables that are cut,
 * processes that stand still. The same seed makes the same run. Times are in ms.
 */

/** How long until a lost link is noticed: at once by TCP when a process dies, late when a host or a cable does. */
const SILENCE = 8_000;

/** How long a dial into the void takes. */
const DIAL_TIME = 2_000;

/** How long the peer with the higher id waits to be dialled. */
const PATIENCE = 250;

export class MembershipWorld {
  readonly peers: SimulatedPeer[] = [];
  readonly random: () => number;
  readonly #neighbours: number;
  readonly #timeline = new Timeline();
  readonly #processors = new Processors(this.#timeline);
  readonly #cut = new Set<string>();
  /** Whether hints only name the peers, and their addresses are looked up for each dial. */
  #hasNames = false;

  constructor(seed: number, neighbours = 2 * RINGS) {
    this.random = seeded(seed);
    this.#neighbours = neighbours;
  }

  get now(): number {
    return this.#timeline.now;
  }

  get living(): SimulatedPeer[] {
    return this.peers.filter(({ alive }) => alive);
  }

  /** A peer that begins now. Nobody knows of it before `announce`. */
  add(id: string, host: string, leaf = false): SimulatedPeer {
    const peer = new SimulatedPeer(id, `${id}.${this.peers.length}`, host, leaf);
    this.peers.push(peer);
    peer.core = new Membership({
      self: {
        id,
        incarnation: peer.incarnation,
        started: 1_000 + Math.round(this.now),
        version: 1,
        addresses: leaf ? [] : [{ host: '127.0.0.1', port: this.peers.length }],
        about: undefined,
      },
      neighbours: this.#neighbours,
      places: placesOf,
      isHere: ({ addresses: [address] }) => this.peers[address!.port - 1]!.host === host,
      random: this.random,
      now: this.now,
    });
    return peer;
  }

  /** Everybody finds it, and it finds everybody, within so many ms. */
  announce(peer: SimulatedPeer, within = 60): void {
    for (const other of this.living) {
      if (other === peer) continue;
      if (!other.isLeaf) this.#hint(peer, other, this.random() * within);
      if (!peer.isLeaf) this.#hint(other, peer, this.random() * within);
    }
  }

  /** So many peers that begin at once, on so many hosts, and have had time to meet. */
  static met(seed: number, count: number, hosts = 1, neighbours = 2 * RINGS, named = false): MembershipWorld {
    const world = new MembershipWorld(seed, neighbours);
    world.#hasNames = named;
    for (let index = 0; index < count; index += 1) world.add(`p${index}`, `h${index % hosts}`);
    for (const peer of world.peers) {
      for (const other of world.peers) if (peer !== other) world.#hint(peer, other, 10 + world.random() * 60);
    }
    world.run(3_000);
    return world;
  }

  #hint(to: SimulatedPeer, about: SimulatedPeer, delay: number): void {
    const { id, incarnation, core } = about;
    const { addresses } = core.self;
    const patience = to.id < id ? 0 : PATIENCE;
    const hint = this.#hasNames ? { incarnation: '', addresses: [] } : { incarnation, addresses };
    this.#later(delay, () => this.#give(to, { type: 'hint.found', id, ...hint, patience }));
  }

  /** The address of the peer that announces itself under this id is looked up, to dial it. The dead are not announced. */
  #lookUp(peer: SimulatedPeer, id: string): void {
    peer.lookUps += 1;
    this.#later(1 + this.random() * 5, () => {
      const about = this.living.findLast((each) => each.id === id);
      if (about) {
        const { addresses, incarnation } = about.core.self;
        this.#give(peer, { type: 'hint.found', id, incarnation, addresses });
        this.#dial(peer, id, addresses[0]!.port);
      } else {
        this.#give(peer, { type: 'hint.lost', id });
        this.#give(peer, { type: 'dial.failed', id, refused: false, moot: true });
      }
    });
  }

  /** Its process ends, and says nothing. With `host`, nothing says it for it, either. */
  kill(peer: SimulatedPeer, withHost = false): void {
    peer.alive = false;
    const delay = (): number => (withHost ? SILENCE + this.random() * 1_000 : 1 + this.random() * 4);
    for (const key of [...peer.wires.keys()]) this.#drop(peer, key, 0, delay(), false);
    if (withHost) this.#cut.add(`>${peer.incarnation}`);
  }

  leave(peer: SimulatedPeer): void {
    for (const key of [...peer.wires.keys()]) this.#drop(peer, key, 0, this.#latency(), true);
    peer.alive = false;
  }

  /** Its event loop stands still. It learns so when it goes on; the others do if it takes too long. */
  freeze(peer: SimulatedPeer, time: number): void {
    peer.frozenUntil = Math.max(peer.frozenUntil, this.now + time);
    if (time > SILENCE) {
      for (const key of [...peer.wires.keys()])
        this.#drop(peer, key, time, SILENCE + this.random() * 1_000, false);
    }
    this.#give(peer, { type: 'lagged', time });
  }

  /** No packet goes from the one host to the other; with `both`, none comes back, either. */
  cut(one: string, other: string, both = true): void {
    this.#cut.add(`${one}>${other}`);
    if (both) this.#cut.add(`${other}>${one}`);
    for (const peer of this.living) {
      for (const [key, { to }] of [...peer.wires]) {
        if (peer.host !== one || to.host !== other) continue;
        this.#drop(peer, key, SILENCE + this.random() * 1_000, SILENCE + this.random() * 1_000, false);
      }
    }
  }

  /** Each input takes so much time of the processor of its host: so it is on an overloaded host. */
  burden(cost: number): void {
    this.#processors.cost = cost;
  }

  /** It calls the other one, and dials it for that. */
  call(peer: SimulatedPeer, target: SimulatedPeer): void {
    if (target.isLeaf || peer.isLinked(target)) return;
    this.#dial(peer, target.id, target.core.self.addresses[0]!.port);
  }

  /** What it tells of itself changes. */
  change(peer: SimulatedPeer, about: unknown): void {
    this.#give(peer, { type: 'self.changed', about });
  }

  /** Every link that nobody needs any more is closed by whoever notices first. */
  closeIdle(): void {
    for (const peer of this.living) {
      for (const [key, { to }] of [...peer.wires]) {
        if (peer.core.isDispensable(to.id)) this.#drop(peer, key, 0, this.#latency(), false);
      }
    }
  }

  heal(): void {
    this.#cut.clear();
  }

  run(time: number): void {
    this.#timeline.run(time);
  }

  /** How long it takes until this is so; Infinity when it is not by then. */
  until(is: () => boolean, most: number, step = 5): number {
    const start = this.now;
    while (this.now - start < most) {
      if (is()) return this.now - start;
      this.run(step);
    }
    return Infinity;
  }

  /** Every living peer sees exactly the other living ones, in their present state; of leaves those that it is linked with. */
  get agrees(): boolean {
    return this.disagreement === undefined;
  }

  get disagreement(): string | undefined {
    return disagreement(this.living);
  }

  get unlinked(): string | undefined {
    return unlinked(this.living);
  }

  get falseLeaves(): number {
    return falseLeaves(this.peers);
  }

  get unpaired(): string | undefined {
    return unpaired(this.peers);
  }

  #give(peer: SimulatedPeer, input: MembershipInput): void {
    this.#processors.run(peer.host, () => this.#take(peer, input));
  }

  #take(peer: SimulatedPeer, input: MembershipInput): void {
    if (!peer.alive) return;
    if (peer.frozenUntil > this.now) {
      this.#later(peer.frozenUntil - this.now, () => this.#take(peer, input));
      return;
    }
    for (const output of peer.core.receive(input, this.now)) this.#do(peer, output);
    this.#wakeBy(peer, peer.core.wakeAt);
  }

  #wakeBy(peer: SimulatedPeer, at: number): void {
    if (at >= peer.wakeAt) return;
    peer.wakeAt = at;
    peer.wakes += 1;
    const wake = peer.wakes;
    // Whole ms, as timers are; a sum of fractions could come out just before what it waits for.
    this.#later(Math.max(0, Math.ceil(at) - this.now), () => {
      if (peer.wakes !== wake) return;
      peer.wakeAt = Infinity;
      this.#give(peer, { type: 'time.passed' });
    });
  }

  #do(peer: SimulatedPeer, output: MembershipOutput): void {
    switch (output.type) {
      case 'send':
        this.#send(peer, output.link, output.frame);
        break;
      case 'dial':
        if (output.addresses.length === 0) this.#lookUp(peer, output.id);
        else this.#dial(peer, output.id, output.addresses[0]!.port);
        break;
      case 'joined':
        peer.seen.set(output.member.id, output.member);
        peer.told.push({ type: 'joined', id: output.member.id, incarnation: output.member.incarnation });
        break;
      case 'left':
        peer.seen.delete(output.member.id);
        peer.told.push({
          ...{ type: 'left', id: output.member.id },
          ...{ incarnation: output.member.incarnation, why: output.why },
        });
        break;
      case 'changed':
        peer.seen.set(output.member.id, output.member);
        break;
    }
  }

  #send(peer: SimulatedPeer, link: LinkKey, frame: MembershipFrame): void {
    const wire = peer.wires.get(link);
    if (!wire?.open) return;
    wire.due = Math.max(wire.due, this.now + this.#latency());
    this.#later(wire.due - this.now, () => {
      if (!wire.open || !this.#reaches(peer, wire.to)) return;
      wire.to.frames += 1;
      if (frame.type === 'joined') wire.to.described += frame.members.length;
      this.#give(wire.to, { type: 'frame.received', link: wire.key, frame });
    });
  }

  #dial(peer: SimulatedPeer, id: string, port: number): void {
    peer.dials += 1;
    const target = this.peers[port - 1]!;
    const fail = (delay: number, refused: boolean, busy = false): void =>
      this.#later(delay, () => this.#give(peer, { type: 'dial.failed', id, refused, busy }));
    const open = (): void =>
      this.#processors.meet(
        target.host,
        peer.host,
        () => this.#open(peer, target, fail),
        () => fail(0, false, true),
      );
    if (!this.#reaches(peer, target) || !this.#reaches(target, peer)) {
      fail(DIAL_TIME, false);
      return;
    }
    this.#later(3 + this.random() * 7, () => {
      if (!target.alive) fail(1, target.host === peer.host);
      else this.#later(Math.max(0, target.frozenUntil - this.now), open);
    });
  }

  #open(peer: SimulatedPeer, target: SimulatedPeer, fail: (delay: number, refused: boolean) => void): void {
    if (!peer.alive) return;
    if (!target.alive) {
      fail(0, false);
      return;
    }
    const [here, there] = [peer.nextKey, target.nextKey];
    peer.nextKey += 1;
    target.nextKey += 1;
    peer.wires.set(here, { to: target, key: there, open: true, due: 0 });
    target.wires.set(there, { to: peer, key: here, open: true, due: 0 });
    const [self, other] = [peer.core.self, target.core.self];
    this.#give(peer, { type: 'link.opened', link: here, member: other, dialled: true });
    this.#give(target, { type: 'link.opened', link: there, member: self, dialled: false });
  }

  #drop(peer: SimulatedPeer, key: LinkKey, here: number, there: number, goodbye: boolean): void {
    const wire = peer.wires.get(key)!;
    const back = wire.to.wires.get(wire.key);
    const end = (of: SimulatedPeer, link: LinkKey, each: Wire | undefined, said: boolean): void => {
      if (!each?.open) return;
      each.open = false;
      of.wires.delete(link);
      this.#give(of, { type: 'link.closed', link, goodbye: said });
    };
    this.#later(here, () => end(peer, key, wire, false));
    this.#later(there, () => end(wire.to, wire.key, back, goodbye));
  }

  #reaches(from: SimulatedPeer, to: SimulatedPeer): boolean {
    return !this.#cut.has(`${from.host}>${to.host}`) && !this.#cut.has(`>${to.incarnation}`);
  }

  #latency(): number {
    return 0.3 + this.random() * 2;
  }

  #later(delay: number, run: () => void): void {
    this.#timeline.later(delay, run);
  }
}
