import { hostname } from 'node:os';

import type { RemotePeer } from '../../index.ts';
import { readableTag } from '../../base/tag.ts';
import { isAnswer } from '../terminal/failures.ts';
import { safe } from '../terminal/text.ts';
import { readInfo } from './told-info.ts';
import { microseconds } from '../terminal/units.ts';

/** The questions that `peers` asks a peer, and its line of JSON. */

/** How long a peer may take to answer before it is shown without its answers, in ms. */
const ANSWER_TIME = 1_000;

/** Number of pings; the shortest is shown, because the first one has to wake up both processes. */
const PINGS = 3;

/** The answers of a peer; undefined for each that it did not give. */
export interface Answers {
  /** The shortest round trip, in ms. */
  roundTrip: number | undefined;
  /** In ms, at the time `at`. */
  uptime: number | undefined;
  /** The version of the library there. */
  version: string | undefined;
  /** When it answered, on the clock of this process, in ms. */
  at: number;
}

type Limits = { deadline: number; signal: AbortSignal };

/** What peers say about themselves, each asked only once. */
export class Infos {
  readonly #limits: Limits;
  readonly #asked = new Map<RemotePeer, Promise<unknown>>();

  constructor(signal: AbortSignal) {
    this.#limits = { deadline: ANSWER_TIME, signal };
  }

  /** Undefined for a peer that does not answer. It takes a peer 20 ms to measure its state. */
  of(peer: RemotePeer): Promise<unknown> {
    let asked = this.#asked.get(peer);
    if (!asked) this.#asked.set(peer, (asked = peer.info(this.#limits).catch(nothing)));
    return asked;
  }
}

/**
 * Asks each of them. The round trips come first, while this process does little else, because any other work would
 * show up in them. `meanwhile` runs while peers measure their state.
 * @param infos may have been asked already
 */
export async function askAll(
  peers: readonly RemotePeer[],
  signal: AbortSignal,
  infos = new Infos(signal),
  meanwhile: () => Promise<unknown> = () => Promise.resolve(),
): Promise<Answers[]> {
  const limits = { deadline: ANSWER_TIME, signal };
  const roundTrips = await Promise.all(peers.map((peer) => shortest(peer, limits)));
  const asked = peers.map((peer, index) => (roundTrips[index] === undefined ? undefined : infos.of(peer)));
  await meanwhile();
  return Promise.all(
    asked.map(async (answer, index) => {
      const { uptime, versions } = readInfo(await answer);
      const at = performance.now();
      const version = versions['app-net'] ?? undefined;
      return { roundTrip: roundTrips[index], uptime: uptime ?? undefined, version, at };
    }),
  );
}

/**
 * How long a call takes there and back, in ms. An answer is one, too, if the peer has no `net.ping`, or does not allow it.
 * @throws NetError when no answer comes
 */
export async function roundTrip(peer: RemotePeer, limits: Limits): Promise<number> {
  const start = performance.now();
  try {
    return await peer.ping(limits);
  } catch (error) {
    if (limits.signal.aborted || !isAnswer(error)) throw error;
    return performance.now() - start;
  }
}

/** Undefined for a peer that hangs, or has just left. */
async function shortest(peer: RemotePeer, limits: Limits): Promise<number | undefined> {
  let best = Infinity;
  try {
    for (let ping = 0; ping < PINGS; ping += 1) best = Math.min(best, await roundTrip(peer, limits));
    return best;
  } catch {
    return undefined;
  }
}

function nothing(): undefined {}

export function peerData(peer: RemotePeer, answers?: Answers): Record<string, unknown> {
  const { id, name, group, hub, pid, host, scope, network } = peer;
  return {
    ...{ id, name, group, hub, pid, host, scope, network },
    functions: peer.functions.map((tag) => readableTag(tag)),
    ...(answers && {
      roundTrip: answers.roundTrip === undefined ? null : microseconds(answers.roundTrip),
      uptime: answers.uptime ?? null,
      version: answers.version ?? null,
    }),
  };
}

export function where({ scope, host, pid, network }: RemotePeer): string {
  const way = network === 'nats' ? ', by NATS' : '';
  const place = scope === 'host' && host === hostname() ? '' : `${safe(host, 30)}, `;
  return `${place}process ${pid}${way}`;
}
