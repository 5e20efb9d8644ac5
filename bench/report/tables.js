// Turns results into tables of text: { title, note, head, rows }. A row is either a list of cells,
// whose lines are separated by '\n', or { name, failed }.
import { summarise } from '../lib/statistics.js';
import { IN_FLIGHT } from '../sets/calls.js';
import { EACH_TURN, SUBSCRIBERS } from '../sets/events.js';
import { round } from './round.js';
import { startsTables } from './starts-tables.js';

const calls = (value) => round(value);
const microseconds = (value) => `${round(value)} µs`;
const bytes = (value) => `${round(value)} B`;
const kib = (value) => `${round(value / 1024)} KiB`;

const CALL_TABLES = [
  {
    set: 'throughput',
    title: 'Throughput: calls of add(a, b) per second, by calls in flight',
    better: 'higher',
    columns: IN_FLIGHT.map((n) => [`calls-${n}`, `${n} in flight`, calls]),
  },
  {
    set: 'throughput',
    title: 'Cost of one call: processor time of each side, bytes on the wire in both directions',
    better: 'lower',
    columns: [
      ['client-cpu-512', 'client CPU, 512 in flight', microseconds],
      ['server-cpu-512', 'server CPU, 512 in flight', microseconds],
      ['bytes-1', 'bytes, 1 in flight', bytes],
      ['bytes-512', 'bytes, 512 in flight', bytes],
    ],
  },
  {
    set: 'latency',
    title: 'Latency: one call at a time',
    better: 'lower',
    columns: [
      ['p50', 'p50', microseconds],
      ['p99', 'p99', microseconds],
    ],
  },
  {
    set: 'payload',
    title: 'Payload: calls of echo(text) per second',
    better: 'higher',
    columns: [
      ['echo-1k', '1 KiB, 64 in flight', calls],
      ['echo-64k', '64 KiB, 16 in flight', calls],
      ['echo-1m', '1 MiB, 4 in flight', calls],
    ],
  },
];

const EVENTS_TABLE = {
  title: `Events: one process emits, ${SUBSCRIBERS} subscribers in 10 processes get each once and in order`,
  better: 'per second higher, processor time lower',
  columns: [
    ...EACH_TURN.map((each) => [`events-${each}`, `events per second, ${each} in a turn`, calls]),
    ['emitter-cpu-50', 'emitter CPU per event, 50 in a turn', microseconds],
    ['subscriber-cpu-50', 'CPU of a subscriber per event, 50 in a turn', microseconds],
  ],
};

const RATIOS =
  'First line: median of the rounds (lowest–highest). Second line: the same figure divided by ' +
  'that of raw-tcp (tcp) and of ws-naive (ws) in the same round, median of the rounds';

export function tablesOf(results) {
  return [
    ...CALL_TABLES.filter(({ set }) => results.sets.includes(set)).map((table) => callTable(table, results)),
    ...(results.sets.includes('memory') ? [memoryTable(results)] : []),
    ...(results.sets.includes('events') ? [eventsTable(results)] : []),
    ...results.growth.flatMap(growthTables),
    ...(results.sets.includes('growth') ? startsTables(results) : []),
  ];
}

/** Median, extremes and ratios of every metric that was measured, for the JSON output. */
export function summariesOf({ rounds, cases }) {
  return Object.fromEntries(
    cases.map((name) => {
      const metrics = new Set(rounds.flatMap((round) => Object.keys(round[name] ?? {})));
      return [
        name,
        Object.fromEntries([...metrics].map((metric) => [metric, summarise(rounds, name, metric)])),
      ];
    }),
  );
}

function callTable({ title, better, columns }, { rounds, cases, failures }) {
  return {
    title,
    note: `${RATIOS}; ${better} is better.`,
    head: ['', ...columns.map(([, label]) => label)],
    rows: cases.map((name) => {
      const cells = columns.map(([metric, , format]) => callCell(summarise(rounds, name, metric), format));
      const failed = failures.calls[name];
      return failed && cells.every((cell) => cell === 'n/a') ? { name, failed } : [name, ...cells];
    }),
  };
}

function eventsTable({ events, cases, failures }) {
  const names = cases.filter((name) => events.some((round) => round[name]) || failures.events[name]);
  return callTable(EVENTS_TABLE, { rounds: events, cases: names, failures: { calls: failures.events } });
}

function callCell(summary, format) {
  if (!summary) return 'n/a';
  const { median, min, max, toRawTcp, toWsNaive } = summary;
  return `${format(median)} (${round(min)}–${round(max)})\n${times(toRawTcp)} tcp  ${times(toWsNaive)} ws`;
}

function memoryTable({ memory, cases, failures }) {
  const names = cases.filter((name) => memory[name] ?? failures.memory[name]);
  return {
    title: 'Memory: live heap and external bytes, client / server',
    note:
      'After garbage collection, measured once. For app-net an idle connection is one more to the same peer; what ' +
      'stands on the client side there is a handshake without a peer, so only its server figure counts.',
    head: [
      '',
      'per idle connection',
      'per waiting call',
      'growth over many calls',
      'growth over connect, call, close',
    ],
    rows: names.map((name) => {
      const of = memory[name];
      if (!of) return { name, failed: failures.memory[name] };
      return [
        name,
        `${bytes(of['idle-client'])} / ${bytes(of['idle-server'])}`,
        `${bytes(of['waiting-client'])} / ${bytes(of['waiting-server'])}`,
        `${kib(of['calls-client'])} / ${kib(of['calls-server'])}\nover ${count(of['calls-made'])} calls`,
        `${kib(of['cycles-client'])} / ${kib(of['cycles-server'])}\nover ${count(of['cycles-made'])} times`,
      ];
    }),
  };
}

function growthTables({ name, calls: callsTo }) {
  return [
    {
      title: `Growth: ${name} calls of add(a, b) per second with many peers connected, 64 in flight`,
      note: 'Median of the rounds (lowest–highest). All peers but the caller share one process.',
      head: ['peers', 'all called in turn', 'one called, the others idle', 'live bytes of the caller'],
      rows: callsTo.map(({ peers, error, ...of }) =>
        error
          ? { name: String(peers), failed: error }
          : [String(peers), spread(of.all), spread(of.one), kib(of.liveBytes)],
      ),
    },
  ];
}

function spread({ median, min, max }) {
  return `${round(median)} (${round(min)}–${round(max)})`;
}

function times(ratio) {
  if (ratio === undefined) return '–';
  if (ratio >= 10) return `${ratio.toFixed(0)}×`;
  return `${ratio >= 0.1 ? ratio.toFixed(2) : ratio.toPrecision(2)}×`;
}

function count(value) {
  return value.toLocaleString('en-US');
}
