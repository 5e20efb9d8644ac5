import type { Peer } from '../../../src/index.ts';
import type { Simulation } from '../../../src/testing.ts';

/** How long until everybody agrees once the network works again, in virtual ms. */
const AGREE = 60_000;

/** Starts so many peers, each with what `program` does in it. */
export async function crowd(
  { peer }: Simulation,
  count: number,
  program: (self: Peer) => void = () => {},
): Promise<string[]> {
  const names = Array.from({ length: count }, (_, index) => `p${index}`);
  await Promise.all(names.map((name) => peer(name, program)));
  return names;
}

/** Joins and leaves alternate at every peer, and its live set is what they say. */
export function watchPairs(self: Peer): void {
  const there = new Set<string>();
  const fail = (what: string): never => {
    throw new Error(`${self.id} ${what}`);
  };
  self.peers.on('join', (other) => {
    if (there.has(other.id)) fail(`saw ${other.id} join twice`);
    there.add(other.id);
  });
  self.peers.on('leave', (other) => {
    if (!there.delete(other.id)) fail(`saw ${other.id} leave, and it was not there`);
  });
  setInterval(() => {
    const listed = [...self.peers].map(({ id }) => id).toSorted();
    const told = [...there].toSorted();
    if (listed.join() !== told.join()) fail(`lists ${listed.join()}, and was told ${told.join()}`);
  }, 1_000);
}

/** Ends all faults. Then every peer sees exactly the others that are alive. */
export async function agree(simulation: Simulation, names: readonly string[]): Promise<Peer[]> {
  const { heal, eventually, peer } = simulation;
  heal();
  const living: Peer[] = [];
  for (const name of names) {
    const found = await peer(name).catch(() => undefined);
    if (found) living.push(found);
  }
  await eventually(() => {
    for (const self of living) {
      const seen = [...self.peers].map(({ id }) => id).toSorted();
      const there = living.flatMap(({ id }) => (id === self.id ? [] : [id])).toSorted();
      if (seen.join() !== there.join())
        throw new Error(`${self.id} sees ${seen.join(' ')}; there are ${there.join(' ')}`);
    }
  }, AGREE);
  return living;
}

/** Peers come and go, and their functions change. */
export const presenceStory =
  (count: number, time: number) =>
  async (simulation: Simulation): Promise<void> => {
    const names = await crowd(simulation, count, watchPairs);
    await simulation.sleep(time);
    const living = await agree(simulation, names);
    // What one connects now, everybody learns.
    const [first] = living;
    first!.connect('late', () => 'late');
    await simulation.eventually(() =>
      living.every((self) => self === first || self.peers.of({ has: 'late' }).size === 1),
    );
  };
