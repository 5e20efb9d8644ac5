import { story } from 'app-net/testing';

let fail = (): void => {};
const timer = setInterval(() => fail(), 1);
timer.unref();

/** What throws is no part of the story: it began before. */
export default story(async ({ seed, sleep }) => {
  if (seed !== 3) return;
  fail = () => {
    throw new Error('a timer of the module');
  };
  for (;;) await sleep(1);
});
