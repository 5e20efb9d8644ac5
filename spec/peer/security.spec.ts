import { request } from 'node:http';
import { connect } from 'node:net';
import type { Socket as NetSocket } from 'node:net';

import { expect } from 'chai';
import { WebSocket } from 'ws';

import type { Peer } from '../../src/index.ts';
import { webSocketTransport } from '../../src/transport/websocket.ts';
import { MOST_STRANGERS } from '../../src/transport/strangers.ts';
import { dialHandshake } from '../../src/connection/dial/handshaking.ts';
import { systemClock } from '../../src/base/time/clock.ts';
import { deriveKeys, makeSecret } from '../../src/wire/handshake/secret.ts';
import { eventually } from '../support/eventually.ts';
import { befriend, someone } from '../support/friend.ts';
import { meet, portOf, Stage } from '../support/peers.ts';

describe('a listening peer', () => {
  const stage = new Stage();
  const sockets: (WebSocket | NetSocket)[] = [];
  const secret = makeSecret();
  let runtimeDir: string;
  let peer: Peer;
  let port: number;

  beforeEach(async () => {
    runtimeDir = await stage.folder();
    peer = stage.make({ name: 'guarded', runtimeDir, secret });
    peer.connect('secret function', () => 'ran');
    await peer.start();
    port = portOf(peer);
  });

  afterEach(async () => {
    for (const socket of sockets.splice(0))
      socket instanceof WebSocket ? socket.terminate() : socket.destroy();
    // An honest peer still gets in after every attack.
    const honest = stage.make({ runtimeDir, secret });
    await honest.start();
    const [found] = await meet(honest, peer.id);
    expect(await found!.call('secret function')).to.equal('ran');
    await stage.clear();
  });

  /** The status of an upgrade, or the close code when it was let in. */
  function dial(headers: Record<string, string>, protocols: string[] = ['app-net.v1']): Promise<number> {
    return new Promise((resolve) => {
      const ws = new WebSocket(`ws://127.0.0.1:${port}/`, protocols, { headers });
      sockets.push(ws);
      ws.on('unexpected-response', (_, response) => resolve(response.statusCode!));
      ws.on('open', () => resolve(101));
      ws.on('error', () => {});
    });
  }

  it('answers plain HTTP with 426 and nothing else', async () => {
    for (const [method, path] of [
      ['GET', '/'],
      ['POST', '/anything'],
      ['OPTIONS', '/'],
    ]) {
      const answer = await new Promise<{ status: number; headers: object; body: string }>(
        (resolve, reject) => {
          const sent = request({ port, host: '127.0.0.1', method, path, agent: false }, (response) => {
            let body = '';
            response.on('data', (data) => (body += String(data)));
            response.on('end', () =>
              resolve({ status: response.statusCode!, headers: response.headers, body }),
            );
          });
          sent.on('error', reject);
          sent.end();
        },
      );
      expect(answer.status).to.equal(426);
      expect(answer.body).to.equal('');
      expect(Object.keys(answer.headers)).to.have.members([
        'connection',
        'upgrade',
        'content-length',
        'date',
      ]);
    }
  });

  it('refuses a web page of any origin', async () => {
    expect(await dial({ Origin: 'http://localhost' })).to.equal(403);
    expect(await dial({ Origin: `http://127.0.0.1:${port}` })).to.equal(403);
    expect(await dial({ Origin: 'null' })).to.equal(403);
    expect(await dial({ Origin: 'https://evil.example' })).to.equal(403);
  });

  it('accepts an origin that was allowed', async () => {
    const open = stage.make({ runtimeDir, secret, origins: ['https://good.example'] });
    await open.start();
    port = portOf(open);
    expect(await dial({ Origin: 'https://good.example' })).to.equal(101);
    expect(await dial({ Origin: 'https://good.example.evil' })).to.equal(403);
  });

  it('refuses a request for a host name that is not its own', async () => {
    expect(await dial({ Host: 'evil.example' })).to.equal(403);
    expect(await dial({ Host: `127.0.0.1.evil.example:${port}` })).to.equal(403);
    expect(await dial({ Host: `LOCALHOST:${port}` })).to.equal(101);
  });

  it('refuses a client that does not speak its protocol', async () => {
    expect(await dial({}, [])).to.equal(400);
    expect(await dial({}, ['app-net.v2'])).to.equal(400);
  });

  it('ends a handshake with the wrong secret without a reason', async () => {
    const outcome = await shake(await deriveKeys(makeSecret()));
    expect(outcome).to.equal('other');
    const stranger = stage.make({ runtimeDir, secret: makeSecret() });
    await stranger.start();
    expect(await stranger.getPeers({ group: '*' })).to.deep.equal([]);
    expect([...peer.peers]).to.deep.equal([]);
  });

  it('closes with the same code for every fault of a handshake', async () => {
    const hello = JSON.stringify({
      type: 'hello',
      versions: [1],
      id: 'x',
      incarnation: 'y',
      nonce: Buffer.alloc(32).toString('base64url'),
      to: '',
      limits: { message: 1, calls: 1 },
    });
    const faults: string[][] = [
      ['not JSON'],
      ['{"type":"request","id":1,"tag":"secret function","args":[],"kwargs":{}}'],
      [hello.replace('[1]', '[2]')],
      [hello.replace('"to":""', '"to":"somebody-else"')],
      [hello, '{"type":"proof","proof":""}'],
      [hello, `{"type":"proof","proof":"${Buffer.alloc(32).toString('base64url')}"}`],
      [hello, '{"type":"request","id":1,"tag":"secret function","args":[],"kwargs":{}}'],
      ['x'.repeat(17_000)],
    ];
    for (const messages of faults) expect(await say(messages), messages.at(-1)!.slice(0, 60)).to.equal(4401);
    expect(peer.actor.system.get('dispatcher').getSnapshot().context.settled).to.equal(0);
  });

  it('refuses its own messages when they are sent back to it', async () => {
    // A mirror: whatever it is sent it says itself.
    const first = raw();
    const second = raw();
    const codes = [closeCode(first), closeCode(second)];
    await opened(first, second);
    first.on('message', (data: Buffer) => second.send(data.toString('utf8')));
    second.on('message', (data: Buffer) => first.send(data.toString('utf8')));
    first.send(helloOf('mirror-a'));
    expect(await Promise.race(codes)).to.equal(4401);
  });

  it('refuses a handshake that was recorded', async () => {
    // An honest dialler's messages, heard by somebody who then says them again.
    const heard: string[] = [];
    const socket = await webSocketTransport().dial({ host: '127.0.0.1', port }, { largestMessage: 65_536 });
    const send = socket.send.bind(socket);
    socket.send = (text: string) => (heard.push(text), send(text));
    const keys = await deriveKeys(secret);
    await new Promise<void>((resolve, reject) => {
      dialHandshake(
        socket,
        peer.id,
        { self: someone, keys, clock: systemClock },
        { done: () => resolve(), failed: reject },
      );
    });
    socket.terminate();
    expect(heard).to.have.length(3);
    expect(await say(heard)).to.equal(4401);
  });

  it('closes the oldest connection when too many strangers hold one open', async () => {
    const held = Array.from({ length: MOST_STRANGERS + 10 }, () => connect({ port, host: '127.0.0.1' }));
    sockets.push(...held);
    for (const socket of held) socket.on('error', () => {});
    await eventually(() => held.filter((socket) => socket.closed).length >= 10);
    expect(held.at(-1)!.closed).to.equal(false);
  });

  it('cuts off a stranger that sends more than a handshake needs', async () => {
    const ws = raw();
    const code = closeCode(ws);
    await opened(ws);
    ws.send('x'.repeat(1_000_000));
    expect(await code).to.be.oneOf([1006, 4401]);
  });

  it('ends a connection that sends a binary message', async () => {
    const ws = raw();
    const code = closeCode(ws);
    await opened(ws);
    ws.send(Buffer.from(helloOf('binary')));
    expect(await code).to.equal(4400);
  });

  it('ends a connection that sends malformed frames, and goes on', async () => {
    for (const frame of [
      'not JSON',
      '{"type":"nonsense"}',
      '[]',
      '{"type":"request","id":0}',
      '[['.repeat(50_000),
    ]) {
      const { socket, closed } = await befriend(port, secret);
      socket.send(frame);
      expect(await closed, frame.slice(0, 40)).to.equal(4400);
    }
  });

  it('answers a request for an unknown tag, and goes on', async () => {
    const { socket, message } = await befriend(port, secret);
    socket.send('{"type":"request","id":1,"tag":"__proto__","args":[]}');
    expect(JSON.parse(await message)).to.deep.include({ type: 'error', id: 1 });
  });

  it('ignores answers to questions that it did not ask', async () => {
    const { socket, message } = await befriend(port, secret);
    socket.send('{"type":"result","id":99,"value":1}\n{"type":"cancel","id":98}\n{"type":"result","id":1}');
    socket.send('{"type":"request","id":1,"tag":"secret function","args":[]}');
    expect(await message).to.equal('{"type":"result","id":1,"value":"ran"}');
  });

  it('ends a connection that uses a request id twice', async () => {
    const { socket, closed } = await befriend(port, secret);
    socket.send(
      '{"type":"request","id":2,"tag":"t","args":[]}\n{"type":"request","id":2,"tag":"t","args":[]}',
    );
    expect(await closed).to.equal(4400);
  });

  // --- strangers of several kinds ---

  async function shake(keys: Awaited<ReturnType<typeof deriveKeys>>): Promise<string> {
    const socket = await webSocketTransport().dial({ host: '127.0.0.1', port }, { largestMessage: 65_536 });
    return new Promise((resolve) => {
      dialHandshake(
        socket,
        '',
        { self: someone, keys, clock: systemClock },
        {
          done: () => resolve('done'),
          failed: ({ message }) => resolve(message.replace(/the other side .*/, 'other')),
        },
      );
    });
  }

  function raw(): WebSocket {
    const ws = new WebSocket(`ws://127.0.0.1:${port}/`, 'app-net.v1');
    sockets.push(ws);
    ws.on('error', () => {});
    return ws;
  }

  async function opened(...all: WebSocket[]): Promise<void> {
    await Promise.all(all.map((ws) => new Promise((resolve) => ws.once('open', resolve))));
  }

  function closeCode(ws: WebSocket): Promise<number> {
    return new Promise((resolve) => ws.once('close', resolve));
  }

  /** Says so many messages, one after each answer; resolves with the close code. */
  async function say(messages: string[]): Promise<number> {
    const ws = raw();
    const code = closeCode(ws);
    await opened(ws);
    const left = [...messages];
    ws.send(left.shift()!);
    ws.on('message', () => {
      const next = left.shift();
      if (next !== undefined) ws.send(next);
    });
    return code;
  }

  function helloOf(id: string): string {
    const nonce = Buffer.alloc(32, id).toString('base64url');
    const limits = { message: 65_536, calls: 1 };
    return JSON.stringify({ type: 'hello', versions: [1], id, incarnation: id, nonce, to: '', limits });
  }
});
