import type { Owner, Timeline } from './timeline.ts';
import type { Trace } from './trace.ts';
import { newResources } from './real-io.ts';
import type { Resources } from './real-io.ts';
import { places } from './virtual/place.ts';
import type { Place } from './virtual/place.ts';
import { real } from './virtual/timers.ts';

/**
 * Steps that one turn of the real event loop takes. Node runs promises and ticks between two immediates, and looks at sockets and files
 * only when the turn is over. So each step ends before the next one begins, and a turn costs little.
 */
const STEPS_PER_TURN = 32;

/** Steps after which it is clear that a loop without a pause keeps time from passing. */
const MOST_AT_ONCE = 200_000;

export interface Failure {
  readonly error: unknown;
  /** The story waits for something that does not come. It may be something real. */
  readonly isStuck: boolean;
}

/** Whose events happen where. */
export interface Actor extends Owner, Place {}

export interface LoopInput {
  readonly timeline: Timeline;
  readonly trace: Trace;
  /** The longest that a story may take, in ms of virtual time. */
  readonly limit: number;
  /** What the process had open when the story began. Undefined: nobody looks. */
  readonly before: Resources | undefined;
  /** What must hold after each step. */
  readonly checks: readonly (() => void)[];
  /** Why the story can go on no longer, for the error. */
  readonly describeWait: () => string;
}

/** Takes one step after the other until the story is over. */
export class Loop {
  /** The first error. */
  failure: Failure | undefined;
  /** What was opened meanwhile that is not of this world; the story may have done it. */
  opened: string | undefined;
  readonly #input: LoopInput;
  #isDone = false;
  #isWaiting = false;
  #left = 0;
  #lastTime = -1;
  #atOnce = 0;
  #end: () => void = () => {};

  constructor(input: LoopInput) {
    this.#input = input;
  }

  /** Resolves when the story is done, or has failed. */
  run(): Promise<void> {
    return new Promise((resolve) => {
      this.#end = resolve;
      this.#beginTurn();
    });
  }

  /** The story has ended; what must hold must hold after its last step, too. */
  done(): void {
    this.#check();
    this.#isDone = true;
  }

  fail(error: unknown, isStuck = false): void {
    this.failure ??= { error, isStuck };
  }

  /** Time stands still until the work is over. */
  async pause<T>(work: () => Promise<T>): Promise<T> {
    this.#isWaiting = true;
    try {
      return await places.exit(work);
    } finally {
      this.#isWaiting = false;
      places.exit(() => this.#beginTurn());
    }
  }

  get #isOver(): boolean {
    return this.#isDone || this.failure !== undefined || this.opened !== undefined;
  }

  #beginTurn(): void {
    if (this.#left > 0) return;
    this.#left = STEPS_PER_TURN;
    for (let step = 0; step < STEPS_PER_TURN; step += 1) real.setImmediate(this.#turn);
  }

  readonly #turn = (): void => {
    this.#left -= 1;
    if (!this.#isWaiting && !this.#isOver) this.#check();
    if (!this.#isWaiting && !this.#isOver) this.#step();
    if (this.#left > 0 || this.#isWaiting) return;
    // What the last step began may be over by the next turn, so look now.
    const { before } = this.#input;
    if (before && !this.#isOver) this.opened = newResources(before);
    if (this.#isOver) this.#end();
    else this.#beginTurn();
  };

  #check(): void {
    try {
      for (const check of this.#input.checks) check();
    } catch (error) {
      this.fail(error);
    }
  }

  #step(): void {
    const { timeline, trace, limit } = this.#input;
    const entry = timeline.take();
    const waits = this.#input.describeWait;
    if (!entry) {
      this.fail(new Error(`nothing is left that could happen, and the story still waits${waits()}`), true);
      return;
    }
    if (timeline.now > limit) {
      this.fail(new Error(`the story is not over after ${limit / 1_000} virtual s${waits()}`), true);
      return;
    }
    const run = entry.run!;
    entry.run = undefined;
    const actor = entry.owner as Actor;
    if (!entry.isInput) trace.add(timeline.now, 'timer', actor.name, '');
    this.#atOnce = timeline.now === this.#lastTime ? this.#atOnce + 1 : 0;
    this.#lastTime = timeline.now;
    if (this.#atOnce > MOST_AT_ONCE) {
      this.fail(new Error(`${MOST_AT_ONCE} steps and no time has passed: something repeats without a pause`));
    }
    try {
      places.run(actor, run);
    } catch (error) {
      this.fail(error);
    }
  }
}
