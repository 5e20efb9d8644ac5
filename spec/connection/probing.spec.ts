import { expect } from 'chai';
import { createActor, createMachine } from 'xstate';

import { systemClock } from '../../src/base/time/clock.ts';
import { probeLogic } from '../../src/connection/dial/probing.ts';
import type { ProbeInput } from '../../src/connection/dial/probing.ts';
import type { Socket } from '../../src/transport/transport.ts';
import { CLOSE } from '../../src/wire/frames.ts';
import { eventually } from '../support/eventually.ts';
import { someone } from '../support/friend.ts';
import { keys } from '../support/handshake.ts';

describe('the dial that decides about a peer', () => {
  const address = { host: 'nats:other.1', port: 1 };

  /** Runs it. Each connection ends during the handshake with this code. Returns what it told, and the number of dials. */
  function probe(
    code: number,
    isRelayed: boolean,
  ): { told: string[]; dials: () => number; stop: () => void } {
    let dials = 0;
    const dial = (): Promise<Socket> => {
      dials += 1;
      return Promise.resolve({
        ...{ binding: { kind: 'memory', data: Buffer.alloc(32) }, scope: 'wan', isRelayed },
        ...{ bufferedAmount: 0, received: 0, send() {}, ping() {}, trust() {}, close() {}, terminate() {} },
        whenDrained() {},
        receive: (receiver: { closed(code: number): void } | undefined) =>
          receiver && setImmediate(() => receiver.closed(code)),
      } as unknown as Socket);
    };
    const input: ProbeInput = {
      ...{ id: 'other', addresses: [address], generation: 1, largestMessage: 1_000, time: 20_000 },
      transport: { dial } as unknown as ProbeInput['transport'],
      handshake: { self: someone, keys, clock: systemClock },
    };
    const told: string[] = [];
    const machine = createMachine({
      invoke: { src: probeLogic, input },
      on: { '*': { actions: ({ event }) => told.push(event.type) } },
    });
    const actor = createActor(machine).start();
    return { told, dials: () => dials, stop: () => actor.stop() };
  }

  it('is done again while a broker loses it on the way, which says nothing about the peer', async () => {
    const { told, dials, stop } = probe(CLOSE.NETWORK, true);
    await eventually(() => dials() >= 3);
    expect(told).to.deep.equal([]);
    stop();
  });

  it('is done once where the other side itself ended it, whatever code it gave', async () => {
    for (const [code, isRelayed] of [
      [1006, true],
      [CLOSE.NETWORK, false],
    ] as const) {
      const { told, dials, stop } = probe(code, isRelayed);
      await eventually(() => told.length > 0);
      expect([told, dials()]).to.deep.equal([['probe.failed'], 1]);
      stop();
    }
  });
});
