import { expect } from 'chai';
import { SimulatedClock } from 'xstate';

import { hintsOf, peerList } from '../../src/providers/peer-list.ts';
import type { ProviderListener } from '../../src/providers/provider.ts';
import type { Hint } from '../../src/providers/hint.ts';
import { ToldProvider } from '../../src/providers/told.ts';
import { HintTags } from '../../src/providers/hint-tags.ts';
import { deriveKeys } from '../../src/wire/secret.ts';
import { makeSecret } from '../../src/wire/secret.ts';
import type { Scope } from '../../src/transport/scope.ts';

const hint = (id: string, ...hosts: string[]): Hint => ({
  id,
  incarnation: `${id}-1`,
  addresses: hosts.map((host) => ({ host, port: 4000 })),
});

describe('the list of peers that a peer sends to another', () => {
  const hosts = (list: readonly { addresses: readonly { host: string }[] }[]): string[] =>
    list.flatMap(({ addresses }) => addresses.map(({ host }) => host));

  const useful = ['10.0.0.5', '192.168.1.5', '169.254.7.7', 'fd00::5', '2001:db8::5', '203.0.113.5'];
  const useless = [
    '127.0.0.1',
    '127.9.9.9',
    '::1',
    'localhost',
    '::ffff:127.0.0.1',
    '0.0.0.0',
    '::',
    'fe80::5',
    'fe80::5%eth0',
  ].concat(['224.0.0.251', '255.255.255.255', 'ff02::fb', 'name.example', 'memory', '']);

  for (const scope of ['lan', 'wan'] as Scope[]) {
    it(`has no address that means something else to the receiver, when that is in the ${scope}`, () => {
      const all = hint('a', ...useful, ...useless);
      expect(hosts(peerList([all], scope, 100_000))).to.deep.equal(useful);
      expect(hosts(hintsOf(peerList([all], 'host', 100_000), scope))).to.deep.equal(useful);
      expect(peerList([hint('b', ...useless)], scope, 100_000)).to.deep.equal([]);
      expect(
        hintsOf([{ id: 'b', incarnation: 'c', addresses: [{ host: '127.0.0.1', port: 1 }] }], scope),
      ).to.deep.equal([]);
    });
  }

  it('has no names and no unspecified addresses, even within one host', () => {
    const told = hint(
      'a',
      '127.0.0.1',
      '::ffff:127.0.0.2',
      'evil.test',
      'localhost',
      '127.1',
      '0.0.0.0',
      '::',
      'fe80::5%lo',
    );
    for (const list of [
      peerList([told], 'host', 10_000),
      hintsOf(peerList([told], 'host', 10_000), 'host'),
    ]) {
      expect(hosts(list)).to.deep.equal(['127.0.0.1', '127.0.0.2']);
    }
    const { id, incarnation, addresses } = told;
    expect(hosts(hintsOf([{ id, incarnation, addresses: [...addresses] }], 'host'))).to.have.length(2);
  });

  it('has every address within one host', () => {
    expect(hosts(peerList([hint('a', '127.0.0.1', '10.0.0.5')], 'host', 10_000))).to.deep.equal([
      '127.0.0.1',
      '10.0.0.5',
    ]);
  });

  it('has id, incarnation and addresses, and nothing else', () => {
    const known = { ...hint('a', '10.0.0.5'), pid: 7, world: 'secret' };
    expect(peerList([known], 'host', 10_000)).to.deep.equal([
      { id: 'a', incarnation: 'a-1', addresses: [{ host: '10.0.0.5', port: 4000 }] },
    ]);
  });

  it('is as long as the limit of the receiver allows', () => {
    const many = Array.from({ length: 5_000 }, (_, index) => hint(`p${index}`, '10.0.0.5'));
    expect(peerList(many, 'lan', 10_000_000)).to.have.length(1_024);
    const list = peerList(many, 'lan', 16_384);
    expect(JSON.stringify(list).length).to.be.within(16_000, 16_384 + 2);
    const [rich] = peerList(
      [hint('a', ...Array.from({ length: 50 }, (_, index) => `10.0.0.${index}`))],
      'lan',
      16_384,
    );
    expect(rich!.addresses).to.have.length(16);
  });
});

