import type { Peer } from '../../src/index.ts';
import type { Network } from '../../src/providers/network.ts';
import { eventually } from '../support/eventually.ts';
import { MeetAtOnce } from '../support/meet-at-once.ts';
import { meet, Stage } from '../support/peers.ts';

export interface Meetings {
  rounds: number;
  joins: number;
  leaves: number;
  /** Calls made the moment the peers joined, while their dials still crossed; a failed one throws. */
  calls: number;
  /** Rounds in which two connections came about, and one was closed. */
  crossed: number;
}

/** Lets two peers dial each other at the same instant, again and again, each time on a network of its own. */
export async function crossingDials(
  rounds: number,
  network: (round: number) => Network | Promise<Network>,
): Promise<Meetings> {
  const found: Meetings = { rounds, joins: 0, leaves: 0, calls: 0, crossed: 0 };
  const stage = new Stage();
  for (let round = 0; round < rounds; round += 1) {
    const both = new MeetAtOnce(await network(round));
    const a = stage.make({ network: both, name: 'a' });
    const b = stage.make({ network: both, name: 'b' });
    const calls: Promise<unknown>[] = [];
    let links = 0;
    for (const peer of [a, b]) {
      peer.connect(`at ${peer.name}`, async () => peer.name);
      peer.peers.on('leave', () => (found.leaves += 1));
      peer.peers.on('join', (other) => {
        found.joins += 1;
        for (let count = 0; count < 10; count += 1) calls.push(other.call(`at ${other.name}`));
      });
    }
    await Promise.all([a.start(), b.start()]);
    await eventually(() => both.waiting === 2);
    both.release();
    const [[toB], [toA]] = await Promise.all([meet(a, b.id), meet(b, a.id)]);
    links = linksOf(a, b) + linksOf(b, a);
    for (const value of await Promise.all(calls)) if (typeof value !== 'string') throw new TypeError();
    found.calls += calls.length;
    // Both sides agree on which connection stays, and close the other when nothing runs on it.
    await eventually(() => {
      links = Math.max(links, linksOf(a, b) + linksOf(b, a));
      return linksOf(a, b) === 1 && linksOf(b, a) === 1;
    });
    if (links > 2) found.crossed += 1;
    if ((await toB!.call('at b')) !== 'b' || (await toA!.call('at a')) !== 'a')
      throw new Error('wrong answer');
    const { leaves } = found;
    await stage.clear();
    // Each stop is a leave as well, and no fault.
    found.leaves = leaves;
  }
  return found;
}

function linksOf(peer: Peer, other: Peer): number {
  return peer.actor.system.get(`connection:${other.id}`)?.getSnapshot().context.links.length ?? 0;
}
