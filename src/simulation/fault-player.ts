import { FaultSource, twoOf } from './faults.ts';
import type { Draw, Faults } from './faults.ts';
import type { Life } from './life.ts';
import { pick } from './random.ts';
import type { World } from './world.ts';

/**
 * A fault that happened.
 *
 * @example
 * const fault: Fault = { kind: 'cut', at: 1_203, text: 'cut a – b for 2.7 s' };
 */
export interface Fault {
  /** What kind of fault it is. */
  readonly kind: keyof Faults;
  /** When it began, in virtual ms. */
  readonly at: number;
  /** What it was, for people. */
  readonly text: string;
}

/** A fault of the seed, with the number by which it can be left out. */
export interface NumberedFault extends Fault {
  readonly number: number;
}

interface Active {
  readonly names: readonly string[];
  end(): void;
}

/** Makes faults, and ends them: those that the seed draws, and those that the story asks for. */
export class FaultPlayer {
  /** Those of the seed that happened. */
  readonly happened: NumberedFault[] = [];
  readonly #world: World;
  readonly #source: FaultSource;
  /** Numbers of the only ones that may happen. */
  readonly #only: ReadonlySet<number> | undefined;
  readonly #active = new Set<Active>();
  #isOver = false;

  constructor(world: World, faults: Faults, only: ReadonlySet<number> | undefined) {
    this.#world = world;
    this.#source = new FaultSource(world.seed, faults);
    this.#only = only;
  }

  begin(): void {
    if (this.#isOver || this.#source.isEmpty) return;
    const { timeline, story } = this.#world;
    for (const draw of this.#source.next()) {
      if (this.#only && !this.#only.has(draw.number)) continue;
      timeline.at(draw.at, story, () => this.#play(draw));
    }
    timeline.after(1_000, story, () => this.begin());
  }

  /** Ends what is wrong between the two, or with the one; without names everything, for good. */
  heal(...names: string[]): void {
    if (names.length === 0) this.#isOver = true;
    this.tell(names.length === 0 ? 'heal everything' : `heal ${names.join(' – ')}`);
    for (const active of [...this.#active]) {
      if (names.every((name) => active.names.includes(name))) active.end();
    }
  }

  cut(a: string, b: string, duration = Infinity): string {
    this.#add([a, b], duration, this.#world.wires.cut(a, b));
    return this.tell(`cut ${a} – ${b}${lasting(duration)}`);
  }

  cutOneWay(from: string, to: string, duration = Infinity): string {
    this.#add([from, to], duration, this.#world.wires.hold(from, to));
    return this.tell(`cut ${from} → ${to}${lasting(duration)}`);
  }

  stall(a: string, b: string, duration = Infinity): string {
    const { wires } = this.#world;
    const ends = [wires.hold(a, b), wires.hold(b, a)];
    this.#add([a, b], duration, () => ends.forEach((end) => end()));
    return this.tell(`stall ${a} – ${b}${lasting(duration)}`);
  }

  delay(a: string, b: string, milliseconds: number, duration = Infinity): string {
    this.#add([a, b], duration, this.#world.wires.delay(a, b, milliseconds));
    return this.tell(`delay ${a} – ${b} by ${Math.round(milliseconds)} ms${lasting(duration)}`);
  }

  freeze(name: string, duration = Infinity): string {
    const life = this.#world.life(name);
    // Freezing twice lasts as long as the longer one.
    const before = [...this.#active].filter((each) => frozen.get(each) === life);
    life.freeze();
    const active = this.#add([name], duration, () => {
      const others = [...this.#active].some((each) => each !== active && frozen.get(each) === life);
      if (!others) life.thaw();
    });
    frozen.set(active, life);
    return this.tell(`freeze ${name}${lasting(duration)}${before.length > 0 ? ', again' : ''}`);
  }

  skew(name: string, rate: number, off: number): string {
    const life = this.#world.life(name);
    life.skew(rate, off);
    this.#add([name], Infinity, () => life.skew(1, 0));
    const speed = `${rate > 1 ? '+' : ''}${((rate - 1) * 100).toFixed(1)} %`;
    return this.tell(`skew the clock of ${name}: ${speed}, time of day off by ${(off / 1_000).toFixed(0)} s`);
  }

  #play(draw: Draw): void {
    if (this.#isOver) return;
    const text = this.#playOn(draw, this.#world.living());
    if (text === undefined) return;
    const { number, kind } = draw;
    this.happened.push({ number, kind, at: this.#world.timeline.now, text });
  }

  #playOn(draw: Draw, living: readonly Life[]): string | undefined {
    const two = twoOf(living, draw)?.map(({ name }) => name) as [string, string] | undefined;
    const one = pick(living, draw.first)?.name;
    const { kind, duration, delay, pause, isNew, rate, off } = draw;
    if (one === undefined) return undefined;
    switch (kind) {
      case 'cut':
        return two && this.cut(...two, duration);
      case 'oneWayCut':
        return two && this.cutOneWay(...two, duration);
      case 'delay':
        return two && this.delay(...two, delay, duration);
      case 'stall':
        return two && this.stall(...two, duration);
      case 'freeze':
        return this.freeze(one, duration);
      case 'skew':
        return this.skew(one, rate, off);
      case 'kill':
        // The last one stays: with nobody left there is nothing to see.
        if (!two) return undefined;
        this.#world.kill(one);
        return this.tell(`kill ${one}`);
      default:
        this.#world.restart(one, pause, isNew).catch(() => {});
        return this.tell(`restart ${one} after ${seconds(pause)}${isNew ? ' with a new id' : ''}`);
    }
  }

  #add(names: readonly string[], duration: number, undo: () => void): Active {
    const active: Active = {
      names,
      end: () => {
        if (!this.#active.delete(active)) return;
        undo();
      },
    };
    this.#active.add(active);
    const { timeline, story } = this.#world;
    if (duration < Infinity) timeline.after(duration, story, () => active.end());
    return active;
  }

  /** Writes a fault into the trace. */
  tell(text: string): string {
    const { trace, timeline } = this.#world;
    trace.add(timeline.now, 'fault', '', text);
    return text;
  }
}

/** Whom a fault freezes. */
const frozen = new WeakMap<Active, Life>();

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1_000).toFixed(1)} s`;
}

function lasting(milliseconds: number): string {
  return milliseconds < Infinity ? ` for ${seconds(milliseconds)}` : '';
}
