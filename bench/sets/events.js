// The set events: one process emits, fifty subscribers in ten processes get each event once and in order.
import { freePort, withChildren } from '../lib/children.js';

export const SUBSCRIBERS = 50;
const PROCESSES = 10;

/** Events that are emitted in one turn of the event loop. */
export const EACH_TURN = [1, 50];

const FULL = { warm: 500, sample: 500, seconds: 3, most: 300_000 };
const QUICK = { warm: 200, sample: 200, seconds: 1, most: 100_000 };

/** Measures one case and resolves to its figures, by metric. */
export function measureEvents({ name, quick }) {
  const amounts = quick ? QUICK : FULL;
  return withChildren(async (start) => {
    const emitter = start('emitter.js', [name]);
    const holders = Array.from({ length: PROCESSES }, () => start('subscribers.js', [name]));
    const port = await freePort();
    await emitter.ask('start', { port });
    await Promise.all(
      holders.map((one, i) => {
        const indices = Array.from({ length: SUBSCRIBERS / PROCESSES }, (_, k) => i + k * PROCESSES);
        return one.ask('start', { port, indices });
      }),
    );
    await emitter.ask('ready', { subscribers: SUBSCRIBERS });

    let from = 1;
    /** Emits `count` and resolves to the ms until everybody had the last. */
    const run = async (count, each) => {
      const last = from + count - 1;
      const got = holders.map((one) => one.ask('got', { last }));
      const startedAt = await emitter.ask('emit', { from, count, each });
      from += count;
      return Math.max(...(await Promise.all(got))) - startedAt;
    };
    const cpu = async () => ({
      emitter: await emitter.ask('cpu'),
      subscribers: sum(await Promise.all(holders.map((one) => one.ask('cpu')))),
    });

    const figures = {};
    for (const each of EACH_TURN) {
      await run(amounts.warm, each);
      const rate = amounts.sample / (await run(amounts.sample, each));
      const count = Math.min(
        amounts.most,
        Math.max(amounts.sample, Math.round(rate * 1000 * amounts.seconds)),
      );
      const before = await cpu();
      const ms = await run(count, each);
      const after = await cpu();
      figures[`events-${each}`] = (count / ms) * 1000;
      figures[`emitter-cpu-${each}`] = (after.emitter - before.emitter) / count;
      figures[`subscriber-cpu-${each}`] = (after.subscribers - before.subscribers) / count / SUBSCRIBERS;
    }
    return figures;
  });
}

function sum(values) {
  return values.reduce((total, value) => total + value, 0);
}
