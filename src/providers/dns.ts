import { promises as dns } from 'node:dns';

import type { Clock } from '../base/time/clock.ts';
import { unawaited } from '../base/unforeseen.ts';
import { addressText, isAmong } from '../transport/address.ts';
import type { Address } from '../transport/address.ts';
import { hintAt, keyOf } from './hint.ts';
import type { Provider, ProviderListener } from './provider.ts';
import type { Hint } from './hint.ts';
import type { Seed } from './seed.ts';

/** Time between two queries for one name, in ms: randomly 0.5 to 1.5 times this, so that peers do not ask in step. */
const POLL = 10_000;

/** A name is queried again within this time after a failed dial, in ms: the peer may have moved. */
const SOON = 1_000;

/** Addresses of one name, at most. */
const MOST_ADDRESSES = 1_000;

/** Limits of one query; `timeout` is in ms and for one try. They are short because a running query keeps the process alive. */
const PATIENCE = { timeout: 1_000, tries: 2 };

export type NameSeed = Exclude<Seed, { kind: 'address' }>;

/** The part of `node:dns` that this file needs. */
export interface Names {
  resolve4: (name: string) => Promise<string[]>;
  resolve6: (name: string) => Promise<string[]>;
  resolveSrv: (name: string) => Promise<{ name: string; port: number }[]>;
  /** The look-up of the system, with its hosts file and its search domains. */
  lookup: (name: string) => Promise<string[]>;
  /** Cancels all running queries. */
  cancel: () => void;
}

/**
 * Finds peers by names in the DNS. An address that disappears from the DNS is no longer dialled, but connected peers stay
 * connected. A server that does not answer changes nothing.
 */
export class DnsProvider implements Provider {
  readonly name = 'dns';
  readonly #watches: Watch[];
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #names: Names;
  readonly #told = new Map<string, Hint>();
  #listener: ProviderListener | undefined;

  /** @param random from 0 to 1 @param names default: the DNS servers that the system uses */
  constructor(seeds: readonly NameSeed[], clock: Clock, random: () => number, names: Names = systemNames()) {
    this.#watches = seeds.map((seed) => ({ seed, found: [], error: undefined, timer: undefined, due: 0 }));
    this.#clock = clock;
    this.#random = random;
    this.#names = names;
  }

  async start(_: unknown, listener: ProviderListener): Promise<void> {
    this.#listener = listener;
    await Promise.all(this.#watches.map((watch) => this.#ask(watch)));
    this.#listener?.scanned();
  }

  failed(hint: Hint): void {
    const key = keyOf(hint);
    for (const watch of this.#watches) {
      if (!watch.found.some((address) => addressText(address) === key)) continue;
      const wait = this.#random() * SOON;
      if (watch.timer !== undefined && this.#clock.now() + wait < watch.due) this.#schedule(watch, wait);
    }
  }

  stop(): Promise<void> {
    this.stopNow();
    return Promise.resolve();
  }

  stopNow(): void {
    this.#listener = undefined;
    for (const { timer } of this.#watches) this.#clock.clearTimeout(timer);
    this.#names.cancel();
  }

  async #ask(watch: Watch): Promise<void> {
    watch.timer = undefined;
    const { seed } = watch;
    const answer = await (seed.kind === 'services' ? this.#services(seed) : this.#addresses(seed));
    const { found, error } = answer;
    // An absent or partial answer does not prove that an address is gone, so keep the old ones.
    const all = answer.whole ? found : [...found, ...watch.found.filter((each) => !isAmong(found, each))];
    watch.found = all.slice(0, MOST_ADDRESSES);
    watch.error = error;
    if (!this.#listener) return;
    this.#tell(this.#listener);
    this.#schedule(watch, POLL * (0.5 + this.#random()));
  }

  #schedule(watch: Watch, wait: number): void {
    this.#clock.clearTimeout(watch.timer);
    watch.due = this.#clock.now() + wait;
    watch.timer = this.#clock.setTimeout(() => unawaited('in the DNS', this.#ask(watch)), wait);
  }

  /** Tells the listener what has changed. Two names may have the same address. */
  #tell(listener: ProviderListener): void {
    const all = this.#watches.flatMap(({ found }) => found);
    const now = new Map(all.map((address) => [addressText(address), address]));
    for (const key of this.#told.keys()) {
      if (now.has(key)) continue;
      this.#told.delete(key);
      listener.lost(key, '');
    }
    for (const [key, address] of now) {
      if (this.#told.has(key)) continue;
      // Anybody may have sent it: answers of the DNS are not signed.
      const hint = { ...hintAt(address), isAnybodys: true };
      this.#told.set(key, hint);
      listener.found(hint);
    }
    const errors = this.#watches.flatMap(({ error }) => (error ? [error] : []));
    listener.degraded(
      errors[0] && new Error(errors.map(({ message }) => message).join('; '), { cause: errors[0] }),
    );
  }

  async #services({ name }: { name: string }): Promise<Answer> {
    try {
      const records = await this.#names.resolveSrv(name);
      // The root as a target means that this service does not exist (RFC 2782).
      const meant = records.filter((record) => record.name !== '' && record.name !== '.' && record.port > 0);
      // Targets stay names, and each dial looks them up anew.
      const found = meant.map((record) => ({ host: record.name.toLowerCase(), port: record.port }));
      return { found, whole: true, error: undefined };
    } catch (error) {
      return { found: [], whole: isAbsence(error), error: explain(name, error) };
    }
  }

  async #addresses({ name, port }: { name: string; port: number }): Promise<Answer> {
    const questions = [this.#names.resolve4(name), this.#names.resolve6(name)];
    const answers = await Promise.allSettled(questions);
    const found = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
    const errors = answers.flatMap((answer) =>
      answer.status === 'rejected' ? [answer.reason as unknown] : [],
    );
    const failure = errors.find((error) => !isAbsence(error));
    if (failure !== undefined || found.length > 0) {
      const error = failure === undefined ? undefined : explain(name, failure);
      return { found: found.map((host) => ({ host, port })), whole: failure === undefined, error };
    }
    // The name may be in the hosts file, or need the search domains of the system.
    try {
      const hosts = await this.#names.lookup(name);
      return { found: hosts.map((host) => ({ host, port })), whole: true, error: undefined };
    } catch (error) {
      return { found: [], whole: isAbsence(error), error: explain(name, error) };
    }
  }
}

interface Answer {
  found: Address[];
  /** Whether the answer is complete: an address that is missing in it is gone. */
  whole: boolean;
  error: Error | undefined;
}

interface Watch {
  readonly seed: NameSeed;
  found: readonly Address[];
  error: Error | undefined;
  /** Undefined while a query is running. */
  timer: unknown;
  /** When the name is queried again, on the clock. */
  due: number;
}

/** Whether the server has answered that there is no such name or record. */
function isAbsence(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === dns.NOTFOUND || code === dns.NODATA;
}

function explain(name: string, cause: unknown): Error {
  const { code, message } = cause as NodeJS.ErrnoException;
  return new Error(`${name}: ${isAbsence(cause) ? 'the DNS has no such name' : (code ?? message)}`, {
    cause,
  });
}

function systemNames(): Names {
  const resolver = new dns.Resolver(PATIENCE);
  return {
    resolve4: (name) => resolver.resolve4(name),
    resolve6: (name) => resolver.resolve6(name),
    resolveSrv: (name) => resolver.resolveSrv(name),
    lookup: async (name) => (await dns.lookup(name, { all: true })).map(({ address }) => address),
    cancel: () => resolver.cancel(),
  };
}
