import type { RemotePeer } from '../../index.ts';
import { readableTag } from '../../base/tag.ts';
import { choosePeer } from './choose.ts';
import type { Context } from '../context.ts';
import { CliError, EXIT } from '../terminal/exit.ts';
import type { ExitCode } from '../terminal/exit.ts';
import { isAnswer } from '../terminal/failures.ts';
import { searchFor, withPeer } from '../observer.ts';
import type { Output } from '../terminal/output.ts';
import { safe } from '../terminal/text.ts';
import { readInfo } from './told-info.ts';
import type { Counters, ToldInfo } from './told-info.ts';
import { bytes, count, duration, milliseconds, percent } from '../terminal/units.ts';
import { messageOf } from '../../base/text.ts';

/** `app-net info <peer>`: shows what a peer tells about itself. */

/** How long it may take to answer, in ms. */
const ANSWER_TIME = 5_000;

/** Versions of the protocol that are shown; no peer speaks more. */
const MOST_VERSIONS = 8;

export function info({ out, signal }: Context, wanted: string): Promise<ExitCode> {
  return withPeer('info', async (own) => {
    const peer = await searchFor(own, undefined, signal, (found) => choosePeer(wanted, found));
    const answer = await peer.info({ deadline: ANSWER_TIME, signal }).catch((error: unknown) => {
      signal.throwIfAborted();
      const why = messageOf(error);
      if (isAnswer(error)) {
        out.message(`${safe(peer.name, 40)} does not tell about itself: ${safe(why, 300)}`);
        return undefined;
      }
      throw new CliError(EXIT.NOT_CALLED, why, 'the peer is connected but does not answer; it may hang');
    });
    showInfo(out, peer, answer);
    return EXIT.DONE;
  });
}

/** @param answer its answer, which may be anything, and undefined if it does not tell. The identity of the peer is proved already. */
export function showInfo(out: Output, peer: RemotePeer, answer: unknown): void {
  const told = readInfo(answer);
  const functions = (told.functions ?? peer.functions).map((tag) => readableTag(tag));
  if (out.json) {
    const { id, name, group, hub, pid, host, scope } = peer;
    out.data({ ...{ id, name, group, hub, pid, host, scope }, ...told, functions });
    return;
  }
  for (const [name, value] of facts(peer, told)) {
    out.line(`${out.colors.dim(name)}${' '.repeat(13 - name.length)}${safe(value)}`);
  }
  out.line(functions.length === 0 ? `${out.colors.dim('functions')}    none` : out.colors.dim('functions'));
  const work = new Map(told.work.map((each) => [readableTag(each.tag), workText(each)]));
  for (const each of functions) {
    const doing = work.get(each);
    out.line(`  ${safe(each)}${doing === undefined ? '' : `  ${out.colors.dim(doing)}`}`);
  }
}

/** The present work of a function whose calls are limited, or run in threads. */
function workText({ running, waiting, threads }: ToldInfo['work'][number]): string {
  const where = threads > 0 ? ` in ${count(threads, 'thread')}` : '';
  return `${running} running, ${waiting} waiting${where}`;
}

function facts(peer: RemotePeer, { versions, counters, loop, ...told }: ToldInfo): [string, string][] {
  const { caller, dispatcher } = counters;
  const protocol = versions.protocol.slice(0, MOST_VERSIONS).join(', ');
  const underWay = sum(caller['pending'], caller['waiting']);
  return [
    ['name', peer.name],
    ['id', peer.id],
    ['group', peer.group + (peer.hub ? ', a hub' : '')],
    ['process', `${peer.pid} of ${safe(told.user ?? UNKNOWN, 40)} on ${peer.host}`],
    [
      'versions',
      `app-net ${safe(versions['app-net'] ?? UNKNOWN, 40)}, Node ${safe(versions.node ?? UNKNOWN, 40)}, protocol ${protocol || UNKNOWN}`,
    ],
    ['uptime', known(told.uptime, duration)],
    ['connected to', known(told.peers, (peers) => count(peers, 'peer'))],
    ['answered', answered(dispatcher)],
    ['made', `${calls(caller)}, ${known(underWay, String)} under way`],
    ['event loop', `${known(loop.lag, milliseconds)} late, ${known(loop.utilization, percent)} busy`],
    ['memory', known(told.memory, bytes)],
  ];
}

function answered(dispatcher: Counters): string {
  const waiting = dispatcher['waiting'] ? `, ${dispatcher['waiting']} waiting` : '';
  return `${calls(dispatcher)}, ${known(dispatcher['running'], String)} running${waiting}`;
}

/** Stands for facts that a peer does not tell, or tells in an invalid form. */
const UNKNOWN = '–';

function known(value: number | null | undefined, say: (value: number) => string): string {
  return value === null || value === undefined ? UNKNOWN : say(value);
}

function calls({ settled }: Counters): string {
  return known(settled, (number) => count(number, 'call'));
}

function sum(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a + b;
}
