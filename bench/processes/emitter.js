// Entry point of the emitting process of the events set: node processes/emitter.js <case>.
import './loopback.js';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { cpuMicroseconds } from './usage.js';
import { answerParent } from './answer.js';

const [name] = process.argv.slice(2);
const TEXT = 'forty characters of text, as an id takes';
let started;

answerParent({
  async start({ port }) {
    const { emitter } = await import(`../cases/${name}-events.js`);
    started = await emitter({ port });
  },
  async ready({ subscribers }) {
    await started.ready?.(subscribers);
    while (started.count && started.count() < subscribers) await sleep(10);
  },
  // The clock of the machine, since the answers of several processes are compared.
  async emit({ from, count, each }) {
    const startedAt = Date.now();
    for (let id = from; id < from + count; id++) {
      started.emit({ id, text: TEXT });
      // Whatever reads and writes has its turn, and where a library can wait for slow subscribers it does.
      if (id % each === 0) {
        await nextTurn();
        await started.drained?.();
      }
    }
    return startedAt;
  },
  cpu: () => cpuMicroseconds(started.pids),
});
