// A process that works for a long time, and stops when the caller no longer waits for the result.
import { setTimeout as sleep } from 'node:timers/promises';

import { connect, current, serve } from 'app-net';

export const render = connect('render', async (tiles: number) => {
  const { signal, deadline, caller } = current();
  console.log(`(there) ${caller?.name ?? 'nobody'} will wait for ${deadline > 1_000 ? 'long' : 'a moment'}`);
  try {
    for (let tile = 0; tile < tiles; tile += 1) await sleep(10, undefined, { signal });
    return `${tiles} tiles`;
  } catch (error) {
    if (signal.aborted) console.log(`(there) stopped: ${(signal.reason as Error).message}`);
    throw error;
  }
});

await serve();
