import { isIPv6 } from 'node:net';

import { expect } from 'chai';
import * as fc from 'fast-check';

import { SourceBudgets, sourceOf } from '../../src/transport/source.ts';

describe('the source of a connection', () => {
  it('is an IPv4 address, even when that is mapped into IPv6', () => {
    expect(sourceOf('10.0.0.5')).to.equal('10.0.0.5');
    expect(sourceOf('::ffff:10.0.0.5')).to.equal('10.0.0.5');
  });

  it('is the network of an IPv6 address, in any spelling', () => {
    const same = [
      '2001:db8:0:1::1',
      '2001:db8:0:1:ffff::2',
      '2001:0db8:0000:0001:1:2:3:4',
      '2001:db8:0:1::1%eth0',
    ];
    expect(new Set(same.map(sourceOf))).to.deep.equal(new Set(['2001:db8:0:1']));
    expect(sourceOf('fe80::1')).to.equal('fe80:0:0:0');
    expect(sourceOf('::1')).to.equal('0:0:0:0');
    expect(sourceOf('2001:db8::')).to.equal('2001:db8:0:0');
    expect(sourceOf('2001:db8:0:2::1')).not.to.equal(sourceOf('2001:db8:0:1::1'));
  });

  it('is found for any text that the system may give', () => {
    expect(sourceOf('')).to.equal('');
    const group = fc.integer({ min: 0, max: 0xffff }).map((number) => number.toString(16));
    fc.assert(
      fc.property(
        fc.array(group, { minLength: 8, maxLength: 8 }),
        fc.nat(7),
        fc.nat(7),
        (groups, from, length) => {
          const zeroed = groups.map((each, index) => (index >= from && index < from + length ? '0' : each));
          const short = [...zeroed.slice(0, from), '', ...zeroed.slice(from + length)].join(':');
          // A `::` at either end needs a second colon there.
          const text = short.replace(/^:/, '::').replace(/:$/, '::');
          if (length > 0 && isIPv6(text)) expect(sourceOf(text)).to.equal(zeroed.slice(0, 4).join(':'));
          expect(sourceOf(zeroed.join(':'))).to.equal(zeroed.slice(0, 4).join(':'));
        },
      ),
    );
  });
});

describe('the connections that a source may open', () => {
  let now = 0;
  const budgets = (): SourceBudgets => new SourceBudgets(() => now);
  const opened = (budget: SourceBudgets, count: number, remote = '10.0.0.66'): number =>
    Array.from({ length: count }, () => budget.take(remote)).filter(Boolean).length;

  it('are a burst, and then a number per second, whatever other sources do', () => {
    const budget = budgets();
    expect(opened(budget, 1_000)).to.equal(256);
    expect(opened(budget, 10, '10.0.0.5')).to.equal(10);
    now += 1_000;
    expect(opened(budget, 1_000)).to.equal(64);
    now += 3_600_000;
    expect(opened(budget, 1_000)).to.equal(256);
  });

  it('are not used up by peers that prove themselves', () => {
    const budget = budgets();
    for (let count = 0; count < 10_000; count += 1) {
      expect(budget.take('10.0.0.5')).to.equal(true);
      budget.giveBack('10.0.0.5');
    }
  });

  it('are not limited within this host', () => {
    expect(opened(budgets(), 10_000, '127.0.0.1')).to.equal(10_000);
    expect(opened(budgets(), 10_000, '::1')).to.equal(10_000);
  });

  it('are remembered for the latest sources only', () => {
    const budget = budgets();
    opened(budget, 256);
    for (let index = 0; index < 2_000; index += 1) budget.take(`10.1.${index >> 8}.${index & 255}`);
    expect(budget.size).to.equal(1_024);
    budget.giveBack('10.0.0.66');
  });
});
