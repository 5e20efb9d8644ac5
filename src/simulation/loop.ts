import { FRESH, exchangeState } from '../base/process/module-state.ts';
import type { ModuleState } from '../base/process/module-state.ts';
import type { Owner, Timeline } from './timeline.ts';
import type { Trace } from './trace.ts';
import { newResources } from './real-io.ts';
import type { Resources } from './real-io.ts';
import { places, turn } from './virtual/place.ts';
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
  /** What waited for work that is over now. */
  #goOn: (() => void) | undefined;
  #isTurning = false;
  /** The state of modules: of the story while other code runs, and of the other code while the story runs. */
  #otherState: ModuleState = FRESH;
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

  /** An error has ended the step in the middle: Node goes on with other code, and later with this turn. */
  interrupt(error: unknown): void {
    this.fail(error);
    this.#leave();
  }

  /**
   * Time stands still until the work is over. Then whoever waits for it goes on, in a step: another thread has ended the work in the midst
   * of other code.
   */
  pause<T>(work: () => Promise<T>, resolve: (value: T) => void, reject: (error: unknown) => void): void {
    const goOn = (run: () => void): void => {
      this.#isWaiting = false;
      this.#goOn = run;
      this.#beginTurn();
    };
    this.#isWaiting = true;
    places.exit(() => {
      work().then(
        (value) => goOn(() => resolve(value)),
        (error: unknown) => goOn(() => reject(error)),
      );
    });
  }

  get #isOver(): boolean {
    return this.#isDone || this.failure !== undefined || this.opened !== undefined;
  }

  #beginTurn(): void {
    if (this.#isTurning) return;
    this.#isTurning = true;
    real.setImmediate(this.#enter);
    for (let step = 0; step < STEPS_PER_TURN; step += 1) real.setImmediate(this.#turn);
    real.setImmediate(this.#endTurn);
  }

  /** From here on the modules have the state of this world. */
  readonly #enter = (): void => {
    if (this.#isOver) return;
    turn.isUnderWay = true;
    this.#otherState = exchangeState(this.#otherState);
  };

  #leave(): void {
    if (!turn.isUnderWay) return;
    turn.isUnderWay = false;
    this.#otherState = exchangeState(this.#otherState);
  }

  readonly #turn = (): void => {
    if (!this.#isWaiting && !this.#isOver) this.#check();
    if (this.#isWaiting || this.#isOver) return;
    const goOn = this.#goOn;
    this.#goOn = undefined;
    if (goOn) goOn();
    else this.#step();
  };

  readonly #endTurn = (): void => {
    this.#leave();
    this.#isTurning = false;
    if (this.#isWaiting) return;
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
