import { expect } from 'chai';

import { simulate, story } from '../../src/testing.ts';
import type { SimulationError, SimulationOptions, Story } from '../../src/testing.ts';
import { FAULTS as faults, withNeighbours } from '../support/simulated-faults.ts';
import { failureOf } from '../support/simulation-failure.ts';
import { eventsStory } from '../support/stories/events.ts';

const module = (name: string): URL => new URL(`modules/${name}.story.ts`, import.meta.url);

async function refused(options: SimulationOptions, given: unknown): Promise<Error> {
  const error: unknown = await simulate(options, given as Story).catch((reason: unknown) => reason);
  expect(error).to.be.instanceOf(Error);
  return error as Error;
}

describe('a story in a module of its own', function () {
  this.timeout(120_000);

  afterEach(() => {
    for (const name of ['SIM_SEED', 'SIM_SEEDS', 'SIM_WORKERS']) delete process.env[name];
  });

  // These two modules load the sources, and all others the built package, which takes a tenth of the time.
  it('does in threads what it does here', async () => {
    const here = await simulate({ seeds: 6, faults }, eventsStory(3, 1_000));
    const there = await simulate({ seeds: 6, faults, workers: 2 }, module('events'));
    expect({ ...there, real: 0 }).to.deep.equal({ ...here, real: 0 });
  });

  it('takes seeds and threads from the environment, and has it as it is now', async () => {
    process.env['SIM_SEEDS'] = '3';
    process.env['SIM_WORKERS'] = '2';
    const { stories } = await withNeighbours(2, () => simulate({ seeds: 1 }, module('has-neighbours')));
    expect(stories).to.equal(3);
  });

  it('fails with the first seed that fails, whichever thread is faster', async () => {
    const error = await failureOf({ seeds: 40, workers: 2 }, module('some-seeds-fail'));
    expect(error.seed).to.equal(7);
    expect(error.message).to.match(/^seed 7 fails \(number 7 of 40\): Wrong: seed 7 is wrong\n/);
    expect(error.stack).to.contain('some-seeds-fail.story.ts');
    const { cause } = error as { cause: RangeError & { code: string; seed: number; fix: unknown } };
    expect(cause).to.be.instanceOf(Error).and.include({ name: 'Wrong', code: 'WRONG', seed: 7 });
    expect(cause.stack).to.contain('some-seeds-fail.story.ts');
    expect(cause.cause).to.be.instanceOf(TypeError).and.have.property('message', 'deep down');
  });

  it('runs one seed again, with the faults and steps that it has here', async () => {
    process.env['SIM_SEED'] = '8';
    const error = await failureOf({ seeds: 40 }, module('some-seeds-fail'));
    expect(error.message).to.match(/^seed 8 fails: Wrong: seed 8 is wrong\n/);
    expect(error.message).to.contain('a starts, id a').and.contain('SIM_SEED=8');
    const { default: made } = (await import(module('some-seeds-fail').href)) as { default: Story };
    const here = await failureOf({ seeds: 40 }, made);
    expect(here.message).to.equal(error.message);
    expect(here.faults).to.deep.equal(error.faults);
  });

  it('fails with the seed that ended its thread', async () => {
    const ended = await failureOf({ seeds: 20, workers: 2 }, module('ends-its-thread'));
    expect(ended.seed).to.equal(3);
    expect(ended.message).to.contain('seed 3 fails: it ended its thread with code 5, as process.exit() does');
    const broken = await failureOf({ seeds: 3, workers: 2 }, module('breaks-its-thread'));
    expect(broken.message).to.contain('seed 3 fails: its thread ended with a timer of the module');
    expect((broken.cause as Error).stack).to.contain('breaks-its-thread.story.ts');
  });

  it('is told what it does that no seed can repeat', async () => {
    const file = await failureOf({ seeds: 4, workers: 2 }, module('does-real-work'));
    expect(file.message).to.match(/^seed 2: the story began work with files/);
    expect(file.message).to.contain('does-real-work.story.ts');
    const counted = await failureOf({ seeds: 2, workers: 2 }, module('counts-its-runs'));
    expect(counted.message).to.contain('seed 1 did not do the same twice');
  });

  it('may throw what is no error, and what no other thread can have', async () => {
    const causeOf = ({ cause }: SimulationError): unknown => cause;
    const thrower = module('throws-what-is-no-error');
    expect(causeOf(await failureOf({ seeds: [1] }, thrower))).to.deep.equal({ list: [1, 2] });
    expect(causeOf(await failureOf({ seeds: [2] }, thrower))).to.equal(
      'something that is not an error was thrown',
    );
  });

  it('is refused if its module has no story, with what to write there', async () => {
    const texts: [string, string][] = [
      ['no-default', 'its default export is no story; export default story('],
      ['not-made', "its default export was not made with story(); import { story } from 'app-net/testing'"],
      ['throws', 'RangeError: not today'],
      ['exits', 'it ended its thread with code 4, as process.exit() does'],
      ['not-there', 'not-there.story.ts'],
      ['starts-a-simulation', 'simulate() was called by the module of a story'],
    ];
    for (const [name, text] of texts) {
      const { message } = await refused({ seeds: 3, workers: 1 }, module(name));
      expect(message).to.contain(`${name}.story.ts cannot be run as a story: `).and.contain(text);
    }
  });

  it('is the only one that goes to other threads', async () => {
    expect((await refused({ workers: 2 }, () => {})).message).to.contain(
      'workers: a story that is a function cannot go to another thread; put it in a module of its own',
    );
    for (const wrong of [undefined, './bank.story.ts', new URL('http://127.0.0.1/bank.story.ts')]) {
      expect((await refused({}, wrong)).message).to.contain('or the URL of a module: new URL(');
    }
    for (const workers of [0, 1.5, 'all'] as number[]) {
      expect((await refused({ workers }, module('events'))).message).to.contain('workers: give how many');
    }
    expect(() => story(1 as never)).to.throw(TypeError, 'story(run): run must be a function');
    // It is a story as every other one, too.
    expect(
      (
        await simulate(
          { seeds: 2 },
          story(() => {}),
        )
      ).stories,
    ).to.equal(2);
  });
});