describe('the provider of told peers', () => {
  let clock: SimulatedClock;
  let provider: ToldProvider;
  let heard: string[];

  beforeEach(async () => {
    clock = new SimulatedClock();
    heard = [];
    provider = new ToldProvider(clock, ({ host }) => host !== '10.0.0.99');
    const listener: ProviderListener = {
      found: ({ id, addresses }) => heard.push(`+${id} ${addresses.map(({ host }) => host).join()}`),
      lost: (key, incarnation) => heard.push(`-${key} ${incarnation}`),
      scanned: () => heard.push('scanned'),
      degraded: () => {},
    };
    await provider.start({}, listener);
  });

  it('hints at every reachable address', () => {
    provider.tell([hint('a', '10.0.0.5', '10.0.0.99'), hint('b', '10.0.0.99')]);
    expect(heard).to.deep.equal(['scanned', '+a 10.0.0.5']);
  });

  /** A dial that fails every ten seconds, for so long. */
  function fail(id: string, ms: number): void {
    for (let time = 0; time <= ms; time += 10_000) {
      provider.failed(hint(id, '10.0.0.5'));
      clock.increment(10_000);
    }
  }

  it('drops an address that leads nowhere for five minutes', () => {
    provider.tell([hint('a', '10.0.0.5')]);
    fail('a', 300_000);
    expect(heard).to.deep.equal(['scanned', '+a 10.0.0.5']);
    fail('a', 0);
    expect(heard.at(-1)).to.equal('-a a-1');
    fail('a', 600_000);
    expect(heard).to.have.length(3);
  });

  it('keeps an address that has worked meanwhile or was told again', () => {
    provider.tell([hint('a', '10.0.0.5')]);
    fail('a', 290_000);
    clock.increment(240_000);
    fail('a', 290_000);
    provider.tell([hint('a', '10.0.0.5')]);
    fail('a', 290_000);
    expect(heard.filter((each) => each.startsWith('-'))).to.deep.equal([]);
  });

  it('does not apply the failure of an old life to a new one', () => {
    provider.tell([hint('a', '10.0.0.5')]);
    provider.tell([{ ...hint('a', '10.0.0.6'), incarnation: 'a-2' }]);
    fail('a', 900_000);
    expect(heard).to.deep.equal(['scanned', '+a 10.0.0.5', '+a 10.0.0.6']);
  });

  it('keeps the newest entries, and withdraws the others', () => {
    provider.tell(Array.from({ length: 1_030 }, (_, index) => hint(`p${index}`, '10.0.0.5')));
    expect(heard.filter((each) => each.startsWith('-'))).to.deep.equal(
      Array.from({ length: 6 }, (_, index) => `-p${index} p${index}-1`),
    );
  });

  it('keeps tags as their owners made them, drops wrong ones, and prefers tagged entries', async () => {
    const tags = new HintTags((await deriveKeys(makeSecret())).hints!);
    const found: Hint[] = [];
    const dropped: string[] = [];
    provider = new ToldProvider(clock, () => true);
    await provider.start(
      { tags },
      {
        ...{ lost: () => {}, scanned: () => {}, degraded: () => {} },
        found: (each) => found.push(each),
        dropped: (lies) => dropped.push(...lies.keys()),
      },
    );
    const bare = hint('a', '127.0.0.1', '10.0.0.5');
    const owners = { ...bare, addresses: bare.addresses.map((address) => tags.sign(bare, address)) };
    // Two hosts on: what was told is told again.
    const told = hintsOf(peerList(hintsOf(peerList([owners], 'lan', 10_000), 'lan'), 'lan', 10_000), 'lan');
    expect(told).to.deep.equal([{ ...bare, addresses: [owners.addresses[1]] }]);
    provider.tell(told);
    provider.tell([hint('a', '10.0.0.66'), hint('b', '10.0.0.66')]);
    provider.tell([{ ...hint('c'), addresses: owners.addresses }]);
    expect(found).to.deep.equal([...told, { ...hint('b', '10.0.0.66'), isAnybodys: true }]);
    expect(dropped).to.deep.equal(['c']);
  });

  it('reports nothing after it was stopped', async () => {
    await provider.stop();
    provider.tell([hint('a', '10.0.0.5')]);
    expect(heard).to.deep.equal(['scanned']);
  });
});
