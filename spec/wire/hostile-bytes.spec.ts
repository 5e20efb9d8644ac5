import { expect } from 'chai';

import { BadFrame } from '../../src/wire/bad-frame.ts';
import { Arrivals, MOST_BINARIES } from '../../src/wire/binary.ts';
import { MOST, revive } from '../support/revive.ts';

describe('bytes from a stranger that belong to values', () => {
  const one = { value: [['custom', 'Uint8Array']] };
  const data = Uint8Array.of(1, 2, 3);

  const outcomes: [
    what: string,
    values: unknown,
    value: unknown,
    binary: unknown,
    sent: number,
    outcome: string,
  ][] = [
    ['too few came', one, 0, 2, 1, 'bad'],
    ['too many came', one, 0, 1, 2, 'bad'],
    ['none was asked for', one, 0, undefined, 1, 'bad'],
    ['a count is negative', one, 0, -1, 0, 'bad'],
    ['a count is no whole number', one, 0, 0.5, 0, 'bad'],
    ['a count is beyond what a frame may take', one, 0, MOST_BINARIES + 1, 1, 'bad'],
    ['a count is text', one, 0, '1', 1, 'bad'],
    ['an index is too high', one, 1, 1, 1, 'unreadable'],
    ['an index is negative', one, -1, 1, 1, 'unreadable'],
    ['an index is no whole number', one, 0.5, 1, 1, 'unreadable'],
    ['an index is text', one, '0', 1, 1, 'unreadable'],
    ['the elements do not come out even', { value: [['custom', 'Uint16Array']] }, 0, 1, 1, 'unreadable'],
    ['the kind has no name', { value: [['custom']] }, 0, 1, 1, 'unreadable'],
    [
      'two values want the same',
      { 'value.0': [['custom', 'Buffer']], 'value.1': [['custom', 'Buffer']] },
      [0, 0],
      1,
      1,
      'unreadable',
    ],
  ];
  for (const [what, values, value, binary, sent, outcome] of outcomes) {
    it(`are refused when ${what}`, () => {
      const binaries = Array.from({ length: sent }, () => data);
      expect(revive(values, value, { binary }, binaries)).to.equal(outcome);
    });
  }

  it('are refused when their sum and the text exceed the limit of a message', () => {
    const arrivals = new Arrivals(100);
    arrivals.add(new Uint8Array(60));
    expect(() => arrivals.add(new Uint8Array(41))).to.throw(BadFrame);
    const others = new Arrivals(100);
    others.add(new Uint8Array(60));
    expect(() => others.begin('x'.repeat(41))).to.throw(BadFrame);
  });

  it('are refused when they are too many', () => {
    const arrivals = new Arrivals(MOST);
    for (let index = 0; index < MOST_BINARIES; index += 1) arrivals.add(new Uint8Array(0));
    expect(() => arrivals.add(new Uint8Array(0))).to.throw(BadFrame);
  });
});
