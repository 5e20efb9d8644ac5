// The functions that bench/threads.js measures. Each worker thread loads this file.
import { connect } from '../../dist/index.js';

export const add = connect('add.thread', (a, b) => a + b, { threads: 1, queue: 10_000 });
export const bytes = connect('bytes.thread', (given) => given, { threads: 1 });
export const spin = connect(
  'spin',
  (ms) => {
    const end = performance.now() + ms;
    while (performance.now() < end);
  },
  { threads: 1, kill: 0 },
);
