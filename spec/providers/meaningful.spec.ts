import { expect } from 'chai';

import { meaningful } from '../../src/providers/meaningful.ts';
import type { Scope } from '../../src/transport/scope.ts';

const at = (hosts: readonly string[]): { host: string; port: number }[] =>
  hosts.map((host) => ({ host, port: 4000 }));
const kept = (hosts: readonly string[], scope: Scope): string[] =>
  meaningful(at(hosts), scope).map(({ host }) => host);

describe('the addresses that one peer tells another', () => {
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

  for (const scope of ['lan', 'wan'] as const) {
    it(`are none that mean something else to a peer in the ${scope}`, () => {
      expect(kept([...useful, ...useless], scope)).to.deep.equal(useful);
      expect(kept(useless, scope)).to.deep.equal([]);
    });
  }

  it('are no names and no unspecified addresses, even within one host', () => {
    const told = [
      '127.0.0.1',
      '::ffff:127.0.0.2',
      'evil.test',
      'localhost',
      '127.1',
      '0.0.0.0',
      '::',
      'fe80::5%lo',
    ];
    expect(kept(told, 'host')).to.deep.equal(['127.0.0.1', '127.0.0.2']);
  });

  it('are all of them within one host', () => {
    expect(kept(['127.0.0.1', '10.0.0.5'], 'host')).to.deep.equal(['127.0.0.1', '10.0.0.5']);
  });

  it('have host, port and tag, and nothing else', () => {
    const told = { host: '10.0.0.5', port: 4000, tag: 't', world: 'secret' };
    expect(meaningful([told], 'lan')).to.deep.equal([{ host: '10.0.0.5', port: 4000, tag: 't' }]);
  });
});
