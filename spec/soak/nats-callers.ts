// A process of the soak at NATS: some peers that call all others. `nats-cluster.ts` forks it.
import { createPeer } from '../../src/index.ts';
import type { NetError, Peer } from '../../src/index.ts';
import { natsNetwork } from '../../src/nats.ts';
import { eventually } from '../support/eventually.ts';

/** What the process is told to be, as JSON in its only argument. */
export interface CallersInput {
  servers: string[];
  secret: string;
  /** The number of its first peer, how many it has, and how many there are in all. */
  first: number;
  count: number;
  all: number;
}

/** What the callers have seen since the last report. */
export interface CallersReport {
  answered: number;
  /** Calls whose fate the caller was told not to know: they were under way on a connection that broke. */
  lost: number;
  /** Calls that were not sent, since their peer was connecting again and there was no link to it. Nothing ran. */
  unsent: number;
  /** Anything else that a call came to. */
  wrong: string[];
  /** Joins and leaves after the beginning. */
  told: string[];
  /** The longest time without an answer, for each caller, in ms. */
  pauses: number[];
}

/**
 * `call`: begin to call. `report`: tell as soon as every caller here has had an answer from every other peer, to calls that were
 * made from now on. `rest`: call no more, and tell what is left to tell. `stop`: end. It comes when all rest: a call to a peer that
 * stops is refused.
 */
export type CallersOrder = 'call' | 'report' | 'rest' | 'stop';

/** Between two calls of one caller, in ms. */
const PAUSE = 10;

/** For all links to be open, in ms. */
const MOST_TIME = 300_000;

const { servers, secret, first, count, all } = JSON.parse(process.argv[2]!) as CallersInput;
const peers = Array.from({ length: count }, (_, index) =>
  createPeer({ name: `peer-${first + index}`, secret, network: natsNetwork({ servers }) }),
);
const answeredAt = peers.map(() => 0);
/** The others that each caller has had an answer from since the last order to report. */
const lap = peers.map(() => new Set<string>());
let isDue = false;
let report = nothingYet();
let running = true;

function nothingYet(): CallersReport {
  return { answered: 0, lost: 0, unsent: 0, wrong: [], told: [], pauses: peers.map(() => 0) };
}

for (const peer of peers) peer.connect('twice', (n: number) => 2 * n);
await Promise.all(peers.map((peer) => peer.start()));
await Promise.all(peers.map((peer) => peer.peers.ready('twice', { min: all - 1 })));
await Promise.all(peers.map((peer) => openLinks(peer)));

/** Every peer has a link to every other one before it is measured. On busy cores that takes a while. */
async function openLinks(peer: Peer): Promise<void> {
  const twice = peer.remote<(n: number) => number>('twice');
  for (const { id } of peer.peers)
    await eventually(() => twice.on(id, { deadline: MOST_TIME })(1), MOST_TIME);
}

/** How long the caller has waited for an answer. */
function note(index: number): void {
  report.pauses[index] = Math.max(report.pauses[index]!, performance.now() - answeredAt[index]!);
}

async function callAll(index: number): Promise<void> {
  const peer = peers[index]!;
  const others = [...peer.peers];
  const twice = peer.remote<(n: number) => number>('twice');
  answeredAt[index] = performance.now();
  for (let n = first + index; running; n += 1) {
    const { id } = others[n % others.length]!;
    const answered = lap[index]!;
    try {
      const result = await twice.on(id, { deadline: 10_000 })(n);
      if (result !== 2 * n) report.wrong.push(`${n} gave ${result}`);
      report.answered += 1;
      note(index);
      answeredAt[index] = performance.now();
      answered.add(id);
      tellIfDue();
    } catch (error) {
      const { code, ran, message } = error as NetError;
      if (code === 'CONNECTION_LOST' && ran === 'unknown') report.lost += 1;
      else if (code === 'NOT_SENT' && ran === 'no') report.unsent += 1;
      else report.wrong.push(`${code} ${ran} ${message}`);
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}

function tellIfDue(): void {
  if (!isDue || lap.some(({ size }) => size < all - 1)) return;
  isDue = false;
  tell();
}

function tell(): void {
  process.send!(report);
  report = nothingYet();
}

let calling: Promise<void>[] = [];

async function rest(): Promise<void> {
  running = false;
  await Promise.all(calling);
  tell();
}

async function stop(): Promise<void> {
  await Promise.all(peers.map((peer) => peer.stop({ drainTime: 0 })));
  process.disconnect();
}

function begin(): void {
  for (const peer of peers) {
    const hear = (what: string): unknown => running && report.told.push(`${peer.name}: ${what}`);
    peer.peers.on('leave', ({ name }, why, evidence) => hear(`${name} left: ${why} (${evidence.text})`));
    peer.peers.on('join', ({ name }) => hear(`${name} joined`));
  }
  calling = peers.map((_, index) => callAll(index));
}

process.on('message', (order: CallersOrder) => {
  if (order === 'call') {
    begin();
  } else if (order === 'report') {
    // A call that is under way holds the set of before, so its answer does not count.
    for (const index of lap.keys()) lap[index] = new Set();
    isDue = true;
  } else {
    (order === 'rest' ? rest() : stop()).catch((error: unknown) => {
      console.error(error);
      process.exit(1);
    });
  }
});
process.send!('ready');
