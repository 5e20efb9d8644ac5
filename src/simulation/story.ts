import type { Peer } from '../peer/peer.ts';
import type { FaultPlayer } from './fault-player.ts';
import type { SimulatedPeerOptions } from './life.ts';
import type { Program, World } from './world.ts';
import { places } from './virtual/place.ts';

/** Time between two looks of `eventually`, in ms. */
const LOOK = 50;

/**
 * A process of a simulation: its peer, or the name that `peer()` was given.
 *
 * @example
 * const story: Story = async ({ peer, cut, heal }) => {
 *   const bank = await peer('bank');
 *   await peer('shop');
 *   cut(bank, 'shop');
 *   heal(bank, 'shop');
 * };
 */
export type SimulatedNode = string | { readonly name: string };

/**
 * How a story makes a process with a peer.
 *
 * @example
 * const start = (peer: MakePeer) => peer('server', { group: 'gpu' }, (self) => self.connect('hello', () => 'hello'));
 */
export interface MakePeer {
  /** With a program, which runs in the process at each of its starts. */
  (name: string, program?: (peer: Peer) => unknown): Promise<Peer>;
  /** With options of the peer, and a program or none. */
  (name: string, options: SimulatedPeerOptions, program?: (peer: Peer) => unknown): Promise<Peer>;
}

/**
 * The tools that a story gets. All times are in ms of virtual time. Name a process by its peer, or by the name that you gave it.
 * A fault with a `time` ends after that many ms; without one it lasts until `heal`.
 *
 * @example
 * const story: Story = async ({ peer, kill, eventually }) => {
 *   const [a] = await Promise.all([peer('a'), peer('b')]);
 *   kill('b');
 *   await eventually(() => a.peers.size === 0);
 * };
 */
export interface Simulation {
  /** The seed of this run. */
  readonly seed: number;
  /**
   * Makes a process with a peer, and resolves once the peer has started. The program runs in the process, at its start and at each
   * restart; what it throws fails the story. With a name that exists, it resolves with the peer that has it now, after a restart if
   * necessary. It rejects if that one was killed for good.
   */
  readonly peer: MakePeer;
  /**
   * Ends the process as SIGKILL does: nothing of it runs any more. Calls and waits of the story itself through the dead peer fail
   * with `STOPPED`.
   */
  readonly kill: (node: SimulatedNode) => void;
  /** Kills the process, and starts it again after `after` ms (default: 0), with the same id unless you say `'new'`. Resolves with the new peer. */
  readonly restart: (node: SimulatedNode, how?: { after?: number; id?: 'same' | 'new' }) => Promise<Peer>;
  /** The process stands still: its timers do not run, and it reads nothing. */
  readonly freeze: (node: SimulatedNode, time?: number) => void;
  /** Breaks the connections between two peers, and refuses new ones. */
  readonly cut: (a: SimulatedNode, b: SimulatedNode, time?: number) => void;
  /** Messages from `from` to `to` do not arrive. They arrive when the fault ends, if the connection is still open. */
  readonly cutOneWay: (from: SimulatedNode, to: SimulatedNode, time?: number) => void;
  /** Nothing arrives between the two. It arrives when the fault ends, if the connection is still open. */
  readonly stall: (a: SimulatedNode, b: SimulatedNode, time?: number) => void;
  /** Messages between the two take `milliseconds` longer. */
  readonly delay: (a: SimulatedNode, b: SimulatedNode, milliseconds: number, time?: number) => void;
  /** The clock of the process goes at another rate (1.05: 5 % too fast), and its time of day is off by `off` ms. */
  readonly skew: (node: SimulatedNode, how: { rate?: number; off?: number }) => void;
  /**
   * Ends the faults of one peer, or those between two. Without arguments it ends all faults, and the seed makes no more: call it before
   * you check what must be true once the network works again.
   */
  readonly heal: (...nodes: SimulatedNode[]) => void;
  /** Virtual ms since the story began. */
  readonly now: () => number;
  /** A number of the seed, from 0 up to, but not including, 1. */
  readonly random: () => number;
  /** Waits this many ms of virtual time. */
  readonly sleep: (milliseconds: number) => Promise<void>;
  /**
   * Waits until `check` neither throws nor returns false (or a promise of it), and resolves with what it returned. Rejects with what it
   * threw last after `within` ms, 60,000 by default.
   */
  readonly eventually: <T>(check: () => T | Promise<T>, within?: number) => Promise<T>;
  /** Runs `check` after each step of the simulation from now on. The story fails as soon as it throws or returns false. */
  readonly always: (check: () => unknown) => void;
  /** Writes a line into the trace. */
  readonly note: (text: string) => void;
}

