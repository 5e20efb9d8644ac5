import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket as NetSocket } from 'node:net';

import { expect } from 'chai';

import { DialFailed } from '../../src/transport/transport.ts';
import { webSocketTransport } from '../../src/transport/websocket.ts';
import { SUBPROTOCOL } from '../../src/wire/frames.ts';

describe('the upgrade of a dialled connection', () => {
  let server: Server;
  let answer: (request: string, tcp: NetSocket) => void;
  const ended: Promise<unknown>[] = [];

  beforeEach(async () => {
    server = createServer((tcp) => {
      ended.push(once(tcp, 'close'));
      tcp.on('error', () => {});
      tcp.once('data', (chunk) => answer(chunk.toString('latin1'), tcp));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });

  afterEach(() => {
    server.close();
  });

  const dial = (signal?: AbortSignal) => {
    const { port } = server.address() as AddressInfo;
    const options = { largestMessage: 65_536, ...(signal && { signal }) };
    return webSocketTransport().dial({ host: '127.0.0.1', port }, options);
  };

  /** The right answer, changed as a test wants it. */
  const right = (request: string, changed: Record<string, string | undefined> = {}): string => {
    const key = /sec-websocket-key: (.*)\r\n/i.exec(request)![1]!;
    const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
    const headers = {
      ...{ Upgrade: 'websocket', Connection: 'Upgrade' },
      ...{ 'Sec-WebSocket-Accept': accept, 'Sec-WebSocket-Protocol': SUBPROTOCOL },
      ...changed,
    };
    const lines = Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [`${name}: ${value}\r\n`],
    );
    return `HTTP/1.1 101 Switching Protocols\r\n${lines.join('')}\r\n`;
  };
  /** A text frame from a server, of less than 126 bytes. */
  const frame = (text: string): Buffer =>
    Buffer.concat([Buffer.from([0x81, text.length]), Buffer.from(text)]);

  it('asks as RFC 6455 wants it, with another key each time', async () => {
    const requests: string[] = [];
    answer = (request, tcp) => {
      requests.push(request);
      tcp.write(right(request));
    };
    for (let i = 0; i < 2; i += 1) (await dial()).terminate();
    const [first, second] = requests.map((request) => {
      const [line, ...headers] = request.trimEnd().split('\r\n');
      expect(line).to.equal('GET / HTTP/1.1');
      return new Map(headers.map((header) => header.split(': ') as [string, string]));
    });
    expect(first!.get('Host')).to.equal(`127.0.0.1:${(server.address() as AddressInfo).port}`);
    expect(first!.get('Sec-WebSocket-Version')).to.equal('13');
    expect(first!.get('Sec-WebSocket-Protocol')).to.equal(SUBPROTOCOL);
    const keys = [first, second].map((each) => each!.get('Sec-WebSocket-Key')!);
    expect(keys.map((key) => Buffer.from(key, 'base64').length)).to.deep.equal([16, 16]);
    expect(keys[0]).not.to.equal(keys[1]);
  });

  it('loses nothing that comes in one packet with the answer', async () => {
    answer = (request, tcp) => {
      tcp.write(Buffer.concat([Buffer.from(right(request)), frame('one'), frame('two').subarray(0, 3)]));
      setImmediate(() => tcp.write(Buffer.concat([frame('two').subarray(3), frame('three')])));
    };
    const socket = await dial();
    const got: string[] = [];
    await new Promise<void>((resolve) => {
      const message = (text: string): void => {
        if (got.push(text) === 3) resolve();
      };
      socket.receive({ message, binary: () => {}, closed: () => {} });
    });
    expect(got).to.deep.equal(['one', 'two', 'three']);
    socket.terminate();
  });

  it('takes an answer that comes byte by byte', async () => {
    answer = (request, tcp) => {
      tcp.setNoDelay(true);
      const bytes = [...Buffer.from(right(request))];
      const next = (): void => {
        const byte = bytes.shift();
        if (byte !== undefined) tcp.write(Buffer.of(byte), next);
      };
      next();
    };
    (await dial()).terminate();
  });

  it('takes an answer in any case, with headers that it does not know', async () => {
    answer = (request, tcp) => {
      const changed = {
        Upgrade: 'WebSocket',
        Connection: 'keep-alive, upgrade',
        Date: 'now',
        Server: 'x: y',
      };
      tcp.write(right(request, changed));
    };
    (await dial()).terminate();
  });

  const wrong: Record<string, (request: string) => string> = {
    'is no HTTP': () => 'SSH-2.0-OpenSSH_9.2p1\r\n\r\n',
    'is of another version of HTTP': (request) => right(request).replace('HTTP/1.1', 'HTTP/1.0'),
    'has another status': () => 'HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n',
    'upgrades to something else': (request) => right(request, { Upgrade: 'h2c' }),
    'does not upgrade the connection': (request) => right(request, { Connection: 'close' }),
    'has the proof of another key': (request) => right(request, { 'Sec-WebSocket-Accept': 'A'.repeat(28) }),
    'has no proof': (request) => right(request, { 'Sec-WebSocket-Accept': undefined }),
    'has another subprotocol': (request) => right(request, { 'Sec-WebSocket-Protocol': 'chat' }),
    'has no subprotocol': (request) => right(request, { 'Sec-WebSocket-Protocol': undefined }),
    'has the subprotocol twice': (request) => right(request, { 'sec-websocket-protocol': SUBPROTOCOL }),
    'has an extension that nobody offered': (request) =>
      right(request, { 'Sec-WebSocket-Extensions': 'permessage-deflate' }),
    'has a line that is no header': (request) => right(request).replace('Upgrade', 'no colon\r\nUpgrade'),
    'never ends': () => `HTTP/1.1 101 Switching Protocols\r\nX: ${'x'.repeat(20_000)}`,
  };
  for (const [what, text] of Object.entries(wrong)) {
    it(`is refused, and the connection cut, when the answer ${what}`, async () => {
      answer = (request, tcp) => tcp.write(text(request));
      const error = await dial().catch((failed: unknown) => failed);
      expect(error).to.be.instanceOf(DialFailed).with.property('refused', false);
      await Promise.all(ended);
    });
  }

  it('fails when the connection is closed or reset before the answer', async () => {
    for (const close of [(tcp: NetSocket) => tcp.end(), (tcp: NetSocket) => tcp.resetAndDestroy()]) {
      answer = (_, tcp) => close(tcp);
      expect(await dial().catch((failed: unknown) => failed)).to.be.instanceOf(DialFailed);
    }
  });

  it('is taken back while the answer is awaited', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    answer = () => controller.abort(reason);
    expect(await dial(controller.signal).catch((failed: unknown) => failed)).to.equal(reason);
    await Promise.all(ended);
  });
});
