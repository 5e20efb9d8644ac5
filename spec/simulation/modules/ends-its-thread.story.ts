import { story } from 'app-net/testing';

export default story(async ({ seed, sleep }) => {
  await sleep(10);
  if (seed === 3) process.exit(5);
});
