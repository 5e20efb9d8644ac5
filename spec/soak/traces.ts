// Runs each seed of our own stories twice, with five peers and all faults, and prints one digest of all traces. The digest is the same
// on every version of Node. A seed that fails, or does something else the second time, is printed, and the others go on.
//
//   node --import tsx spec/soak/traces.ts --seeds 1000               seeds 1 to 1000
//   node --import tsx spec/soak/traces.ts --first 501 --seeds 500    seeds 501 to 1000
//   node --import tsx spec/soak/traces.ts --seeds 40 --each          a line for each seed, to find the one that differs
import { createHash } from 'node:crypto';
import { parseArgs } from 'node:util';

import { SimulationError, simulate } from '../../src/testing.ts';
import { FAULTS as faults } from '../support/simulated-faults.ts';
import { callsStory } from '../support/stories/calls.ts';
import { eventsStory } from '../support/stories/events.ts';
import { presenceStory } from '../support/stories/presence.ts';
import { streamsStory } from '../support/stories/streams.ts';

const [presence, events] = [presenceStory(5, 8_000), eventsStory(5, 2_000)];
const [calls, streams] = [callsStory(5, 2_000), streamsStory(5, 2_000)];

/** The seeds take turns at them. Calls and streams take several times as long. */
const STORIES = [presence, events, presence, events, calls, presence, events, presence, events, streams];

const { values: options } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    first: { type: 'string', default: '1' },
    each: { type: 'boolean', default: false },
  },
});
const [first, count] = [Number(options.first), Number(options.seeds)];

const all = createHash('sha256');
let [virtual, broken] = [0, 0];
for (let seed = first; seed < first + count; seed += 1) {
  const story = STORIES[seed % STORIES.length]!;
  try {
    // The first seed of a simulation runs twice.
    const report = await simulate({ seeds: [seed], faults }, story);
    if (options.each) console.log(seed, report.digest);
    all.update(report.digest);
    virtual += report.virtual;
  } catch (error) {
    if (!(error instanceof SimulationError)) throw error;
    console.log(`${error.message}\n`);
    broken += 1;
  }
}
const { user, system } = process.cpuUsage();
console.log(
  `Node ${process.version}: seeds ${first} to ${first + count - 1} twice, ${broken} of them failed; ` +
    `${Math.round(virtual / 1_000)} virtual s, ${Math.round((user + system) / 1e6)} s of processor time; ` +
    `digest ${all.digest('hex').slice(0, 16)}`,
);
if (broken > 0) process.exitCode = 1;
