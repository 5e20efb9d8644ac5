import { once } from 'node:events';
import { connect } from 'node:net';

import { expect } from 'chai';

import type { Listener, Socket } from '../../src/transport/transport.ts';
import { readUsual, requestOf } from '../../src/transport/usual-upgrade.ts';
import { webSocketTransport } from '../../src/transport/websocket.ts';

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';

describe('the request of our own dialler', () => {
  it('is known by its exact bytes', () => {
    for (const host of ['127.0.0.1:4000', '[::1]:65535', 'my-host.example:1', 'localhost'])
      expect(readUsual(Buffer.from(requestOf(host, KEY)))).to.deep.equal({ host, key: KEY });
  });

  it('is not known with any byte changed, left out or added, but for another host or key', () => {
    const right = Buffer.from(requestOf('127.0.0.1:4000', KEY));
    const changed: Buffer[] = [];
    for (const at of right.keys()) {
      const [before, after] = [right.subarray(0, at), right.subarray(at + 1)];
      for (const other of ['\r', '\n', ' ', 'x', ':', '\0', 'ÿ'])
        changed.push(Buffer.concat([before, Buffer.from(other, 'latin1'), after]));
      for (const more of [' ', '\r\n', 'x', '\r\nOrigin: x'])
        changed.push(Buffer.concat([before, Buffer.from(more), right.subarray(at)]));
      changed.push(Buffer.concat([before, after]), before);
    }
    for (const bytes of changed) {
      const read = readUsual(bytes);
      if (!read) continue;
      expect(requestOf(read.host, read.key)).to.equal(bytes.toString('latin1'));
      expect(read.host).to.match(/^[\w.:[\]-]+$/);
      expect(read.key).to.match(/^[A-Za-z0-9+/]{22}==$/);
    }
    expect(readUsual(Buffer.concat([right, right]))).to.equal(undefined);
    expect(readUsual(Buffer.from(requestOf('x'.repeat(300), KEY)))).to.equal(undefined);
  });
});

describe('an upgrade', () => {
  const accepted: Socket[] = [];
  let listener: Listener;
  let port: number;

  beforeEach(async () => {
    const options = { host: '127.0.0.1', ports: [0, 0], largestMessage: 65_536, origins: [], hostNames: [] };
    listener = await webSocketTransport().listen({ ...options, ports: [0, 0] }, (socket) =>
      accepted.push(socket),
    );
    port = listener.addresses[0]!.port;
  });

  afterEach(async () => {
    for (const each of accepted.splice(0)) each.terminate();
    await listener.close();
  });

  /** The answer, to its empty line. @param packets each is sent when the one before has arrived */
  async function answer(...packets: string[]): Promise<string> {
    const tcp = connect({ port, host: '127.0.0.1', noDelay: true });
    tcp.on('error', () => {});
    await once(tcp, 'connect');
    let heard = '';
    const over = new Promise<void>((resolve) => {
      tcp.on('data', (chunk) => {
        heard += chunk.toString('latin1');
        if (heard.includes('\r\n\r\n')) resolve();
      });
      tcp.on('close', () => resolve());
    });
    for (const packet of packets) {
      await new Promise((resolve) => tcp.write(packet, 'latin1', resolve));
      // The bytes on loopback are there when the write is done. Two turns let the listener read them.
      await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    }
    await over;
    tcp.destroy();
    return heard;
  }

  for (const [what, host] of [
    ['granted', '127.0.0.1:4000'],
    ['refused to an unknown name', 'evil.example'],
  ] as const) {
    it(`is ${what} in the same words, whether our own code or Node's parser reads the request`, async () => {
      const request = requestOf(host, KEY);
      const usual = await answer(request);
      expect(usual).to.match(host === 'evil.example' ? /^HTTP\/1.1 403 / : /^HTTP\/1.1 101 /);
      expect(await answer(request.slice(0, 30), request.slice(30))).to.equal(usual);
      expect(await answer(request.replace('Host: ', 'host:'))).to.equal(usual);
      expect(await answer(request.replace('\r\n\r\n', '\r\nX: y\r\n\r\n'))).to.equal(usual);
    });
  }

  it('is refused to a web page', async () => {
    const request = requestOf('127.0.0.1', KEY).replace('\r\n\r\n', '\r\nOrigin: http://127.0.0.1\r\n\r\n');
    expect(await answer(request)).to.match(/^HTTP\/1.1 403 /);
  });

  it('is not waited for by a side that says nothing and ends', async () => {
    const tcp = connect({ port, host: '127.0.0.1' });
    tcp.on('error', () => {}).resume();
    await once(tcp, 'connect');
    tcp.end();
    await once(tcp, 'close');
  });
});
