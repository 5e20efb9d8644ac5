import { once } from 'node:events';

import { expect } from 'chai';
import { WebSocket } from 'ws';

import type { Socket } from '../../src/transport/transport.ts';
import { webSocketTransport } from '../../src/transport/websocket.ts';
import { SUBPROTOCOL } from '../../src/wire/frames.ts';
import { eventually } from '../support/eventually.ts';

describe('an unexpected error while a connection is accepted', () => {
  it('ends that connection, and the next one is accepted', async () => {
    const taken: Socket[] = [];
    const options = { host: '127.0.0.1', ports: [0, 0], largestMessage: 65_536, origins: [], hostNames: [] };
    let isFirst = true;
    const listener = await webSocketTransport().listen({ ...options, ports: [0, 0] }, (socket) => {
      if (isFirst) {
        isFirst = false;
        throw new Error('unforeseen');
      }
      taken.push(socket);
    });
    const dial = (): WebSocket =>
      new WebSocket(`ws://127.0.0.1:${listener.addresses[0]!.port}/`, SUBPROTOCOL);
    const [code] = (await once(dial(), 'close')) as [number];
    expect(code).to.equal(1006);
    const second = dial();
    await once(second, 'open');
    await eventually(() => taken.length === 1);
    second.terminate();
    await listener.close();
  });
});
