import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket as NetSocket } from 'node:net';

import { expect } from 'chai';

import type { Socket } from '../../src/transport/transport.ts';
import { webSocketTransport } from '../../src/transport/websocket.ts';
import { SUBPROTOCOL } from '../../src/wire/frames.ts';

const HOST = '127.0.0.1';
const LIMITS = { largestMessage: 65_536 };

/** A connection: our end of it, and the other end below the WebSocket. */
interface Ends {
  socket: Socket;
  other: NetSocket;
  /** The head of a text frame from the other end, of less than 126 bytes. */
  head: (length: number) => number[];
  close: () => unknown;
}

async function dialled(): Promise<Ends> {
  const server = createServer({ noDelay: true }).listen(0, HOST);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const came = once(server, 'connection') as Promise<[NetSocket]>;
  const opening = webSocketTransport().dial({ host: HOST, port }, LIMITS);
  const [other] = await came;
  const [request] = (await once(other, 'data')) as [Buffer];
  const key = /sec-websocket-key: (.*)\r\n/i.exec(String(request))![1]!;
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  other.write(
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      `Sec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: ${SUBPROTOCOL}\r\n\r\n`,
  );
  const socket = await opening;
  return { socket, other, head: (length) => [0x81, length], close: () => server.close() };
}

async function accepted(): Promise<Ends> {
  let take: (socket: Socket) => void;
  const taken = new Promise<Socket>((resolve) => (take = resolve));
  const options = { host: HOST, hostNames: [], origins: [], ...LIMITS };
  const listener = await webSocketTransport().listen({ ...options, ports: [0, 0] }, (each) => take(each));
  const { port } = listener.addresses[0]!;
  const other = connect({ port, host: HOST, noDelay: true });
  other.write(
    `GET / HTTP/1.1\r\nHost: ${HOST}:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n` +
      `Sec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}\r\nSec-WebSocket-Protocol: ${SUBPROTOCOL}\r\n\r\n`,
  );
  const socket = await taken;
  await once(other, 'data');
  // A mask of zeros changes nothing.
  return {
    ...{ socket, other, close: () => listener.close() },
    head: (length) => [0x81, 0x80 | length, 0, 0, 0, 0],
  };
}

for (const [title, open] of Object.entries({ dialled, accepted })) {
  describe(`a connection that was ${title} and that the other side has reset`, () => {
    it('passes on what that side said last, also if this side writes before it reads', async () => {
      const { socket, other, head, close } = await open();
      socket.trust();
      const heard: (string | number)[] = [];
      const closed = new Promise<void>((resolve) => {
        socket.receive({
          message: (text) => heard.push(text),
          binary: () => {},
          closed: (code) => {
            heard.push(code);
            resolve();
          },
        });
      });
      // All of this in one turn of the event loop: nothing is read in between.
      for (const text of ['the answer', 'goodbye'])
        other.write(Buffer.from([...head(text.length), ...Buffer.from(text)]));
      other.resetAndDestroy();
      for (let count = 0; count < 3; count += 1) socket.send('a request');
      await closed;
      expect(heard).to.deep.equal(['the answer', 'goodbye', 1006]);
      await close();
    });
  });
}
