import { expect } from 'chai';

import { DialFailed } from '../../src/transport/transport.ts';
import type { Address } from '../../src/transport/address.ts';
import type { Socket, Transport } from '../../src/transport/transport.ts';
import { withinHost } from '../../src/transport/within-host.ts';
import { ownAddress } from '../support/own-address.ts';

describe('the transport of a peer that stays within its host', () => {
  const dialled: string[] = [];
  const transport: Transport = {
    listen: () => Promise.reject(new Error('not used')),
    dial: ({ host }) => {
      dialled.push(host);
      return Promise.resolve({} as Socket);
    },
  };
  const dial = (address: Address): Promise<unknown> =>
    withinHost(transport)
      .dial(address, { largestMessage: 1 })
      .catch((error: unknown) => error);

  it('dials nothing beyond the host, and resolves no name', async () => {
    for (const host of [
      '10.99.0.2',
      '8.8.8.8',
      '2001:db8::1',
      'evil.test',
      'localhost.evil.test',
      '127.1',
      '',
    ]) {
      expect(await dial({ host, port: 7 }), host)
        .to.be.instanceOf(DialFailed)
        .and.include({ refused: false });
    }
    expect(dialled).to.deep.equal([]);
  });

  it('dials loopback in any spelling, and the own addresses', async () => {
    const own = ownAddress();
    const hosts = ['127.0.0.1', '::1', '::ffff:127.0.0.1', 'localhost', ...(own === undefined ? [] : [own])];
    for (const host of hosts) await dial({ host, port: 7 });
    expect(dialled).to.deep.equal(hosts);
  });
});
