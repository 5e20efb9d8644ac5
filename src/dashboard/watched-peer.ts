import type { PeerWatch, RemotePeer, WatchedFunction } from '../index.ts';
import { messageOf } from '../base/text.ts';
import type { FleetPeer } from './messages.ts';

/** How long nothing may come from a peer before it is called silent, in ms: two messages. */
const SILENCE = 500;

/** Before a peer that could not be watched is asked again, in ms. */
const AGAIN = 2_000;

/** How long a message may take, in ms. A peer that is present and silent for that long is asked anew. */
const DEADLINE = 20_000;

/** Messages that the rates are taken from. */
const RATED = 4;

const NONE = { ran: 0, made: 0, failed: 0 };

/** A peer that the observer watches, and the last that it told. */
export class WatchedPeer {
  readonly remote: RemotePeer;
  /** Its last message, with the parts that are not in each. */
  last: PeerWatch | undefined;
  readonly #abort = new AbortController();
  readonly #take: (message: PeerWatch) => void;
  #trouble: string | undefined;
  #heard = performance.now();
  #rates: { ran: number; made: number; failed: number }[] = [];

  /** @param take called with each of its messages */
  constructor(remote: RemotePeer, take: (message: PeerWatch) => void) {
    this.remote = remote;
    this.#take = take;
  }

  /** Reads what it tells until `stop` or its leave. Never rejects. */
  async follow(): Promise<void> {
    const { signal } = this.#abort;
    while (!signal.aborted) {
      try {
        for await (const message of this.remote.watch({ signal, deadline: DEADLINE })) this.#tell(message);
        this.#trouble = 'it ended the stream';
      } catch (error) {
        this.#trouble = messageOf(error);
      }
      if (!signal.aborted) await pause(AGAIN, signal);
    }
  }

  stop(): void {
    this.#abort.abort();
  }

  /** @param now when something could have arrived at the latest: this process may have been busy since */
  row(now: number): FleetPeer {
    const { id, name, group, hub, host, pid, functions } = this.remote;
    const quiet = Math.round(now - this.#heard);
    const state = this.#stateOf(now);
    const { ran, made, failed } = state === 'live' ? this.#sums() : NONE;
    return {
      ...{ id, name, group, hub, host, pid, version: this.last?.about?.version ?? '' },
      ...{ functions: functions.length, state, ran, made, failed },
      ...(state === 'silent' && { quiet: Math.floor(quiet / 250) * 250 }),
      ...(state === 'unseen' && this.#trouble !== undefined && { trouble: this.#trouble }),
      ...(this.last && { load: this.last.load }),
    };
  }

  /** Whether what it told last still holds. */
  isLive(now: number): boolean {
    return this.#stateOf(now) === 'live';
  }

  #stateOf(now: number): FleetPeer['state'] {
    if (this.#trouble !== undefined) return 'unseen';
    if (!this.last) return 'new';
    return now - this.#heard > SILENCE ? 'silent' : 'live';
  }

  #tell(message: PeerWatch): void {
    this.#heard = performance.now();
    this.#trouble = undefined;
    this.last = { ...this.last, ...message };
    this.#rates = [...this.#rates, ratesOf(message.functions)].slice(-RATED);
    this.#take(message);
  }

  #sums(): { ran: number; made: number; failed: number } {
    const sums = { ran: 0, made: 0, failed: 0 };
    for (const { ran, made, failed } of this.#rates) {
      sums.ran += ran;
      sums.made += made;
      sums.failed += failed;
    }
    return sums;
  }
}

function ratesOf(functions: readonly WatchedFunction[]): { ran: number; made: number; failed: number } {
  const rates = { ran: 0, made: 0, failed: 0 };
  for (const { side, ok, failed } of functions) {
    const failures = Object.values(failed).reduce((sum, count) => sum + count, 0);
    rates[side] += ok + failures;
    rates.failed += failures;
  }
  return rates;
}

function pause(time: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, time);
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    signal.addEventListener('abort', done);
  });
}
