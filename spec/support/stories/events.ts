import type { Peer } from '../../../src/index.ts';
import type { Simulation } from '../../../src/testing.ts';
import { agree, crowd } from './presence.ts';

interface Note {
  /** The life of the emitter. */
  readonly life: string;
  readonly number: number;
}

/** What one process has got of one emitter. */
interface Seen {
  life: string;
  number: number;
  /** Gaps that were told since. */
  told: number;
  unknown: boolean;
}

/** Counts what one process gets, and holds it against the promises about events. */
function listen(self: Peer): Map<string, Seen> {
  const seen = new Map<string, Seen>();
  const event = self.event<Note>('note');
  const onGap = ({ missed }: { missed: number | undefined }, { id }: { id: string }): void => {
    const last = seen.get(id);
    if (!last) return;
    if (missed === undefined) last.unknown = true;
    else last.told += missed;
  };
  event.subscribe(
    ({ life, number }, { peer }) => {
      const last = seen.get(peer.id);
      const what = `${self.id} got event ${number} of ${life}`;
      if (last?.life === life) {
        if (number <= last.number) throw new Error(`${what} after event ${last.number}`);
        const missed = number - last.number - 1;
        if (missed > last.told && !last.unknown)
          throw new Error(`${what} after event ${last.number}, and was told of ${last.told} that it missed`);
      }
      seen.set(peer.id, { life, number, told: 0, unknown: false });
    },
    { onGap },
  );
  return seen;
}

/** How long until an event of everybody has arrived everywhere, in virtual ms. */
const SOON = 15_000;

/** Everybody emits, and everybody listens. */
export const eventsStory =
  (count: number, time: number) =>
  async (simulation: Simulation): Promise<void> => {
    const { sleep, random, eventually } = simulation;
    const all = new Map<Peer, { seen: Map<string, Seen>; last: () => Note }>();
    let lives = 0;
    const names = await crowd(simulation, count, (self) => {
      lives += 1;
      const life = `${self.id}/${lives}`;
      let number = 0;
      const event = self.event<Note>('note');
      const emit = (): void => {
        number += 1;
        event.emit({ life, number });
        setTimeout(emit, random() * 100);
      };
      setTimeout(emit, 1);
      all.set(self, { seen: listen(self), last: () => ({ life, number }) });
    });
    await sleep(time);
    const living = await agree(simulation, names);
    const marks = new Map(living.map((self) => [self.id, all.get(self)!.last()]));
    // Everybody gets what everybody emits from now on.
    await eventually(() => {
      for (const self of living) {
        const { seen } = all.get(self)!;
        for (const [id, { life, number }] of marks) {
          const last = seen.get(id);
          if (id !== self.id && !(last?.life === life && last.number > number))
            throw new Error(
              `${self.id} has event ${last?.number} of ${last?.life}, not ${number} of ${life}`,
            );
        }
      }
    }, SOON);
  };
