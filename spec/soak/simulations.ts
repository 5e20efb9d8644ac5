import { simulate } from '../../src/testing.ts';
import type { SimulationReport, Story } from '../../src/testing.ts';
import { FAULTS as faults, withNeighbours } from '../support/simulated-faults.ts';
import { callsStory } from '../support/stories/calls.ts';
import { eventsStory } from '../support/stories/events.ts';
import { presenceStory } from '../support/stories/presence.ts';
import { stopsStory } from '../support/stories/stops.ts';
import { streamsStory } from '../support/stories/streams.ts';

/** The stories of `spec/simulation/invariants.spec.ts`, longer and with new seeds each time. */
export async function simulations(first: number, count: number): Promise<Record<string, SimulationReport>> {
  const seedsOf = (part: number): number[] =>
    Array.from({ length: Math.ceil(count / part) }, (_, index) => first + index);
  const run = (story: Story, part: number): Promise<SimulationReport> =>
    simulate({ seeds: seedsOf(part), faults }, story);
  return {
    presence: await run(presenceStory(5, 30_000), 1),
    calls: await run(callsStory(5, 30_000), 4),
    events: await run(eventsStory(5, 30_000), 4),
    streams: await run(streamsStory(5, 30_000), 4),
    'stops under calls': await simulate({ seeds: seedsOf(1) }, stopsStory(3, 10_000)),
    'presence with few links': await withNeighbours(4, () => run(presenceStory(12, 30_000), 4)),
    'events with few links': await withNeighbours(4, () => run(eventsStory(10, 30_000), 10)),
    'fifty peers': await run(presenceStory(50, 30_000), 50),
  };
}
