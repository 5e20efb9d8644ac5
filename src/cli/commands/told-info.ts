/** A peer may answer anything about itself: it may run another version, or lie. */

/** The valid facts of what a peer tells about itself; `null` for the rest. Times in ms, sizes in bytes. */
export interface ToldInfo {
  user: string | null;
  versions: { 'app-net': string | null; node: string | null; protocol: number[] };
  uptime: number | null;
  time: number | null;
  functions: string[] | null;
  peers: number | null;
  /** Functions that are limited, or run in threads. */
  work: { tag: string; running: number; waiting: number; threads: number }[];
  counters: { caller: Counters; dispatcher: Counters; events: Counters };
  loop: { lag: number | null; utilization: number | null };
  memory: number | null;
}

/** Only the counters that are numbers. */
export type Counters = Readonly<Record<string, number>>;

/** More counters, and versions of the protocol, than any peer has. */
const MOST = 32;

/** Functions that are shown with their work. */
const MOST_WORK = 256;

/** Never throws. */
export function readInfo(answer: unknown): ToldInfo {
  const told = fieldsOf(answer);
  const versions = fieldsOf(told['versions']);
  const counters = fieldsOf(told['counters']);
  const loop = fieldsOf(told['loop']);
  return {
    user: text(told['user']),
    versions: {
      'app-net': text(versions['app-net']),
      node: text(versions['node']),
      protocol: list(versions['protocol'])
        .filter((each) => typeof each === 'number')
        .slice(0, MOST),
    },
    uptime: number(told['uptime']),
    time: number(told['time']),
    functions: Array.isArray(told['functions'])
      ? list(told['functions']).filter((each) => typeof each === 'string')
      : null,
    peers: number(told['peers']),
    work: list(told['work']).slice(0, MOST_WORK).flatMap(workOf),
    counters: {
      caller: numbers(counters['caller']),
      dispatcher: numbers(counters['dispatcher']),
      events: numbers(counters['events']),
    },
    loop: { lag: number(loop['lag']), utilization: number(loop['utilization']) },
    memory: number(told['memory']),
  };
}

function workOf(value: unknown): ToldInfo['work'] {
  const fields = fieldsOf(value);
  const tag = text(fields['tag']);
  const [running, waiting, threads] = [fields['running'], fields['waiting'], fields['threads']].map(number);
  if (tag === null || running == null || waiting == null || threads == null) return [];
  return [{ tag, running, waiting, threads }];
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}

function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

/** The numbers are never negative, and always finite. */
function number(value: unknown): number | null {
  return typeof value === 'number' && value >= 0 && Number.isFinite(value) ? value : null;
}

function numbers(value: unknown): Counters {
  const entries = Object.entries(fieldsOf(value)).filter(([, each]) => number(each) !== null);
  return Object.fromEntries(entries.slice(0, MOST)) as Counters;
}
