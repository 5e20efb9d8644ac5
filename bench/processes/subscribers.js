// Entry point of a process of the events set that holds subscribers: node processes/subscribers.js <case>.
import './loopback.js';
import { cpuMicroseconds } from './usage.js';
import { answerParent } from './answer.js';

const [name] = process.argv.slice(2);
const next = [];
let wrong;
let waiting;

answerParent({
  async start({ port, indices }) {
    const { subscriber } = await import(`../cases/${name}-events.js`);
    for (const index of indices) {
      const place = next.push(1) - 1;
      await subscriber({ port, index, take: ({ id }) => take(place, id) });
    }
  },
  // When the last of them had got everything up to `last`.
  async got({ last }) {
    return new Promise((resolve, reject) => {
      waiting = { last, resolve, reject };
      look();
    });
  },
  cpu: () => cpuMicroseconds(),
});

function take(place, id) {
  if (id !== next[place]) wrong ??= `wrong answer: event ${id} came instead of ${next[place]}`;
  next[place] = id + 1;
  if (waiting && id === waiting.last) look();
}

function look() {
  if (wrong) waiting.reject(new Error(wrong));
  else if (next.every((one) => one > waiting.last)) waiting.resolve(Date.now());
}
