import type { Clock } from '../base/time/clock.ts';
import { forgetAtExit } from '../base/process/leave-at-exit.ts';
import type { HostProcess } from '../base/process/host-process.ts';
import type { Network } from '../providers/network.ts';
import { createLog } from '../base/log.ts';
import { resolveOptions } from '../peer/options/options.ts';
import type { PeerOptions } from '../peer/options/options.ts';
import { Peer } from '../peer/peer.ts';
import { runningPeers } from '../peer/running-peers.ts';
import { seededFor } from './random.ts';
import type { Random } from './random.ts';
import { StoryWaits } from './story-waits.ts';
import type { Entry, Owner, Timeline } from './timeline.ts';
import { places } from './virtual/place.ts';
import type { Place } from './virtual/place.ts';

/** The time of day at which each story begins, in ms since 1970. */
export const EPOCH = Date.UTC(2026, 0, 1);

/**
 * Options of a peer in a simulation: those of `createPeer` without what the simulation decides itself.
 *
 * @example
 * const options: SimulatedPeerOptions = { group: 'gpu', ping: 200, suspect: 600 };
 */
export type SimulatedPeerOptions = Omit<
  PeerOptions,
  | 'id'
  | 'name'
  | 'network'
  | 'networks'
  | 'clock'
  | 'random'
  | 'secret'
  | 'secretFile'
  | 'runtimeDir'
  | 'lan'
  | 'insecure'
  | 'tls'
  | 'host'
  | 'hostNames'
  | 'port'
  | 'portRange'
  | 'seeds'
  | 'origins'
  | 'logger'
  | 'logLevel'
>;

export interface LifeInput {
  readonly run: Place['run'];
  readonly seed: number;
  readonly name: string;
  readonly id: string;
  /** 1 for the first life of this name. */
  readonly number: number;
  readonly pid: number;
  /** Whether a process of the world has this id. */
  readonly isRunning: (pid: number) => boolean;
  readonly options: SimulatedPeerOptions;
  readonly timeline: Timeline;
  readonly network: (life: Life) => Network;
  /** An unexpected error of the library. */
  readonly unforeseen: (text: string) => void;
  waitFor: Place['waitFor'];
}

/** One process with one peer, from its start to its end. */
export class Life implements Owner, Place {
  readonly run: Place['run'];
  readonly name: string;
  readonly id: string;
  readonly number: number;
  readonly pid: number;
  readonly random: Random;
  readonly peer: Peer;
  readonly backlog: Entry[] = [];
  readonly waitFor: Place['waitFor'];
  isDead = false;
  isFrozen = false;
  readonly #timeline: Timeline;
  /** How fast its clock goes; 1 is right. */
  #rate = 1;
  /** What its clock showed when its rate changed, and when that was. */
  #shown: number;
  #since: number;
  /** How far its time of day is off, in ms. */
  #off = 0;
  #frozenSince = 0;
  #frozenTime = 0;
  readonly #storyWaits: StoryWaits;

  constructor(input: LifeInput) {
    const { seed, name, id, number, options, timeline, network, unforeseen } = input;
    this.run = input.run;
    this.name = name;
    this.id = id;
    this.number = number;
    this.pid = input.pid;
    this.waitFor = input.waitFor;
    this.#timeline = timeline;
    this.#since = timeline.now;
    this.#shown = timeline.now;
    this.random = seededFor(seed, `${name} ${number}`);
    const clock: Clock = {
      now: () => this.now(),
      setTimeout: (callback, milliseconds) => this.after(milliseconds, callback),
      clearTimeout: (timer: Entry | undefined) => timer && this.cancel(timer),
    };
    const quiet = (): void => {};
    const logger = { debug: quiet, info: quiet, warn: quiet, error: unforeseen };
    this.peer = places.run(this, () => {
      const resolved = resolveOptions({ ...options, id, name, clock, random: this.random }, {});
      const settings = {
        ...resolved,
        ...{ hostname: 'simulation', process: processOf(input, () => this.#frozenTime) },
      };
      const log = createLog(logger, 'error', name);
      return new Peer({ ...settings, log, network: network(this) }, true);
    });
    this.#storyWaits = new StoryWaits(this.peer);
  }

  now(): number {
    return this.#shown + (this.#timeline.now - this.#since) * this.#rate;
  }

  wall(): number {
    return EPOCH + Math.floor(this.now()) + this.#off;
  }

  after(delay: number, run: () => void): Entry {
    return this.#timeline.after(Math.max(0, delay) / this.#rate, this, run);
  }

  cancel(entry: Entry): void {
    this.#timeline.cancel(entry);
  }

  /** Makes its clock go at another rate, and sets its time of day. */
  skew(rate: number, off: number): void {
    this.#shown = this.now();
    this.#since = this.#timeline.now;
    this.#rate = rate;
    this.#off = off;
  }

  /** It stands still, as a process whose event loop is busy. */
  freeze(): void {
    if (!this.isFrozen) this.#frozenSince = this.#timeline.now;
    this.isFrozen = true;
  }

  thaw(): void {
    this.#frozenTime += this.#timeline.now - this.#frozenSince;
    this.isFrozen = false;
    this.#timeline.thaw(this);
  }

  /** Nothing of it happens any more. What the story waits for through it fails; code that ran in it is never heard of again. */
  kill(): void {
    this.isDead = true;
    this.forget();
    this.#storyWaits.fail(this.name);
  }

  /** The real process keeps nothing of it. */
  forget(): void {
    forgetAtExit((this.peer as unknown as { actor: Parameters<typeof forgetAtExit>[0] }).actor);
    runningPeers.delete(this.peer);
  }
}

/** The numbers of a process that does not exist. */
function processOf({ pid, isRunning }: LifeInput, busy: () => number): HostProcess {
  return {
    pid,
    isRunning,
    memory: () => 0,
    busy,
    load: () => Promise.resolve({ lag: 0, utilization: 0 }),
    delay: () => ({ median: 0, p99: 0, max: 0, utilization: 0 }),
  };
}
