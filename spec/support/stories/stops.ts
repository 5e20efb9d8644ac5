import { NetError } from '../../../src/index.ts';
import type { Peer } from '../../../src/index.ts';
import type { Simulation } from '../../../src/testing.ts';

/** Of each call, in ms: more than all that holds messages up. */
const DEADLINE = 20_000;

/** Calls that one caller makes at a time. */
const LOOPS = 6;

/** The longest time that messages of two processes are held up, in ms. A peer that stops waits a second for the other side. */
const LONGEST_STALL = 1_500;

type Work = (call: string) => Promise<string>;

function work(self: Peer, ran: Map<string, number>, random: () => number): void {
  const run: Work = (name) => {
    ran.set(name, (ran.get(name) ?? 0) + 1);
    return new Promise((resolve) => setTimeout(() => resolve(name), random() * 40));
  };
  self.connect('work', run);
  self.connect('work.twice', (name: string) => run(name), { idempotent: true });
}

/** Calls until it is `over`. Every call succeeds: a worker that stops answers it or refuses it, and then another one takes it. */
async function call(
  self: Peer,
  ran: ReadonlyMap<string, number>,
  isOver: () => boolean,
  random: () => number,
): Promise<void> {
  const plain = self.remote<Work>('work');
  const twice = self.remote<Work>('work.twice', { idempotent: true });
  const loop = async (_: unknown, index: number): Promise<void> => {
    for (let count = 0; !isOver(); count += 1) {
      const name = `call ${count} of loop ${index} in ${self.id}`;
      const called = random() < 0.3 ? twice : plain;
      try {
        const value = await called.any({}, { wait: true, deadline: DEADLINE })(name);
        if (value !== name) throw new Error(`${name} came back as ${value}`);
      } catch (error) {
        if (!(error instanceof NetError)) throw error;
        const text = `${name} failed with ${error.code}, ran ${error.ran}: ${error.message}`;
        throw new Error(text, { cause: error });
      }
      if (called === plain && ran.get(name) !== 1) throw new Error(`${name} ran ${ran.get(name)} times`);
    }
  };
  await Promise.all(Array.from({ length: LOOPS }, loop));
  await self.stop();
}

/**
 * Workers are replaced one after the other, as in a rolling restart, and callers begin just then. No call may fail, and none may run
 * twice.
 */
export const stopsStory =
  (workers: number, time: number) =>
  async ({ peer, random, sleep, stall, delay, freeze, now }: Simulation): Promise<void> => {
    let names = 0;
    const ran = new Map<string, number>();
    const start = (): Promise<Peer> => peer(`worker-${(names += 1)}`, (self) => work(self, ran, random));
    const all = await Promise.all(Array.from({ length: workers }, start));
    const begin = async (): Promise<void> => {
      const name = `caller-${(names += 1)}`;
      const end = now() + 200 + random() * 500;
      const self = await peer(name);
      for (const { id } of all) {
        const [fate, long] = [random(), random() * LONGEST_STALL];
        if (fate < 0.05) stall(name, id, long);
        else if (fate < 0.15) delay(name, id, random() * 100, long);
      }
      if (random() < 0.05) freeze(name, random() * LONGEST_STALL);
      await call(self, ran, () => now() > end, random);
    };
    const callers: Promise<void>[] = [];
    while (now() < time) {
      callers.push(begin());
      await sleep(random() * 250);
      all.push(await start());
      callers.push(begin());
      await sleep(random() * 300);
      await all.shift()!.stop();
    }
    await Promise.all(callers);
  };
