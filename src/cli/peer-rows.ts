import { hostname } from 'node:os';

import type { RemotePeer } from '../index.ts';
import { readableTag } from '../tag.ts';
import { cut, safe } from './output.ts';
import type { Colors } from './output.ts';
import { table } from './table.ts';
import { duration, microseconds, milliseconds } from './units.ts';

/** What `peers` shows of a peer, as a line of JSON and as a row of the table. */

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
    answers.roundTrip = await shortest(peer, options);
    const info = await peer.info(options);
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

export function peerTable(
  rows: readonly { peer: RemotePeer; answers: Answers | undefined }[],
  colors: Colors,
  columns: number,
): string {
  const plain = rows.map(({ peer, answers }) => ({
    name: safe(peer.name, 40) + (peer.hub ? ' (hub)' : ''),
    group: safe(peer.group, 20),
    where: where(peer),
    roundTrip: answers?.roundTrip === undefined ? '–' : milliseconds(answers.roundTrip),
    uptime: answers?.uptime === undefined ? '–' : duration(answers.uptime + performance.now() - answers.at),
    functions: peer.functions.map((tag) => shortName(tag)),
  }));
  const widest = (key: 'name' | 'group' | 'where', title: string): number =>
    Math.max(title.length, ...plain.map((row) => row[key].length));
  const taken = widest('name', 'NAME') + widest('group', 'GROUP') + widest('where', 'WHERE') + 9 + 12 + 5 * 2;
  const left = Math.max(20, columns - taken);
  return table(
    ['NAME', 'GROUP', 'WHERE', 'ROUND TRIP', 'UPTIME', 'FUNCTIONS'].map((title) => colors.dim(title)),
    plain.map((row) => [
      colors.bold(row.name),
      row.group,
      row.where,
      row.roundTrip,
      row.uptime,
      colors.cyan(fewer(row.functions, left)),
    ]),
  );
}

export function where({ scope, host, pid }: RemotePeer): string {
  return scope === 'host' && host === hostname() ? `process ${pid}` : `${safe(host, 30)}, process ${pid}`;
}

/** The end of a readable tag: `math.multiply` for `my-app/math.multiply`. */
function shortName(tag: string): string {
  return safe(readableTag(tag).replace(/^.*\//, ''));
}

/** As many names as there is room for, and how many are left out. */
function fewer(names: readonly string[], width: number): string {
  for (let shown = names.length; shown > 0; shown -= 1) {
    const rest = names.length - shown;
    const text = names.slice(0, shown).join(', ') + (rest > 0 ? ` +${rest}` : '');
    if (text.length <= width || shown === 1) return cut(text, width);
  }
  return '–';
}
