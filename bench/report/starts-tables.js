// The tables of the starts of many peers.
import { round } from './round.js';

const ms = (value) => `${round(value)} ms`;
const kib = (value) => `${round(value / 1024)} KiB`;

export const STARTS_TITLE = 'Growth: peers that start at the same moment';

export function startsTables({ starts, inMemory }) {
  const sizes = [...new Set(starts.flatMap((one) => one.starts.map(({ peers }) => peers)))].sort(
    (a, b) => a - b,
  );
  const table = {
    title: STARTS_TITLE,
    picture: '![Time until all know all, and until the last knows of a SIGKILL](growth.svg)',
    note:
      'At most ten processes. All know all: from the start of the first to the last that knows all others. Idle: bytes written to ' +
      'sockets, and processor time. One more: a peer in a process of its own, loaded before; it has joined when the last one knows it. ' +
      'SIGKILL of that one: until the last one knows. Both are the median of five.' +
      ' Descriptors: open files and sockets that came with the peers.',
    head: [
      'peers',
      '',
      'all know all',
      'CPU to join, per peer',
      'written to join, per peer',
      'idle, per peer and second',
      'descriptors per peer',
      'one more joins',
      'SIGKILL: the last knows',
    ],
    rows: sizes.flatMap((peers) =>
      starts.flatMap(({ name, starts: of }) => {
        const one = of.find((each) => each.peers === peers);
        return one ? [row(name, one)] : [];
      }),
    ),
  };
  if (!inMemory) return [table];
  const memory = {
    title: 'Growth: app-net peers on the network in memory, all in one process',
    note: 'No sockets and no system calls: what discovery, handshakes and presence cost by themselves.',
    head: ['peers', 'all know all', 'CPU to join, per peer'],
    rows: [
      inMemory.error
        ? { name: String(inMemory.peers), failed: inMemory.error }
        : [String(inMemory.peers), ms(inMemory.lastMs), ms(inMemory.cpuMs)],
    ],
  };
  return [table, memory];
}

function row(name, { peers, error, ...of }) {
  if (error) return { name: `${peers} ${name}`, failed: error };
  return [
    String(peers),
    name,
    ms(of.lastMs),
    ms(of.cpuMs),
    kib(of.writtenBytes),
    `${round(of.idleBytes)} B, ${round(of.idleCpuMs)} ms CPU`,
    round(of.descriptors),
    ms(of.lateMs),
    ms(of.killMs),
  ];
}
