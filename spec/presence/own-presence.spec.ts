import { expect } from 'chai';

import { OwnPresence } from '../../src/presence/exchange/own-presence.ts';
import { acceptor, description, dialler, exchange } from '../support/handshake.ts';

describe('what a peer tells of its own presence', () => {
  it('fits into a handshake on a host with any number of addresses', () => {
    const life = { id: 'dialler', incarnation: 'dialler-1' };
    const own = new OwnPresence(life, 1_790_000_000_000, () => description('dialler'));
    own.listens(Array.from({ length: 40 }, (_, index) => ({ host: `10.0.0.${index + 1}`, port: 4000 })));
    const { addresses } = own.member();
    const { party } = exchange(dialler({}, own.describe()), acceptor()).acceptor;
    expect(party.addresses).to.deep.equal(addresses);
    expect(party.addresses[0]).to.deep.equal({ host: '10.0.0.1', port: 4000 });
    expect(party.addresses).to.have.length(16);
  });
});
