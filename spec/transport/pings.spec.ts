import { once } from 'node:events';

import { expect } from 'chai';
import { WebSocket } from 'ws';

import type { Listener, Socket } from '../../src/transport/transport.ts';
import { webSocketTransport } from '../../src/transport/websocket.ts';
import { SUBPROTOCOL } from '../../src/wire/frames.ts';
import { eventually } from '../support/eventually.ts';

describe('pings that arrive in one piece at a peer that was busy', () => {
  const MANY = 1_000;
  const accepted: Socket[] = [];
  let listener: Listener;
  let client: WebSocket;

  beforeEach(async () => {
    const options = { host: '127.0.0.1', ports: [0, 0], largestMessage: 65_536, origins: [], hostNames: [] };
    listener = await webSocketTransport().listen({ ...options, ports: [0, 0] }, (socket) => {
      socket.trust();
      accepted.push(socket);
    });
    client = new WebSocket(`ws://127.0.0.1:${listener.addresses[0]!.port}/`, SUBPROTOCOL);
    await once(client, 'open');
    await eventually(() => accepted.length === 1);
  });

  afterEach(async () => {
    client.terminate();
    for (const socket of accepted.splice(0)) socket.terminate();
    await listener.close();
  });

  it('are all answered by the answer to the newest, and the connection stays', async () => {
    const pongs: string[] = [];
    client.on('pong', (data) => pongs.push(data.toString()));
    for (let n = 1; n <= MANY; n += 1) client.ping(String(n));
    await eventually(() => pongs.at(-1) === String(MANY));
    expect(pongs.length).to.be.below(MANY);
    expect(client.readyState).to.equal(WebSocket.OPEN);
  });

  it('leave at most one answer in the memory of a peer whose answers are not read', async () => {
    client.pause();
    const [socket] = accepted;
    const before = socket!.received;
    const sent = 400_000;
    for (let n = 0; n < sent; n += 1) client.ping('x'.repeat(100));
    // All have come, since a ping is 106 bytes.
    await eventually(() => socket!.received - before >= sent * 106, 20_000);
    expect(socket!.bufferedAmount).to.be.below(1_000);
  });
});
