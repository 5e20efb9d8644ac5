import type { Topics } from '../../events/topics.ts';
import type { PeerWatch } from '../../presence/set/peer-watch.ts';

const MOST_EVENTS = 100;
const MOST_PEERS = 20;
const MOST_QUEUES = 20;

/** Reads the events of a watched peer. */
export class WatchedTopics {
  readonly #topics: Topics;
  /** By name: the sequence that was read last. */
  #sequences = new Map<string, number>();

  constructor(topics: Topics) {
    this.#topics = topics;
  }

  read(): Required<Pick<PeerWatch, 'events' | 'queues'>> {
    const topics = this.#topics.watched(MOST_EVENTS);
    const events = topics.map(({ name, sequence, ids }) => {
      const emitted = sequence - (this.#sequences.get(name) ?? sequence);
      return { name, subscribers: ids.length, peers: ids.slice(0, MOST_PEERS), sequence, emitted };
    });
    this.#sequences = new Map(topics.map(({ name, sequence }) => [name, sequence]));
    const queues = this.#topics.queues(MOST_QUEUES).map(({ record, queue, dropping }) => {
      return { peer: record.id, name: record.name, events: queue.size, bytes: queue.bytes, dropping };
    });
    return { events, queues };
  }
}
