import { setTimeout as wait } from 'node:timers/promises';

import type { RemotePeer } from '../../index.ts';
import { roundTrip } from './peer-rows.ts';
import { choosePeer } from './choose.ts';
import type { Context } from '../context.ts';
import { EXIT } from '../terminal/exit.ts';
import type { ExitCode } from '../terminal/exit.ts';
import { searchFor, withPeer } from '../observer.ts';
import { safe } from '../terminal/text.ts';
import { microseconds, milliseconds } from '../terminal/units.ts';
import { messageOf } from '../../base/text.ts';

/** `app-net ping [peer]`: measures how long a call takes, again and again, with statistics at the end. */

export interface PingOptions {
  group?: string;
  /** Number of rounds; endless if undefined. */
  count?: number;
  /** Time between two rounds, in ms. */
  interval: number;
  /** Time that one answer may take, in ms. */
  deadline: number;
}

interface Statistics {
  readonly peer: RemotePeer;
  readonly times: number[];
  sent: number;
}

export function ping(context: Context, wanted: string | undefined, options: PingOptions): Promise<ExitCode> {
  const { out, signal } = context;
  return withPeer('ping', async (own) => {
    const peers = await searchFor(own, options.group, signal, (found) =>
      wanted === undefined ? found : [choosePeer(wanted, found)],
    );
    const all = peers.map((peer): Statistics => ({ peer, times: [], sent: 0 }));
    for (let round = 1; !signal.aborted && round <= (options.count ?? Infinity); round += 1) {
      if (round > 1) await wait(options.interval, undefined, { signal }).catch(() => {});
      if (!signal.aborted)
        await Promise.all(all.map((each) => pingOnce(context, each, round, options.deadline)));
    }
    if (!out.json && !signal.aborted) out.line();
    for (const each of all) {
      if (out.json) out.data(summary(each));
      else for (const line of summaryLines(each)) out.line(line);
    }
    return all.every(({ times, sent }) => times.length === sent) ? EXIT.DONE : EXIT.FAILED;
  });
}

async function pingOnce(
  { out, signal }: Context,
  statistics: Statistics,
  round: number,
  deadline: number,
): Promise<void> {
  const { peer } = statistics;
  const name = { id: peer.id, name: peer.name };
  try {
    statistics.sent += 1;
    const time = await roundTrip(peer, { deadline, signal });
    statistics.times.push(time);
    if (out.json) out.data({ type: 'answer', peer: name, round, time: microseconds(time) });
    else out.line(`answer from ${safe(peer.name, 40)}: round ${round}, ${milliseconds(time)}`);
  } catch (error) {
    if (signal.aborted) {
      // The call was under way when Ctrl-C came: it is neither answered nor lost.
      statistics.sent -= 1;
      return;
    }
    const why = messageOf(error);
    if (out.json) out.data({ type: 'lost', peer: name, round, error: why });
    else
      out.line(
        `${out.colors.red('no answer')} from ${safe(peer.name, 40)}: round ${round}, ${safe(why, 300)}`,
      );
  }
}

function summary({ peer, times, sent }: Statistics): Record<string, unknown> {
  const known = times.length > 0 ? spread(times) : undefined;
  return {
    type: 'statistics',
    peer: { id: peer.id, name: peer.name },
    sent,
    answered: times.length,
    ...(known && {
      shortest: microseconds(known.shortest),
      median: microseconds(known.median),
      mean: microseconds(known.mean),
      longest: microseconds(known.longest),
    }),
  };
}

function summaryLines({ peer, times, sent }: Statistics): string[] {
  const lost = sent === 0 ? 0 : Math.round(((sent - times.length) / sent) * 100);
  const first = `--- ${safe(peer.name, 40)}: ${sent} sent, ${times.length} answered, ${lost}% lost`;
  if (times.length === 0) return [first];
  const { shortest, median, mean, longest } = spread(times);
  const figures = [shortest, median, mean, longest].map((time) => milliseconds(time)).join(' / ');
  return [first, `    shortest / median / mean / longest: ${figures}`];
}

function spread(times: readonly number[]) {
  const ordered = times.toSorted((a, b) => a - b);
  return {
    shortest: ordered[0]!,
    median: (ordered[(ordered.length - 1) >> 1]! + ordered[ordered.length >> 1]!) / 2,
    mean: times.reduce((sum, time) => sum + time, 0) / times.length,
    longest: ordered.at(-1)!,
  };
}
