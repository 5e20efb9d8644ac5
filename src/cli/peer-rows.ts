import { hostname } from 'node:os';

import type { RemotePeer } from '../index.ts';
import { readableTag } from '../tag.ts';
import { safe } from './output.ts';
import { microseconds } from './units.ts';

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

export async function ask(peer: RemotePeer, signal: AbortSignal): Promise<Answers> {
  const options = { deadline: ANSWER_TIME, signal };
  const answers: Answers = {
    roundTrip: undefined,
    uptime: undefined,
    version: undefined,
    at: performance.now(),
  };
  try {
    const [roundTrip, info] = await Promise.all([shortest(peer, options), peer.info(options)]);
    answers.roundTrip = roundTrip;
    answers.uptime = info.uptime;
    answers.version = info.versions['app-net'];
    answers.at = performance.now();
  } catch {
    // It hangs, or has just left, or is a client in another language that knows only its own functions.
  }
  return answers;
}

/** @throws NetError */
export async function shortest(
  peer: RemotePeer,
  options: { deadline: number; signal: AbortSignal },
): Promise<number> {
  let best = Infinity;
  for (let ping = 0; ping < PINGS; ping += 1) best = Math.min(best, await peer.ping(options));
  return best;
}

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
