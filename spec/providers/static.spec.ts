import { expect } from 'chai';

import { hintAt, keyOf } from '../../src/providers/hint.ts';
import { StaticProvider } from '../../src/providers/static.ts';

describe('the provider of given addresses', () => {
  const here = { host: '10.0.0.5', port: 4000 };
  const there = { host: 'fd00::5', port: 4000 };
  let heard: string[];
  let reason: Error | undefined;
  let provider: StaticProvider;

  beforeEach(async () => {
    heard = [];
    reason = undefined;
    provider = new StaticProvider([here, there]);
    await provider.start(undefined, {
      found: (hint) => heard.push(keyOf(hint)),
      lost: (key) => heard.push(`lost ${key}`),
      scanned: () => heard.push('scanned'),
      degraded: (each) => (reason = each),
    });
  });

  const fail = (address: typeof here, times: number, refused = true): void => {
    for (let count = 0; count < times; count += 1) provider.failed(hintAt(address), refused);
  };

  it('hints at all of them at once', () => {
    expect(heard).to.deep.equal(['10.0.0.5:4000', '[fd00::5]:4000', 'scanned']);
  });

  it('reports addresses that lead nowhere after a few dials, until they work', () => {
    fail(there, 4);
    expect(reason).to.equal(undefined);
    fail(there, 1);
    expect(reason?.message).to.equal('[fd00::5]:4000: nobody listens there');
    fail(here, 5, false);
    expect(reason?.message).to.equal(
      '10.0.0.5:4000: it cannot be reached, or has another secret; [fd00::5]:4000: nobody listens there',
    );
    provider.answered(hintAt(there));
    expect(reason?.message).to.equal('10.0.0.5:4000: it cannot be reached, or has another secret');
    provider.answered(hintAt(here));
    expect(reason).to.equal(undefined);
  });

  it('counts consecutive dials', () => {
    fail(here, 4);
    provider.answered(hintAt(here));
    fail(here, 4);
    expect(reason).to.equal(undefined);
  });

  it('never withdraws an address', () => {
    fail(here, 1_000);
    expect(heard).to.have.length(3);
  });

  it('reports nothing after it was stopped', async () => {
    await provider.stop();
    fail(here, 5);
    expect(reason).to.equal(undefined);
  });
});
