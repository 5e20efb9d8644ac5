import { NetError } from '../../src/index.ts';
import type { RemotePeer } from '../../src/index.ts';
import { ProxiedNetwork } from '../support/proxied-network.ts';
import { Stage } from '../support/peers.ts';
import { seeded } from '../support/random.ts';

export interface Tally {
  succeeded: number;
  /** Calls that failed, by code and what they say about `ran`. */
  failed: Record<string, number>;
  cuts: number;
  joins: number;
  leaves: number;
  /** Every one of these is a broken promise, in words. */
  broken: string[];
}

/** Calls under way at once. */
const IN_FLIGHT = 256;

/**
 * Makes so many calls from one peer to another, each with a number of its own, while the connection between them is
 * cut so many times, and stalled, slowed down and sliced now and then. Then every call is held against what its
 * function counted.
 */
export async function callsThroughCuts(calls: number, cuts: number, seed: number): Promise<Tally> {
  const random = seeded(seed);
  const network = new ProxiedNetwork();
  const stage = new Stage();
  const executed = new Uint8Array(calls);
  const settled = new Uint8Array(calls);
  /** 0: none yet; 1: it succeeded; 2: it failed and says that the function did not run; 3: it says no such thing. */
  const outcome = new Uint8Array(calls);
  const tally: Tally = { succeeded: 0, failed: {}, cuts: 0, joins: 0, leaves: 0, broken: [] };
  // So that peers fall silent in the time that a soak has.
  // And so few calls unanswered that others wait in the queue when the connection breaks.
  const options = { network, ping: 200, suspect: 600, limits: { calls: 128 } };
  const { a, b, toB } = await stage.pair(options);
  b.connect('count', (call: number) => {
    executed[call]! += 1;
    return call % 3 === 0 ? call : Promise.resolve(call);
  });
  let peer: RemotePeer = toB;
  let gone = false;
  a.peers.on('join', (other) => {
    peer = other;
    gone = false;
    tally.joins += 1;
  });
  a.peers.on('leave', () => {
    gone = true;
    tally.leaves += 1;
  });

  let next = 0;
  const settle = (call: number, how: 1 | 2 | 3): void => {
    settled[call]! += 1;
    outcome[call] = how;
  };
  const caller = async (): Promise<void> => {
    while (next < calls) {
      // Now and then one is made to a peer that is gone.
      if (gone && random() < 0.9) await a.peers.ready('count');
      if (next >= calls) return;
      const call = next;
      next += 1;
      await peer.call('count', [call]).then(
        (value) => {
          tally.succeeded += 1;
          if (value !== call) tally.broken.push(`call ${call} came back as ${String(value)}`);
          settle(call, 1);
        },
        (error: unknown) => {
          if (!(error instanceof NetError)) throw error;
          const how = `${error.code}, ran: ${error.ran}`;
          tally.failed[how] = (tally.failed[how] ?? 0) + 1;
          settle(call, error.ran === 'no' ? 2 : 3);
        },
      );
    }
  };
  const trouble = async (): Promise<void> => {
    // Each cut at a number of calls, so that they are spread over the whole run however fast it is.
    while (tally.cuts < cuts) {
      const at = ((tally.cuts + random()) / cuts) * calls;
      while ((next < at && next < calls) || gone) await pause(1);
      for (const proxy of network.proxies) {
        proxy.slice = random() < 0.2 ? 1 + Math.floor(random() * 2_000) : Infinity;
        proxy.rate = random() < 0.1 ? 1_000_000 : Infinity;
        if (random() < 0.02) {
          proxy.stall(random() < 0.5 ? 'open' : 'all');
          await pause(random() * 1_500);
          proxy.heal();
        }
        proxy.cut();
      }
      tally.cuts += 1;
      // Before the next one it has to be noticed.
      await pause(5 + random() * 20);
    }
    for (const proxy of network.proxies) {
      proxy.slice = Infinity;
      proxy.rate = Infinity;
    }
  };
  await Promise.all([trouble(), ...Array.from({ length: IN_FLIGHT }, caller)]);
  // Calls that still run there must be counted, too.
  await pause(200);
  await stage.clear();
  await network.close();
  for (let call = 0; call < calls; call += 1) {
    if (settled[call] !== 1) tally.broken.push(`call ${call} settled ${settled[call]} times`);
    if (executed[call]! > 1) tally.broken.push(`call ${call} was executed ${executed[call]} times`);
    if (outcome[call] === 1 && executed[call] !== 1) tally.broken.push(`call ${call} succeeded unexecuted`);
    if (outcome[call] === 2 && executed[call] !== 0)
      tally.broken.push(`call ${call} ran, and said it had not`);
  }
  return tally;
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
