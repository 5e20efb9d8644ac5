import { NatsTransport } from '../../src/transport/nats/nats-transport.ts';
import { makeSecret } from '../../src/wire/secret.ts';
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
});
