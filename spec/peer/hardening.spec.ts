import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

import { expect } from 'chai';
import { WebSocket, WebSocketServer } from 'ws';

import type { Peer } from '../../src/index.ts';
import { DialFailed } from '../../src/transport/transport.ts';
import { webSocketTransport } from '../../src/transport/websocket.ts';
import { DiallerHandshake } from '../../src/wire/handshake/handshake.ts';
import { deriveKeys, makeSecret } from '../../src/wire/handshake/secret.ts';
import { wsFrame } from '../support/flood.ts';
import { befriend, someone } from '../support/friend.ts';
import { portOf, Stage } from '../support/peers.ts';

describe('a peer among strangers', () => {
  const stage = new Stage();
  const secret = makeSecret();
  const sockets: (WebSocket | Socket)[] = [];
  let peer: Peer;
  let port: number;

  beforeEach(async () => {
    peer = stage.make({ name: 'guarded', runtimeDir: await stage.folder(), secret });
    peer.connect('answer', () => 42);
    await peer.start();
    port = portOf(peer);
  });

  afterEach(async () => {
    for (const socket of sockets.splice(0)) {
      if (socket instanceof WebSocket) socket.terminate();
      else socket.destroy();
    }
    await stage.clear();
  });

  /** Sends the parts. Resolves with the answer when the other side ends the connection. */
  function say(...parts: (string | Buffer)[]): Promise<string> {
    const socket = connect({ port, host: '127.0.0.1' });
    sockets.push(socket);
    for (const part of parts) socket.write(part);
    return new Promise((resolve) => {
      let heard = '';
      socket.on('data', (data) => (heard += data.toString('latin1')));
      socket.on('error', () => {});
      socket.once('close', () => resolve(heard));
    });
  }

  it('does not compress, whatever is offered', async () => {
    const ws = new WebSocket(`ws://127.0.0.1:${port}/`, 'app-net.v1', { perMessageDeflate: true });
    sockets.push(ws);
    await new Promise((resolve, reject) => ws.once('open', resolve).once('error', reject));
    expect(ws.extensions).to.equal('');
  });

  it('accepts no compressed message, and no connection that claims compression', async () => {
    const server = createServer();
    const upgrader = new WebSocketServer({ server, handleProtocols: () => 'app-net.v1' });
    upgrader.on('headers', (headers) => headers.push('Sec-WebSocket-Extensions: permessage-deflate'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
    const error: unknown = await webSocketTransport()
      .dial(address, { largestMessage: 65_536 })
      .catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(DialFailed);
    for (const client of upgrader.clients) client.terminate();
    await new Promise((resolve) => server.close(resolve));

    const { tcp, closed } = await rawFriend(port, secret);
    // RSV1 says that a frame is compressed; nothing was agreed on.
    tcp.write(Buffer.from([0xc1, 0x80 | 2, 0, 0, 0, 0, 0x7b, 0x7d]));
    expect(await closed).to.be.oneOf([1002, 1006]);
  });

  it('ends a connection that cuts one message into too many pieces, and goes on', async () => {
    const { tcp, closed } = await rawFriend(port, secret);
    const piece = wsFrame(0, false, '');
    tcp.write(Buffer.concat([wsFrame(1, false, '{'), ...Array.from({ length: 1_024 }, () => piece)]));
    expect(await closed).to.equal(1008);
    const next = await befriend(port, secret);
    next.socket.send('{"type":"request","id":1,"tag":"answer","args":[]}');
    expect(await next.message).to.equal('{"type":"result","id":1,"value":42}');
    next.socket.terminate();
  });

  it('accepts a message in many pieces', async () => {
    const { tcp, message } = await rawFriend(port, secret);
    const text = '{"type":"request","id":1,"tag":"answer","args":[]}';
    const pieces = Array.from(text, (each, index) =>
      wsFrame(index === 0 ? 1 : 0, index === text.length - 1, each),
    );
    for (const piece of pieces) tcp.write(piece);
    expect(await message).to.equal('{"type":"result","id":1,"value":42}');
    tcp.destroy();
  });

  it('reads at most 16 KiB of a request', async () => {
    const answer = await say('GET / HTTP/1.1\r\n', `X: ${'x'.repeat(20_000)}\r\n`);
    expect(answer).to.match(/^HTTP\/1.1 431 [\w ]+\r\nConnection: close\r\n\r\n$/);
  });

  it('answers a request that is not HTTP with 400 and nothing else', async () => {
    for (const text of ['\x16\x03\x01\x02\x00', 'hello\r\n\r\n', 'GET / HTTP/9.9\r\n\r\n']) {
      expect(await say(text)).to.match(/^HTTP\/1.1 400 Bad Request\r\nConnection: close\r\n\r\n$/);
    }
  });

  it('answers one request per connection, however many are sent at once', async () => {
    const answer = await say('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(50));
    expect(answer.split('HTTP/1.1 426')).to.have.length(2);
    const posted = await say(
      'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n\r\n',
      'x'.repeat(1_000),
    );
    expect(posted).to.match(/^HTTP\/1.1 426 /);
  });
});

interface Raw {
  /** The bytes of the connection. */
  tcp: Socket;
  message: Promise<string>;
  closed: Promise<number>;
}

/** Somebody who knows the secret, and writes whatever bytes they like. */
async function rawFriend(port: number, secret: string): Promise<Raw> {
  const ws = new WebSocket(`ws://127.0.0.1:${port}/`, 'app-net.v1', { perMessageDeflate: false });
  ws.on('error', () => {});
  const handshake = new DiallerHandshake({
    self: someone,
    keys: await deriveKeys(secret),
    binding: { kind: 'loopback', data: Buffer.from(`127.0.0.1:${port}`) },
    nonce: randomBytes(32),
    to: '',
  });
  const closed = new Promise<number>((resolve) => ws.once('close', resolve));
  const tcp = await new Promise<Socket>((resolve) => {
    ws.once('upgrade', ({ socket }) => ws.once('open', () => resolve(socket)));
  });
  let heard: (text: string) => void;
  const message = new Promise<string>((resolve) => (heard = resolve));
  await new Promise<void>((resolve) => {
    let over = false;
    ws.on('message', (data: Buffer) => {
      const text = data.toString();
      if (over) {
        heard(text);
        return;
      }
      const { send, done } = handshake.receive(text);
      if (send !== undefined) ws.send(send);
      over = done !== undefined;
      if (over) resolve();
    });
    ws.send(handshake.hello());
  });
  return { tcp, message, closed };
}
