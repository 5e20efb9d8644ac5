import { setTimeout as wait } from 'node:timers/promises';

import { NetError } from '../../index.ts';
import type { Peer } from '../../index.ts';
import type { Context } from '../context.ts';
import { CliError, EXIT } from '../terminal/exit.ts';
import type { ExitCode } from '../terminal/exit.ts';
import { eventCalled, LONGER, search, SEARCH_TIME, withPeer } from '../observer.ts';
import { count } from '../terminal/units.ts';
import { readArguments, readMeta } from './values.ts';

/** `app-net emit <name> [json]`: emits an event, as a peer of the group would. */

export interface EmitOptions {
  group?: string;
  /** A JSON object that travels with the event. */
  meta?: string;
}

/** How long the event may take to be sent, in ms. */
const DRAIN_TIME = 5_000;

/** How long a peer may take to answer, in ms. */
const ANSWER_TIME = 1_000;

export function emit(
  { out, signal, environment }: Context,
  name: string,
  given: string | undefined,
  options: EmitOptions,
): Promise<ExitCode> {
  const meta = readMeta(options.meta);
  const [payload] = readArguments(given === undefined ? [] : [given]);
  // Subscribers hear their own group by default, so this is a peer of the group while it emits.
  const group = options.group ?? (environment['APP_NET_GROUP'] || 'main');
  return withPeer(
    'emit',
    async (own) => {
      await meetSubscribers(own, signal);
      const event = eventCalled(own, name);
      const reached = send(() => event.emit(payload, { meta }));
      // A subscriber that does not read must not hold up the command.
      await Promise.race([event.drained(), wait(DRAIN_TIME, undefined, { signal })]);
      if (out.json) out.data({ name, group, subscribers: reached });
      else out.line(`${name} went to ${count(reached, 'subscriber')}`);
      return EXIT.DONE;
    },
    { group },
  );
}

/**
 * Waits until the connected peers have told their subscriptions. They tell them when they see this peer join, and
 * frames arrive in order, so an answer to a ping comes after them.
 */
async function meetSubscribers(own: Peer, signal: AbortSignal): Promise<void> {
  // Peers of any group, `app-net events` in another terminal included. An event that misses a slow one is lost, so this looks
  // longer than a command that shows what it found.
  const found = await search(own, '*', signal, SEARCH_TIME + LONGER);
  await Promise.allSettled(found.map((peer) => peer.ping({ deadline: ANSWER_TIME, signal })));
  signal.throwIfAborted();
}

function send(emitNow: () => number): number {
  try {
    return emitNow();
  } catch (error) {
    if (error instanceof NetError || error instanceof TypeError)
      throw new CliError(EXIT.USAGE, error.message);
    throw error;
  }
}
