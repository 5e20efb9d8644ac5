import { expect } from 'chai';
import { SimulatedClock } from 'xstate';

import { FloodGate } from '../../src/providers/mdns/flood.ts';

describe('the flood gate of multicast DNS', () => {
  let clock: SimulatedClock;
  let gate: FloodGate;
  beforeEach(() => {
    clock = new SimulatedClock();
    gate = new FloodGate(clock);
  });

  /** How many of so many packets are let through. */
  const admitted = (sender: string, count: number, bytes = 400): number =>
    Array.from({ length: count }, () => gate.admits(sender, bytes)).filter(Boolean).length;

  it('passes everything that honest senders send', () => {
    // A hundred hosts that start at once: three announcements, a few questions, answers to the others.
    for (let host = 0; host < 100; host += 1) expect(admitted(`10.0.0.${host}`, 15)).to.equal(15);
  });

  it('limits one sender without limiting others', () => {
    expect(admitted('10.0.0.1', 100_000)).to.equal(1_000);
    expect(admitted('10.0.0.2', 500)).to.equal(500);
    clock.increment(1_000);
    expect(admitted('10.0.0.1', 100_000)).to.equal(200);
  });

  it('limits all senders together, however many names they use', () => {
    let through = 0;
    for (let second = 0; second < 30; second += 1) {
      for (let packet = 0; packet < 10_000; packet += 1) {
        if (gate.admits(`10.${second}.${packet >> 8}.${packet & 255}`, 400)) through += 1;
      }
      clock.increment(1_000);
    }
    expect(through).to.equal(2_000 + 29 * 1_000);
  });

  it('passes only a few large packets, because their cost grows with the square of their size', () => {
    expect(admitted('10.0.0.1', 100, 9_000)).to.equal(3);
    clock.increment(2_000);
    expect(admitted('10.0.0.1', 100, 9_000)).to.equal(1);
  });
});
