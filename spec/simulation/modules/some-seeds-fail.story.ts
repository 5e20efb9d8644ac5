import { story } from '../../../src/testing.ts';

const now = performance.now.bind(performance);

class Wrong extends RangeError {
  override readonly name = 'Wrong';
  readonly code = 'WRONG';
  readonly seed: number;
  /** No other thread can have it. */
  readonly fix = (): void => {};

  constructor(seed: number) {
    super(`seed ${seed} is wrong`, { cause: new TypeError('deep down') });
    this.seed = seed;
  }
}

/** The first of the seeds that fail takes longer than the others. */
export default story(async ({ seed, sleep, peer }) => {
  await peer('a');
  await sleep(seed);
  if (seed === 7) {
    const end = now() + 300;
    while (now() < end);
  }
  if ([7, 8, 9, 15].includes(seed)) throw new Wrong(seed);
});
