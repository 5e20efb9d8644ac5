import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

import { expect } from 'chai';

import { createPeer } from '../../src/index.ts';
import type { Network } from '../../src/testing.ts';
import { natsNetwork } from '../../src/nats.ts';
import { MemoryNetwork } from '../../src/testing.ts';
import { makeSecret } from '../../src/wire/handshake/secret.ts';
import { openBus } from '../../src/transport/nats/bus.ts';
import { checkNatsOptions } from '../../src/transport/nats/nats-options.ts';
import { eventually } from '../support/eventually.ts';
import { NatsServer, needNats } from '../support/nats-server.ts';

/** The client gives a server 10 s. Nothing here may wait for that, and nothing for the 5 s that a stop may take at most. */
const SOON = 4_000;

describe('a NATS server that says nothing', function () {
  this.timeout(120_000);
  const secret = makeSecret();
  const held: Socket[] = [];
  let silent: Server;
  let network: Network;

  before(async function () {
    needNats(this);
    silent = createServer((socket) => held.push(socket));
    await once(silent.listen(0, '127.0.0.1'), 'listening');
    network = natsNetwork({ servers: `127.0.0.1:${(silent.address() as AddressInfo).port}` });
  });

  after(() => {
    for (const socket of held) socket.destroy();
    silent?.close();
  });

  const timed = async (work: Promise<unknown>): Promise<number> => {
    const began = performance.now();
    await work;
    return performance.now() - began;
  };

  it('does not hold up a peer that is stopped before it has started', async () => {
    for (const options of [{ network }, { networks: [new MemoryNetwork(), network] }]) {
      const peer = createPeer({ secret, ...options });
      const before = held.length;
      const start = peer.start().catch((error: Error) => error.message);
      await eventually(() => held.length > before);
      expect(await timed(peer.stop())).to.be.below(SOON);
      expect(await start).to.include('is stopped');
    }
  });

  it('does not hold up a peer with another network', async () => {
    const memory = new MemoryNetwork();
    const [a, b] = ['a', 'b'].map((name) => createPeer({ name, secret, networks: [memory, network] }));
    expect(await timed(Promise.all([a!.start(), b!.start()]))).to.be.below(SOON);
    await a!.peers.ready({ name: 'b' });
    expect(await timed(Promise.all([a!.stop(), b!.stop()]))).to.be.below(SOON);
  });

  it('is left for another one before peers would be missed', async () => {
    const servers = [await NatsServer.start(), await NatsServer.start()];
    const bus = await openBus(checkNatsOptions({ servers: servers.map(({ url }) => url) }), Math.random);
    try {
      const { epoch } = bus;
      servers.find(({ port }) => epoch!.url.endsWith(`:${port}`))!.kill('SIGSTOP');
      // A peer is lost when it has been silent for 8 s.
      await eventually(() => bus.epoch !== undefined && bus.epoch !== epoch, 8_000);
      expect(bus.epoch!.url).not.to.equal(epoch!.url);
    } finally {
      await bus.close();
      await Promise.all(servers.map((server) => server.stop()));
    }
  });
});
