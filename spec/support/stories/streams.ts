import { NetError } from '../../../src/index.ts';
import type { Peer } from '../../../src/index.ts';
import type { Simulation } from '../../../src/testing.ts';
import { agree, crowd } from './presence.ts';

type Count = (to: number) => AsyncGenerator<number, string>;
type Sum = (numbers: AsyncIterable<number>) => Promise<number>;

/** One stream, from its beginning to its end. */
interface Begun {
  /** The process that reads or gives it. */
  readonly self: Peer;
  readonly at: number;
  end: 'whole' | 'broken' | undefined;
}

/** How long the reader of a stream waits for a value, and how long the longest stream takes, in ms. */
const SILENCE = 10_000;
const LONGEST = 12_000;

async function* count(to: number, random: () => number): AsyncGenerator<number, string> {
  for (let number = 1; number <= to; number += 1) {
    if (random() < 0.3) await new Promise((resolve) => setTimeout(resolve, random() * 100));
    yield number;
  }
  return `counted to ${to}`;
}

/** Reads one stream to its end. A stream has all of its values in order, or it fails. */
async function read(self: Peer, to: number): Promise<'whole' | 'broken'> {
  const stream = self.remote<Count>('count').any({}, { deadline: SILENCE })(to);
  let last = 0;
  try {
    for (;;) {
      const { value, done } = await stream.next();
      if (done) {
        if (value !== `counted to ${to}`) throw new Error(`a stream ended with ${value}`);
        if (last !== to) throw new Error(`a stream of ${to} values ended after ${last}`);
        return 'whole';
      }
      if (value !== last + 1) throw new Error(`value ${String(value)} of a stream came after ${last}`);
      last = value;
    }
  } catch (error) {
    if (!(error instanceof NetError)) throw error;
    return 'broken';
  }
}

/** Gives a stream as an argument. The function gets all of it, or the call fails. */
async function give(self: Peer, to: number, random: () => number): Promise<'whole' | 'broken'> {
  try {
    const sum = await self.remote<Sum>('sum').any({}, { deadline: SILENCE })(count(to, random));
    if (sum !== (to * (to + 1)) / 2) throw new Error(`the sum of a stream of ${to} values was ${sum}`);
    return 'whole';
  } catch (error) {
    if (!(error instanceof NetError)) throw error;
    return 'broken';
  }
}

function streamer(self: Peer, random: () => number, all: Begun[]): void {
  self.connect('count', (to: number) => count(to, random));
  self.connect('sum', async (numbers: AsyncIterable<number>) => {
    let [sum, last] = [0, 0];
    for await (const number of numbers) {
      if (number !== last + 1) throw new Error(`value ${number} of an argument came after ${last}`);
      last = number;
      sum += number;
    }
    return sum;
  });
  const next = (): void => {
    const to = Math.floor(random() * 100);
    const begun: Begun = { self, at: performance.now(), end: undefined };
    all.push(begun);
    const how = random() < 0.5 ? read(self, to) : give(self, to, random);
    how.then(
      (end) => (begun.end = end),
      (error: unknown) =>
        setTimeout(() => {
          throw error;
        }),
    );
    setTimeout(next, random() * 400);
  };
  setTimeout(next, 1);
}

/** Streams of both directions through faults. */
export const streamsStory =
  (size: number, time: number) =>
  async (simulation: Simulation): Promise<void> => {
    const { sleep, random } = simulation;
    const all: Begun[] = [];
    const names = await crowd(simulation, size, (self) => streamer(self, random, all));
    await sleep(time);
    const living = new Set(await agree(simulation, names));
    // One alone has nobody to read from.
    if (living.size < 2) return;
    const before = all.length;
    await sleep(2_000);
    const during = all.slice(before);
    await sleep(LONGEST + SILENCE);
    for (const { self, at, end } of all.slice(0, before + during.length)) {
      if (end === undefined && living.has(self))
        throw new Error(`a stream of ${self.id} that began at ${(at / 1_000).toFixed(3)} s has not ended`);
    }
    const broken = during.filter(({ end }) => end === 'broken').length;
    if (broken > 0) throw new Error(`${broken} streams broke although the network works again`);
  };
