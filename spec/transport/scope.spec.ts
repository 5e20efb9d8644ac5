import type { NetworkInterfaceInfo } from 'node:os';

import { expect } from 'chai';

import { isLoopback, nearestFirst } from '../../src/transport/address.ts';
import { scopeOf } from '../../src/transport/scope.ts';

const own = [
  { address: '127.0.0.1', cidr: '127.0.0.1/8' },
  { address: '203.0.113.7', cidr: '203.0.113.7/24' },
  { address: '2001:db8::7', cidr: '2001:db8::7/64' },
] as NetworkInterfaceInfo[];

describe('where a peer is', () => {
  for (const [scope, addresses] of Object.entries({
    host: [
      '127.0.0.1',
      '127.9.9.9',
      '::1',
      '::ffff:127.0.0.1',
      '203.0.113.7',
      '::ffff:203.0.113.7',
      '2001:db8::7',
    ],
    lan: ['10.1.2.3', '172.31.0.1', '192.168.1.5', '169.254.1.1', '100.64.0.1', '::ffff:10.1.2.3'],
    'lan ': ['fd00::1', 'fe80::1%eth0', '203.0.113.8', '2001:db8::8'],
    wan: ['198.51.100.1', '172.32.0.1', '100.128.0.1', '2001:db8:1::7', '::ffff:8.8.8.8'],
  })) {
    for (const address of addresses) {
      it(`is ${scope.trim()} when it answers from ${address}`, () => {
        expect(scopeOf(address, own)).to.equal(scope.trim());
      });
    }
  }

  it('is told by this host as it is', () => {
    expect(scopeOf('127.0.0.1')).to.equal('host');
  });
});

describe('an address', () => {
  it('is loopback when packets to it never leave the host', () => {
    expect(['127.0.0.1', '127.1.2.3', '::1', 'localhost', '::ffff:127.0.0.1'].every(isLoopback)).to.equal(
      true,
    );
    const others = [
      '0.0.0.0',
      '::',
      '10.0.0.1',
      '127.0.0.1.example.com',
      'localhost.example.com',
      '::ffff:10.0.0.1',
      '',
    ];
    expect(others.filter(isLoopback)).to.deep.equal([]);
  });

  it('is tried once, and the one on this host first', () => {
    const [far, near, mapped] = [
      { host: '10.0.0.1', port: 1 },
      { host: '127.0.0.1', port: 1 },
      { host: '::1', port: 1 },
    ];
    expect(nearestFirst([far, near, { ...far }, mapped, near])).to.deep.equal([near, mapped, far]);
    expect(nearestFirst([far, { ...far, port: 2 }])).to.have.length(2);
  });
});
