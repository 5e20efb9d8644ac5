// One of the two processes. Run `npx tsx examples/01-multiply/app.ts` in two terminals, or run main.ts, which starts both.
import { getPeers, peers, serve } from 'app-net';

import { multiplyValues, squareRoot } from './math.ts';

const me = `process ${process.pid}`;

console.log(`${me}: multiplyValues(5, 10) = ${multiplyValues(5, 10)}, run here`);

peers.on('join', (peer) => console.log(`${me}: process ${peer.pid} joined`));
peers.on('leave', (peer, why) => {
  console.log(`${me}: process ${peer.pid} left (${why})`);
  process.send?.('saw a leave');
});

for (const peer of await getPeers()) {
  const product = await multiplyValues.on(peer)(5, 10);
  console.log(`${me}: multiplyValues(5, 10) = ${product}, run in process ${peer.pid}`);
  try {
    await squareRoot.on(peer)(-1);
  } catch (error) {
    console.log(`${me}: ${String(error)}, thrown in process ${peer.pid}`);
  }
  process.send?.(product);
}

await serve();
