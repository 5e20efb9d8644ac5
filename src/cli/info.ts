import type { PeerInfo } from '../index.ts';
import { readableTag } from '../tag.ts';
import { choosePeer } from './choose.ts';
import type { Context } from './context.ts';
import { CliError, EXIT } from './exit.ts';
import type { ExitCode } from './exit.ts';
import { searchSomebody, withPeer } from './observer.ts';
import { safe } from './output.ts';
import { bytes, count, duration, milliseconds } from './units.ts';

/** `app-net info <peer>`: what a peer says about itself. */

/** How long it may take to answer, in ms. */
const ANSWER_TIME = 5_000;

export function info(context: Context, wanted: string): Promise<ExitCode> {
  const { out, signal } = context;
  return withPeer('info', async (own) => {
    const peer = choosePeer(wanted, await searchSomebody(own, undefined, signal));
    const told = await peer.info({ deadline: ANSWER_TIME, signal }).catch((error: unknown) => {
      signal.throwIfAborted();
      const why = error instanceof Error ? error.message : String(error);
      throw new CliError(EXIT.NOT_CALLED, why, 'it is connected and does not answer: it may hang');
    });
    if (out.json)
      out.data({ ...told, scope: peer.scope, functions: told.functions.map((tag) => readableTag(tag)) });
    else for (const line of lines(told, out.colors.dim)) out.line(line);
    return EXIT.DONE;
  });
}

function lines(told: PeerInfo, dim: (text: string) => string): string[] {
  const { caller, dispatcher } = told.counters;
  const facts: [string, string][] = [
    ['name', told.name],
    ['id', told.id],
    ['group', told.group + (told.hub ? ', a hub' : '')],
    ['process', `${told.pid} of ${told.user} on ${told.host}`],
    [
      'versions',
      `app-net ${told.versions['app-net']}, Node ${told.versions.node}, protocol ${told.versions.protocol.join(', ')}`,
    ],
    ['uptime', duration(told.uptime)],
    ['connected to', count(told.peers, 'peer')],
    ['answered', `${count(dispatcher.settled, 'call')}, ${dispatcher.running} running`],
    ['made', `${count(caller.settled, 'call')}, ${caller.pending + caller.waiting} under way`],
    ['event loop', `${milliseconds(told.loop.lag)} late, ${Math.round(told.loop.utilization * 100)}% busy`],
    ['memory', bytes(told.memory)],
    ['functions', told.functions.length === 0 ? 'none' : ''],
  ];
  const named = told.functions.map((tag) => `  ${safe(readableTag(tag))}`);
  return [
    ...facts.map(([name, value]) => `${dim(name)}${' '.repeat(13 - name.length)}${safe(value)}`.trimEnd()),
    ...named,
  ];
}
