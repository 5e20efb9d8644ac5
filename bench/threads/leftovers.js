// How many bytes of a call through a thread survive two collections of the young generation, although the call is answered. There they
// stay until the whole heap is collected, and moving them costs more than the call. Caller and callee are both in this process.
import { Session } from 'node:inspector';
import { createPeer, serve } from '../../dist/index.js';
import './functions.js';

const WARM_CALLS = 200_000;
const CALLS = 100_000;
const IN_FLIGHT = 256;

const serving = serve();
const caller = createPeer();
await caller.start();
const add = caller.remote('add.thread');
const [peer] = await caller.peers.ready(add);

await call(WARM_CALLS);
const session = new Session();
session.connect();
await post('startSampling', { samplingInterval: 4_096, includeObjectsCollectedByMajorGC: true });
await call(CALLS);
const { profile } = await post('getSamplingProfile');
process.send(sizeOf(profile.head) / CALLS);
await serving;

async function call(count) {
  const fn = add.on(peer);
  let left = count;
  const one = async () => {
    while (left > 0) {
      left -= 1;
      await fn(left, 1);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, one));
}

function post(method, options) {
  return new Promise((resolve, reject) => {
    session.post(`HeapProfiler.${method}`, options, (error, result) =>
      error ? reject(error) : resolve(result),
    );
  });
}

function sizeOf({ selfSize, children }) {
  return children.reduce((sum, each) => sum + sizeOf(each), selfSize);
}
