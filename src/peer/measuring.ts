import type { Clock } from '../base/time/clock.ts';
import type { HostProcess } from '../base/process/host-process.ts';
import { readableTag } from '../base/tag.ts';
import { OTHER } from '../calls/call-stats.ts';
import type { MeasuredCalls } from '../calls/call-stats.ts';
import type { ConnectionContext } from '../connection/connection-context.ts';
import type { FunctionWork, PeerInfo } from '../presence/set/peer-info.ts';
import type { PeerMetrics } from '../presence/set/peer-metrics.ts';
import type { Comings } from './comings.ts';
import type { PeerContext } from './peer-machine.ts';
import { Watch } from './watch/watch.ts';
import type { WatchInput } from './watch/watch-input.ts';

interface MeasuringInput {
  actor: { getSnapshot(): { context: unknown } };
  clock: Clock;
  process: HostProcess;
  calls: MeasuredCalls;
  comings: Comings;
  counters: () => PeerInfo['counters'];
  registry: { work(): FunctionWork[] };
  threads: { metrics(): PeerMetrics['threads'] };
}

/** The two ways to see what a peer does: its numbers so far, and a stream of what happens. */
export function observing(input: MeasuringInput & WatchInput): { metrics: () => PeerMetrics; watch: Watch } {
  return { metrics: measuring(input), watch: new Watch(input) };
}

/** Returns the function that reads the numbers of a peer. Everything that is not counted anyway is read when it is asked for. */
function measuring(input: MeasuringInput): () => PeerMetrics {
  const { actor, clock, process, calls, comings, counters, registry, threads } = input;
  const start = clock.now();
  return () => {
    const { made, ran } = calls.begin();
    const { joins, leaves } = comings;
    return {
      ...{ made: made.list(), ran: ran.list(), counters: counters() },
      ...{ work: bounded(registry.work()), threads: threads.metrics() },
      ...ofConnections(actor.getSnapshot().context as PeerContext),
      ...{ joins, leaves: { ...leaves } },
      loop: process.delay(),
      memory: process.memory(),
      uptime: (clock.now() - start) / 1_000,
    };
  };
}

/** Functions that are told apart. */
const MOST_FUNCTIONS = 1_000;

function bounded(work: FunctionWork[]): FunctionWork[] {
  const first = work.slice(0, MOST_FUNCTIONS);
  for (const each of first) each.tag = readableTag(each.tag);
  if (work.length <= MOST_FUNCTIONS) return first;
  const other = { tag: OTHER, running: 0, waiting: 0, threads: 0 };
  for (const { running, waiting } of work.slice(MOST_FUNCTIONS)) {
    other.running += running;
    other.waiting += waiting;
  }
  return [...first, other];
}

function ofConnections({
  connections,
  services,
}: PeerContext): Pick<PeerMetrics, 'streams' | 'links' | 'peers'> {
  const peers: Record<string, number> = {};
  const { opened = 0, reopened = 0, sent = 0, received = 0 } = services?.counts ?? {};
  const links = { open: 0, opened, reopened, sent, received };
  let streams = 0;
  for (const connection of connections.values()) {
    const { value, context } = connection.getSnapshot() as {
      value: unknown;
      context: ConnectionContext;
    };
    peers[String(value)] = (peers[String(value)] ?? 0) + 1;
    for (const link of context.links) {
      links.open += 1;
      links.sent += link.sent;
      links.received += link.received;
      streams += (link.made?.streams ?? 0) + (link.taken?.openStreams ?? 0);
    }
  }
  return { streams, links, peers };
}
