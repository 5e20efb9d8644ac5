import { hostname } from 'node:os';

import type { RemotePeer } from '../../index.ts';
import { readableTag } from '../../base/tag.ts';
import { safe } from '../terminal/text.ts';
import { readInfo } from './told-info.ts';
import { microseconds } from '../terminal/units.ts';

/** What `peers` asks of a peer, and what it says of it in a line of JSON. */

/** How long a peer may take to answer before it is shown without, in ms. */
const ANSWER_TIME = 1_000;

/** Pings of which the shortest is shown: the first one has to wake up both processes. */
const PINGS = 3;

/** What a peer says when it is asked; undefined what it did not answer. */
export interface Answers {
  /** The shortest way there and back, in ms. */
  roundTrip: number | undefined;
  /** In ms, at the time `at`. */
  uptime: number | undefined;
  /** Of the library, there. */
  version: string | undefined;
  /** When it answered, on this process' clock, in ms. */
  at: number;
}

type Limits = { deadline: number; signal: AbortSignal };

/**
 * Asks each of them. The round trips come first, while nothing else is done: what else this process does would be in
 * them. `meanwhile` has the 20 ms that a peer then takes to find out how it is.
 */
export async function askAll(
  peers: readonly RemotePeer[],
  signal: AbortSignal,
  meanwhile: () => Promise<unknown> = () => Promise.resolve(),
): Promise<Answers[]> {
  const limits = { deadline: ANSWER_TIME, signal };
  const roundTrips = await Promise.all(peers.map((peer) => shortest(peer, limits)));
  const infos = peers.map((peer, index) =>
    roundTrips[index] === undefined ? undefined : peer.info(limits).catch(nothing),
  );
  await meanwhile();
  return Promise.all(
    infos.map(async (asked, index) => {
      const { uptime, versions } = readInfo(await asked);
      const at = performance.now();
      const version = versions['app-net'] ?? undefined;
      return { roundTrip: roundTrips[index], uptime: uptime ?? undefined, version, at };
    }),
  );
}

/** Undefined for one that hangs, has just left, or is a client in another language that knows only its own functions. */
async function shortest(peer: RemotePeer, limits: Limits): Promise<number | undefined> {
  let best = Infinity;
  try {
    for (let ping = 0; ping < PINGS; ping += 1) best = Math.min(best, await peer.ping(limits));
    return best;
  } catch {
    return undefined;
  }
}

function nothing(): undefined {}

export function peerData(peer: RemotePeer, answers?: Answers): Record<string, unknown> {
  const { id, name, group, hub, pid, host, scope } = peer;
  return {
    ...{ id, name, group, hub, pid, host, scope },
    functions: peer.functions.map((tag) => readableTag(tag)),
    ...(answers && {
      roundTrip: answers.roundTrip === undefined ? null : microseconds(answers.roundTrip),
      uptime: answers.uptime ?? null,
      version: answers.version ?? null,
    }),
  };
}

export function where({ scope, host, pid }: RemotePeer): string {
  return scope === 'host' && host === hostname() ? `process ${pid}` : `${safe(host, 30)}, process ${pid}`;
}
