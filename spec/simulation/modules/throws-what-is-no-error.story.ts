import { story } from 'app-net/testing';

export default story(({ seed }) => {
  // oxlint-disable-next-line only-throw-error -- a story may throw anything
  throw seed === 1 ? { list: [1, 2] } : (): void => {};
});