/**
 * A story: code that makes peers, lets them work, and checks what came of it.
 *
 * @example
 * const story: Story = async ({ peer }) => {
 *   const server = await peer('server');
 *   server.connect('hello', () => 'hello');
 * };
 */
export type Story = (simulation: Simulation) => unknown;

/** @param checks is filled by `always` */
export function simulationOf(world: World, player: FaultPlayer, checks: (() => void)[]): Simulation {
  const { timeline, story, trace } = world;
  const sleep = async (milliseconds: number): Promise<void> => {
    // Virtual time that is not a number would stay so.
    if (typeof milliseconds !== 'number' || Number.isNaN(milliseconds))
      throw new TypeError('sleep: give a number of ms');
    await new Promise<void>((resolve) => story.after(milliseconds, resolve));
  };
  return {
    seed: world.seed,
    peer: (name: string, ...more: unknown[]) => {
      if (typeof name !== 'string') throw new TypeError("peer: give a name, such as peer('server')");
      const program = more.find((each) => typeof each === 'function') as Program | undefined;
      const options = more.find((each) => typeof each === 'object') as SimulatedPeerOptions | undefined;
      return world.peer(name, options, program);
    },
    kill: (node) => {
      player.tell(`kill ${nameOf(node)}`);
      world.kill(nameOf(node));
    },
    restart: (node, { after = 0, id = 'same' } = {}) => {
      player.tell(`restart ${nameOf(node)}`);
      const restarted = world.restart(nameOf(node), after, id === 'new');
      // Nobody has to wait for it.
      restarted.catch(() => {});
      return restarted;
    },
    freeze: (node, time) => {
      player.freeze(nameOf(node), time);
    },
    cut: (a, b, time) => {
      player.cut(nameOf(a), nameOf(b), time);
    },
    cutOneWay: (from, to, time) => {
      player.cutOneWay(nameOf(from), nameOf(to), time);
    },
    stall: (a, b, time) => {
      player.stall(nameOf(a), nameOf(b), time);
    },
    delay: (a, b, milliseconds, time) => {
      player.delay(nameOf(a), nameOf(b), milliseconds, time);
    },
    skew: (node, { rate = 1, off = 0 }) => {
      player.skew(nameOf(node), rate, off);
    },
    heal: (...nodes) => player.heal(...nodes.map(nameOf)),
    now: () => timeline.now,
    random: story.random,
    sleep,
    eventually: async (check, within = 60_000) => {
      const end = timeline.now + within;
      for (;;) {
        const isLast = timeline.now >= end;
        try {
          const value = await check();
          if (value !== false) return value;
          if (isLast) throw new Error(`not within ${within} ms: ${check.toString()}`);
        } catch (error) {
          if (isLast) throw error;
        }
        await sleep(LOOK);
      }
    },
    always: (check) => {
      checks.push(() => {
        const value: unknown = places.run(story, check);
        if (value === false) throw new Error(`not always: ${check.toString()}`);
        if (value instanceof Promise)
          throw new TypeError('always(check): the check must not be async; use eventually()');
      });
    },
    note: (text) => trace.add(timeline.now, 'story', '', text),
  };
}

function nameOf(node: SimulatedNode): string {
  return typeof node === 'string' ? node : node.name;
}
