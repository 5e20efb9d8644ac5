// How fast stories in virtual time are: quiet peers, and stories of five peers in one thread and in as many as there are processors. Run it
// with `npm run bench:simulation`. `--profile` runs the stories in one thread only, and says who takes the processor time.
import { Session } from 'node:inspector/promises';
import { availableParallelism } from 'node:os';

import { simulate } from '../build/testing.js';
import meet from './simulation/meet.story.js';
import { shares } from './simulation/shares.js';

/** The median of so many rounds is the figure. */
const ROUNDS = 3;

const STORIES = 50;

/** Peers have met, in ms of virtual time. */
const STARTED = 10_000;

const STORY = new URL('simulation/meet.story.js', import.meta.url);

/** What was asked for: virtual seconds in a second of four and of fifty quiet peers, and stories of five peers in a minute of two cores. */
const TARGETS = { four: 1_000, fifty: 50, stories: 10_000 };

if (process.argv.includes('--profile')) await profile();
else await measureAll();

async function measureAll() {
  const rounds = [];
  // The first round warms up.
  for (let round = 0; round <= ROUNDS; round += 1) {
    const four = await measureQuiet(4, 300_000);
    const fifty = await measureQuiet(50, 300_000);
    const one = await measure({ seeds: STORIES }, meet);
    const threads = await measure({ seeds: STORIES * 4 }, STORY);
    if (round > 0) rounds.push({ four, fifty, one, threads });
  }
  const of = (figure) => median(rounds.map(figure));
  const line = (what, value, target) =>
    console.log(
      `${what}: ${Math.round(value).toLocaleString('en')}${target ? ` (target ${target.toLocaleString('en')})` : ''}`,
    );
  line(
    '4 quiet peers, virtual s in a second of processor time',
    of(({ four }) => four),
    TARGETS.four,
  );
  line(
    '50 quiet peers, virtual s in a second of processor time',
    of(({ fifty }) => fifty),
    TARGETS.fifty,
  );
  line('a story of 5 peers that meet, µs of processor time', of(({ one }) => one.each) * 1_000);
  line(
    'such stories in two minutes of processor time, in one thread',
    120_000 / of(({ one }) => one.each),
    TARGETS.stories,
  );
  const workers = availableParallelism();
  line(
    `such stories in two minutes of processor time, in ${workers} threads`,
    120_000 / of(({ threads }) => threads.each),
  );
  line(
    `such stories in a minute, in ${workers} threads`,
    60_000 / of(({ threads }) => threads.real),
    workers === 2 && TARGETS.stories,
  );
}

function quiet(count, ms) {
  return async ({ peer, sleep }) => {
    await Promise.all(Array.from({ length: count }, (_, index) => peer(`p${index}`)));
    await sleep(ms);
  };
}

/** Virtual ms in one of processor time, without the start, which lasts some seconds. */
async function measureQuiet(count, ms) {
  const start = await measure({ seeds: 1 }, quiet(count, STARTED));
  const all = await measure({ seeds: 1 }, quiet(count, STARTED + ms));
  return ms / (all.each - start.each);
}

/** Processor ms and real ms of one run of the story. */
async function measure(options, story) {
  const before = process.cpuUsage();
  const { stories, real } = await simulate(options, story);
  const { user, system } = process.cpuUsage(before);
  // One seed in twenty runs twice, to be compared.
  const runs = stories + Math.ceil(stories / 20);
  return { each: (user + system) / 1_000 / runs, real: real / runs };
}

async function profile() {
  await simulate({ seeds: STORIES }, meet);
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: 200 });
  await session.post('Profiler.start');
  await simulate({ seeds: STORIES * 4 }, meet);
  const { profile: taken } = await session.post('Profiler.stop');
  session.disconnect();
  for (const [part, share] of shares(taken))
    console.log(`${(share * 100).toFixed(1).padStart(5)} %  ${part}`);
}

function median(values) {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}
