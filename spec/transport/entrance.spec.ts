import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import type { Socket as NetSocket } from 'node:net';
import { connect as connectTls } from 'node:tls';

import { expect } from 'chai';

import { EVERYWHERE } from '../../src/transport/address.ts';
import { MOST_STRANGERS } from '../../src/transport/strangers.ts';
import type { Listener, Socket } from '../../src/transport/transport.ts';
import { webSocketTransport } from '../../src/transport/websocket.ts';
import { eventually } from '../support/eventually.ts';
import { needOwnAddress, ownAddress } from '../support/own-address.ts';

describe('the entrance for other hosts', () => {
  const own = ownAddress()!;
  const transport = webSocketTransport();
  const strangers: NetSocket[] = [];
  const accepted: Socket[] = [];
  let listener: Listener;
  let port: number;

  before(function () {
    needOwnAddress(this);
  });

  beforeEach(async () => {
    const options = {
      host: EVERYWHERE,
      ports: [0, 0],
      largestMessage: 65_536,
      origins: [],
      hostNames: ['my.name'],
    } as const;
    listener = await transport.listen(options, (socket) => accepted.push(socket));
    port = listener.addresses[0]!.port;
  });

  afterEach(async () => {
    for (const each of strangers.splice(0)) each.destroy();
    for (const each of accepted.splice(0)) each.terminate();
    await listener.close();
  });

  function encrypted(): NetSocket {
    const stream = connectTls({ host: own, port, rejectUnauthorized: false });
    stream.on('error', () => {});
    strangers.push(stream);
    return stream;
  }

  function raw(): NetSocket {
    const tcp = connectTcp(port, own).on('error', () => {});
    strangers.push(tcp);
    return tcp;
  }

  /** The head of the answer to an upgrade with these headers. */
  async function upgrade(headers: string): Promise<string> {
    const stream = encrypted();
    stream.write(
      'GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n' +
        `Sec-WebSocket-Key: ${'A'.repeat(22)}==\r\nSec-WebSocket-Protocol: app-net.v1\r\n${headers}\r\n\r\n`,
    );
    const [data] = (await once(stream, 'data')) as [Buffer];
    return data.toString();
  }

  it('does not answer a client without TLS, and goes on', async () => {
    for (const words of [
      'GET / HTTP/1.1\r\n\r\n',
      '\u0016\u0003\u0001\u0000\u0005hello',
      '\u0000'.repeat(1_000),
    ]) {
      const tcp = raw();
      const heard: Buffer[] = [];
      tcp.on('data', (data) => heard.push(data)).write(words);
      await once(tcp, 'close');
      // An alert of TLS at most, of seven bytes.
      expect(Buffer.concat(heard).length).to.be.at.most(7);
    }
    expect(await upgrade(`Host: ${own}`)).to.include('HTTP/1.1 101 Switching Protocols\r\n');
  });

  it('refuses web pages and unknown names, as within the host', async () => {
    for (const [headers, status] of [
      [`Host: ${own}:${port}`, 101],
      ['Host: 198.51.100.7', 101],
      ['Host: [2001:db8::1]:4000', 101],
      ['Host: localhost', 101],
      ['Host: MY.name:4000', 101],
      ['Host: evil.example', 403],
      [`Host: ${own}.evil.example`, 403],
      ['Host: [evil]', 403],
      ['Host:', 403],
      [`Host: ${own}\r\nOrigin: https://${own}`, 403],
    ] as const) {
      expect(await upgrade(headers), headers).to.include(` ${status} `);
    }
  });

  it('does not compress, even on request', async () => {
    const answer = await upgrade(`Host: ${own}\r\nSec-WebSocket-Extensions: permessage-deflate`);
    expect(answer)
      .to.include(' 101 ')
      .and.not.to.match(/extensions|deflate/i);
  });

  it('cuts off a stranger that sends more than a handshake needs', async () => {
    const stream = encrypted();
    stream.write(
      `GET / HTTP/1.1\r\nHost: ${own}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${'A'.repeat(22)}==\r\nSec-WebSocket-Protocol: app-net.v1\r\n\r\n`,
    );
    await once(stream, 'data');
    // One message of 60,000 bytes, which is within the limit of friends.
    const head = Buffer.from([0x81, 0xfe, 60_000 >> 8, 60_000 & 0xff, 0, 0, 0, 0]);
    stream.write(Buffer.concat([head, Buffer.alloc(60_000, 'x')]));
    await once(stream, 'close');
  });

  it('makes room by closing the oldest stranger, and never a peer that proved itself', async () => {
    const friend = await transport.dial({ host: own, port }, { largestMessage: 65_536 });
    await eventually(() => expect(accepted).to.have.length(1));
    accepted[0]!.trust();
    const heard: (string | number)[] = [];
    const note = (item: string | number): void => void heard.push(item);
    friend.receive({ message: note, binary: () => {}, closed: note });
    // Some stay silent, some get as far as TLS goes.
    const waiting = Array.from({ length: MOST_STRANGERS + 10 }, (_, index) =>
      index % 2 ? raw() : encrypted(),
    );
    await eventually(() => expect(waiting.filter(({ closed }) => closed)).to.have.length.at.least(10));
    expect(waiting.at(-1)!.closed).to.equal(false);
    accepted[0]!.send('still here');
    await eventually(() => expect(heard).to.deep.equal(['still here']));
    friend.terminate();
  });

  it('closes strangers when it stops, and nobody else', async () => {
    const friend = await transport.dial({ host: own, port }, { largestMessage: 65_536 });
    await eventually(() => expect(accepted).to.have.length(1));
    accepted[0]!.trust();
    const waiting = [raw(), encrypted()];
    await Promise.all([once(waiting[0]!, 'connect'), once(waiting[1]!, 'secureConnect')]);
    await listener.close();
    await eventually(() => waiting.every(({ closed }) => closed));
    const answer = new Promise<string>((resolve) => {
      friend.receive({ message: resolve, binary: () => {}, closed: () => {} });
    });
    accepted[0]!.send('still here');
    expect(await answer).to.equal('still here');
    friend.terminate();
  });
});
