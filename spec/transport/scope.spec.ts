import type { NetworkInterfaceInfo } from 'node:os';

import { expect } from 'chai';

import { ipAddresses, isLoopback, nearestFirst } from '../../src/transport/address.ts';
import { scopeOf, surroundingsOf } from '../../src/transport/scope.ts';

const own = surroundingsOf([
  { address: '127.0.0.1', cidr: '127.0.0.1/8' },
  { address: '203.0.113.7', cidr: '203.0.113.7/24' },
  { address: '2001:db8::7', cidr: '2001:db8::7/64' },
] as NetworkInterfaceInfo[]);

describe('the place of a peer', () => {
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
        expect(scopeOf(address, () => own)).to.equal(scope.trim());
      });
    }
  }

  it('is what this host really reports', () => {
    expect(scopeOf('127.0.0.1')).to.equal('host');
  });

  it('is known for loopback without asking the system', () => {
    const never = (): never => {
      throw new Error('asked');
    };
    for (const address of ['127.0.0.1', '::1', '::ffff:127.0.0.1', '0:0:0:0:0:0:0:1']) {
      expect(scopeOf(address, never)).to.equal('host');
    }
  });

  it('is wan when the text is not an address', () => {
    for (const text of ['', 'localhost.example', '127.1', '::zz'])
      expect(scopeOf(text, () => own)).to.equal('wan');
  });
});

describe('an address', () => {
  it('is loopback when its packets never leave the host', () => {
    const loopback = [
      '127.0.0.1',
      '127.1.2.3',
      '::1',
      'localhost',
      '::ffff:127.0.0.1',
      '::ffff:7f00:1',
    ].concat(['0:0:0:0:0:0:0:1', '0000:0::0001', '0:0:0:0:0:FFFF:127.0.0.1']);
    expect(loopback.filter((each) => !isLoopback(each))).to.deep.equal([]);
    const others = [
      '0.0.0.0',
      '::',
      '10.0.0.1',
      '127.0.0.1.example.com',
      'localhost.example.com',
      '::ffff:10.0.0.1',
      '::127.0.0.1',
      // Some systems take these for addresses. Nobody has to write them.
      ...['127.1', '0x7f.0.0.1', '0177.0.0.1', '2130706433', '127.0.0.01'],
      '',
    ];
    expect(others.filter(isLoopback)).to.deep.equal([]);
  });

  it('is accepted from others only as an IP address in its canonical form, and never as a name', () => {
    const written = [
      '10.0.0.5',
      '::FFFF:10.0.0.5',
      '2001:DB8:0::0005',
      'fe80::5%eth0',
      '0:0:0:0:0:0:0:1',
    ].concat(['evil.test', 'localhost', '0x7f.1', '10.0.0.05', '']);
    expect(ipAddresses(written.map((host) => ({ host, port: 1 }))).map(({ host }) => host)).to.deep.equal([
      '10.0.0.5',
      '10.0.0.5',
      '2001:db8::5',
      'fe80::5%eth0',
      '::1',
    ]);
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
