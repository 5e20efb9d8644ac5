import { expect } from 'chai';

import { NatsTransport } from '../../src/transport/nats/nats-transport.ts';
import { natsAddress } from '../../src/transport/nats/subjects.ts';
import { DialFailed } from '../../src/transport/transport.ts';
import { HANDSHAKE_TIME } from '../../src/wire/handshake/handshake.ts';
import { makeSecret } from '../../src/wire/handshake/secret.ts';
import { NatsServer, needNats, openStation } from '../support/nats-server.ts';
import { describeTransport } from './contract.ts';

describe('over a NATS server', () => {
  let server: NatsServer;

  before(async function () {
    needNats(this);
    server = await NatsServer.start();
  });

  after(() => server?.stop());

  describeTransport('NATS', async () => {
    const secret = makeSecret();
    const stations = await Promise.all(
      ['a', 'b'].map((id) => openStation({ servers: server.url }, secret, id)),
    );
    const [acceptor, dialler] = stations.map((station) => new NatsTransport(station));
    return {
      acceptor: acceptor!,
      dialler: dialler!,
      close: () => Promise.all(stations.map((station) => station.close())),
    };
  });

  it('notice that nobody is there, although the server handed the call to one who had just died', async () => {
    const secret = makeSecret();
    const [dead, dialler] = await Promise.all(
      ['dead', 'dialler'].map((id) => openStation({ servers: server.url }, secret, id)),
    );
    const subject = dead!.subjects.life(dead!.self);
    let swallowed = 0;
    const unsubscribe = dead!.bus.subscribe(subject, () => {
      swallowed += 1;
      unsubscribe();
    });
    await dead!.bus.settled();
    const began = performance.now();
    const failure = await new NatsTransport(dialler!)
      .dial(natsAddress(dead!.self), { largestMessage: 1_000 })
      .catch((error: unknown) => error);
    expect(failure)
      .to.be.instanceOf(DialFailed)
      .and.to.have.property('message')
      .that.includes('nobody is there');
    expect(swallowed).to.equal(1);
    expect(performance.now() - began).to.be.below(HANDSHAKE_TIME);
    await Promise.all([dead!.close(), dialler!.close()]);
  });
});
