import { NetError } from '../base/errors.ts';
import type { Call } from '../calls/caller/call.ts';
import { failWithNetError } from '../calls/caller/call-failure.ts';
import type { Peer } from '../peer/peer.ts';
import type { PeerSource } from '../presence/set/view.ts';
import { places } from './virtual/place.ts';

/**
 * What the story itself waits for through a peer: calls, searches, subscriptions. It fails when the process of the peer is killed, and
 * at once from then on, since nothing of that process happens any more. What the process waits for is never heard of again.
 */
export class StoryWaits {
  #calls: Call[] = [];
  readonly #subscribed = new Set<(error: Error) => void>();
  #killed: NetError | undefined;
  #kill!: (error: NetError) => void;
  readonly #death = new Promise<never>((_, reject) => (this.#kill = reject));

  constructor(peer: Peer) {
    this.#death.catch(() => {});
    this.#watchCalls(peer.actor.system.get('caller') as { send(message: Call): void });
    this.#watchSet(peer.events.source);
  }

  /** @param name of the peer whose process was killed */
  fail(name: string): void {
    const message = `the process of ${name} was killed`;
    this.#killed = new NetError('STOPPED', message, { ran: 'no' });
    this.#kill(this.#killed);
    for (const call of this.#calls.splice(0)) {
      if (!call.settled) failWithNetError(call, 'STOPPED', message, { ran: 'unknown' });
    }
    for (const ended of [...this.#subscribed]) ended(this.#killed);
    this.#subscribed.clear();
  }

  #watchCalls(caller: { send(message: Call): void }): void {
    const send = caller.send.bind(caller);
    caller.send = (message) => {
      if (message.type !== 'call.send' || !isStory()) send(message);
      else if (this.#killed) failWithNetError(message, 'STOPPED', this.#killed.message, { ran: 'no' });
      else {
        this.#keep(message);
        send(message);
      }
    };
  }

  /** Everything else that waits for other peers does so by this set. */
  #watchSet(set: PeerSource): void {
    const subscribe = set.subscribe.bind(set);
    const settled = set.settled.bind(set);
    const subscribeFromStory: PeerSource['subscribe'] = (listener, ended) => {
      const killed = this.#killed;
      if (killed) {
        queueMicrotask(() => ended(killed));
        return () => {};
      }
      const unsubscribe = subscribe(listener, ended);
      this.#subscribed.add(ended);
      return () => {
        this.#subscribed.delete(ended);
        unsubscribe();
      };
    };
    Object.assign(set, {
      subscribe: (...given: Parameters<PeerSource['subscribe']>) =>
        isStory() ? subscribeFromStory(...given) : subscribe(...given),
      settled: () => (isStory() ? Promise.race([settled(), this.#death]) : settled()),
    });
  }

  #keep(call: Call): void {
    if (this.#calls.length >= 1_000) this.#calls = this.#calls.filter(({ settled }) => !settled);
    this.#calls.push(call);
  }
}

function isStory(): boolean {
  return places.getStore()?.name === '';
}
