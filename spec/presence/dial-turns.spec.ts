import { expect } from 'chai';
import * as fc from 'fast-check';
import { SimulatedClock } from 'xstate';

import { addressesOf, createCandidate } from '../../src/presence/candidates/candidate.ts';
import type { Candidate } from '../../src/presence/candidates/candidate.ts';
import { DialTurns } from '../../src/presence/candidates/dial-turns.ts';

describe('the turns for dialling', () => {
  let clock: SimulatedClock;
  let turns: DialTurns;
  beforeEach(() => {
    clock = new SimulatedClock();
    turns = new DialTurns(clock);
  });

  function candidate(id: string, provider = 'mdns', ...hosts: string[]): Candidate {
    const made = createCandidate(id);
    const addresses = (hosts.length > 0 ? hosts : [`10.0.0.${id}`]).map((host) => ({ host, port: 4000 }));
    const isAnybodys = provider === 'mdns';
    made.hints.set(provider, { id, incarnation: `${id}-1`, addresses, ...(isAnybodys && { isAnybodys }) });
    return made;
  }

  /** Ends each dial at once. Returns who was dialled. */
  function dial(proved: boolean): string[] {
    const dialled: string[] = [];
    for (let next = turns.next(); next; next = turns.next()) {
      dialled.push(next.id);
      turns.end(next.id, proved);
    }
    return dialled;
  }

  it('come at once, up to sixteen at a time, for trusted hints', () => {
    const all = Array.from({ length: 20 }, (_, index) => candidate(String(index), 'host'));
    expect(all.filter((each) => turns.take(each))).to.have.length(16);
    turns.end('3', false);
    expect(turns.next()?.id).to.equal('16');
    expect(turns.next()).to.equal(undefined);
  });

  it('cost nothing when the hints are true, whoever gave them', () => {
    const all = Array.from({ length: 100 }, (_, index) => candidate(String(index)));
    const dialled = all.filter((each) => turns.take(each));
    expect(dialled).to.have.length(6);
    for (const each of dialled) turns.end(each.id, true);
    expect(dial(true)).to.have.length(94);
    expect(turns.isAnybodyWaiting).to.equal(false);
  });

  it('cost nothing for former peers at their old address; elsewhere they are hints like any other', () => {
    const all = Array.from({ length: 30 }, (_, index) => candidate(String(index)));
    for (const each of all) each.proved = addressesOf(each);
    for (const each of all) {
      expect(turns.take(each)).to.equal(true);
      turns.end(each.id, false);
    }
    for (const each of all) each.hints.set('mdns', candidate(each.id, 'mdns', '10.9.9.9').hints.get('mdns')!);
    expect(all.filter((each) => turns.take(each))).to.have.length(6);
  });

  it('are few per second for false hints, and never ten in one second', () => {
    let count = 0;
    let most = 0;
    for (let tenth = 0; tenth < 300; tenth += 1) {
      for (let lie = 0; lie < 10; lie += 1) {
        const each = candidate(`${tenth}-${lie}`);
        if (turns.take(each)) {
          turns.end(each.id, false);
          count += 1;
        }
      }
      count += dial(false).length;
      clock.increment(100);
      if (tenth % 10 === 9) {
        most = Math.max(most, count);
        count = 0;
      }
    }
    expect(most).to.be.within(4, 10);
  });

  it('count addresses, not candidates', () => {
    expect(turns.take(candidate('1', 'mdns', 'a', 'b', 'c', 'd'))).to.equal(true);
    expect(turns.take(candidate('2', 'mdns', 'e', 'f', 'g'))).to.equal(false);
    // One that has more than there ever is at once comes, too.
    clock.increment(1_000);
    expect(turns.next()?.id).to.equal('2');
    expect(turns.take(candidate('3', 'mdns', ...'hijklmnopq'.split('')))).to.equal(false);
    clock.increment(2_000);
    expect(turns.next()?.id).to.equal('3');
    clock.increment(1_000);
    expect(turns.take(candidate('4'))).to.equal(false);
    turns.end('1', true);
    expect(turns.next()?.id).to.equal('4');
  });

  it('leave places for trusted hints while false ones take their time to fail', () => {
    for (let second = 0; second < 10; second += 1) {
      for (let lie = 0; lie < 10; lie += 1) turns.take(candidate(`${second}-${lie}`));
      clock.increment(1_000);
    }
    expect(turns.next()).to.equal(undefined);
    const trusted = Array.from({ length: 10 }, (_, index) => candidate(`t${index}`, 'static'));
    expect(trusted.filter((each) => turns.take(each))).to.have.length(10);
  });

  it('end for a dial that hangs: after 150 ms without any answer it gives up its place', () => {
    const all = Array.from({ length: 300 }, (_, index) => candidate(String(index), 'static'));
    expect(all.filter((each) => turns.take(each))).to.have.length(16);
    clock.increment(149);
    expect(turns.next()).to.equal(undefined);
    clock.increment(1);
    expect(turns.next()?.id).to.equal('16');
    // Each is a socket, so not without end.
    let dialled = 17;
    for (let round = 0; round < 30; round += 1) {
      while (turns.next()) dialled += 1;
      clock.increment(150);
    }
    expect(dialled).to.equal(256);
    turns.end('3', false);
    expect(turns.next()).not.to.equal(undefined);
  });

  it('are taken from false hints and from hanging dials for trusted news', () => {
    const [lie, slow, quick] = [candidate('lie'), candidate('slow', 'host'), candidate('quick', 'host')];
    for (const each of [lie, slow]) turns.take(each);
    expect([lie, slow, quick].map((each) => turns.givesWay(each))).to.deep.equal([true, false, false]);
    clock.increment(150);
    turns.take(quick);
    expect([lie, slow, quick].map((each) => turns.givesWay(each))).to.deep.equal([true, true, false]);
  });

  it('come first to trusted hints, then to former peers, then to hosts that were not dialled for long', () => {
    for (let host = 0; host < 4; host += 1) turns.take(candidate(`liar-${host}`, 'mdns', 'the-liar'));
    expect(turns.take(candidate('liar-5', 'mdns', 'the-liar', 'x', 'y'))).to.equal(false);
    const former = candidate('former', 'mdns', 'the-liar', 'x', 'y');
    former.generation = 1;
    expect(turns.take(candidate('stranger', 'mdns', 'another', 'x', 'y'))).to.equal(false);
    expect(turns.take(former)).to.equal(false);
    expect(turns.take(candidate('trusted', 'static'))).to.equal(true);
    const order: string[] = [];
    for (let second = 0; second < 3; second += 1) {
      clock.increment(1_000);
      order.push(...dial(false));
    }
    expect(order).to.deep.equal(['former', 'stranger', 'liar-5']);
  });

  it('never come to a forgotten candidate', () => {
    const lies = Array.from({ length: 50 }, (_, index) => candidate(String(index)));
    for (const each of lies) turns.take(each);
    for (const each of lies) turns.forget(each);
    clock.increment(60_000);
    expect(turns.next()).to.equal(undefined);
  });

  it('come to every candidate in the end', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom('mdns', 'host'), fc.nat(3), fc.boolean()), { maxLength: 60 }),
        (all) => {
          clock = new SimulatedClock();
          turns = new DialTurns(clock);
          const expected = new Set<string>();
          const dialled = new Set<string>();
          for (const [index, [provider, host]] of all.entries()) {
            const each = candidate(String(index), provider, `host-${host}`);
            expected.add(each.id);
            if (!turns.take(each)) continue;
            dialled.add(each.id);
            turns.end(each.id, all[index]![2]);
          }
          for (let second = 0; second < 60; second += 1) {
            clock.increment(1_000);
            for (const id of dial(false)) {
              expect(dialled.has(id)).to.equal(false);
              dialled.add(id);
            }
          }
          expect(dialled).to.deep.equal(expected);
        },
      ),
    );
  });
});
