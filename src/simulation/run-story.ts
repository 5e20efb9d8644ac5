import { FaultPlayer } from './fault-player.ts';
import type { NumberedFault } from './fault-player.ts';
import { Loop } from './loop.ts';
import type { Failure } from './loop.ts';
import type { Settings } from './options.ts';
import { resourcesNow } from './real-io.ts';
import { simulationOf } from './story.ts';
import type { Story } from './story.ts';
import { Trace } from './trace.ts';
import { World } from './world.ts';
import { places, turn } from './virtual/place.ts';

export interface RunInput {
  readonly seed: number;
  readonly settings: Settings;
  readonly story: Story;
  /** Numbers of the only faults that may happen. Default: all of the seed. */
  readonly only?: ReadonlySet<number>;
  /** Whether the steps are kept. */
  readonly isKept?: boolean;
  /** Whether the story goes on although the process opens something real: it was not the story. */
  readonly isTrusted?: boolean;
}

/** What came of one run. */
export interface Run {
  readonly failure: Failure | undefined;
  /** What was opened meanwhile that is not of the simulation. */
  readonly opened: string | undefined;
  readonly trace: Trace;
  readonly faults: readonly NumberedFault[];
  readonly names: readonly string[];
  /** How long it took, in virtual ms. */
  readonly time: number;
}

/** The run that is under way gets the errors that nobody catches. */
let current: Loop | undefined;

/** Runs a story once. The globals are those of the simulation already. */
export async function runStory(input: RunInput): Promise<Run> {
  const { seed, settings, story, only, isKept = false, isTrusted = false } = input;
  const trace = new Trace(isKept);
  const checks: (() => void)[] = [];
  const world: World = new World({ seed, latency: settings.latency, trace, loop: () => loop });
  const player = new FaultPlayer(world, settings.faults, only);
  const loop: Loop = new Loop({
    ...{ timeline: world.timeline, trace, limit: settings.limit, checks },
    before: isTrusted ? undefined : resourcesNow(),
    describeWait: () => {
      const dead = world.dead();
      return dead.length > 0
        ? `. These processes are down: ${dead.join(', ')}. What the story waits for in them never comes`
        : '';
    },
  });
  current = loop;
  world.timeline.at(0, world.story, () => {
    player.begin();
    begin(story, () => simulationOf(world, player, checks)).then(
      () => loop.done(),
      (error: unknown) => loop.fail(error),
    );
  });
  await loop.run();
  current = undefined;
  world.end();
  const { failure, opened } = loop;
  const { happened: faults } = player;
  return { failure, opened, trace, faults, names: world.names(), time: world.timeline.now };
}

async function begin(story: Story, simulation: () => Parameters<Story>[0]): Promise<void> {
  await story(simulation());
}

/**
 * Until the function that it returns is called, errors of the story that nobody catches fail the story, and not the process or the test
 * runner, which would not know the seed. Errors of other code go where they always go.
 */
export function catchEverything(): () => void {
  const names = ['unhandledRejection', 'uncaughtException'] as const;
  const undo = names.map((name) => {
    const before = process.rawListeners(name) as ((...args: unknown[]) => void)[];
    /** Those that are being called: mocha's own listener takes itself off, emits the error once more, and puts itself back. */
    const under = new Set<(...args: unknown[]) => void>();
    const pass = (listener: (...args: unknown[]) => void, told: unknown[]): void => {
      if (under.has(listener)) return;
      under.add(listener);
      try {
        Reflect.apply(listener, process, told);
      } finally {
        under.delete(listener);
        process.off(name, listener);
      }
    };
    const caught = (error: unknown, ...more: unknown[]): void => {
      if (turn.isUnderWay) current?.interrupt(error);
      else if (places.getStore()) current?.fail(error);
      else if (before.length === 0) throw error;
      else for (const listener of before) pass(listener, [error, ...more]);
    };
    process.removeAllListeners(name);
    process.on(name, caught);
    return () => {
      process.off(name, caught);
      for (const listener of before) process.on(name, listener);
    };
  });
  return () => {
    for (const each of undo) each();
    places.disable();
  };
}
