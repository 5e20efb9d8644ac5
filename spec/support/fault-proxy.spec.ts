import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

import { expect } from 'chai';

import { eventually } from './eventually.ts';
import { FaultProxy } from './fault-proxy.ts';

describe('the proxy of the specs', () => {
  let echo: Server;
  let proxy: FaultProxy;
  const open: Socket[] = [];

  beforeEach(async () => {
    echo = createServer((socket) => socket.on('error', () => {}).pipe(socket)).listen(0, '127.0.0.1');
    await once(echo, 'listening');
    proxy = await FaultProxy.to({ host: '127.0.0.1', port: (echo.address() as AddressInfo).port });
  });

  afterEach(async () => {
    for (const socket of open.splice(0)) socket.destroy();
    await proxy.close();
    echo.close();
  });

  /** A connection through the proxy, and what came back on it. */
  async function dial(): Promise<{ socket: Socket; pieces: string[]; text: () => string }> {
    const socket = connect({ ...proxy.address, noDelay: true });
    open.push(socket);
    const pieces: string[] = [];
    socket.on('error', () => {}).on('data', (data) => pieces.push(String(data)));
    await once(socket, 'connect');
    return { socket, pieces, text: () => pieces.join('') };
  }

  it('passes on all bytes, and the end', async () => {
    const { socket, text } = await dial();
    const sent = 'x'.repeat(1_000_000);
    socket.end(sent);
    await once(socket, 'end');
    expect(text()).to.equal(sent);
  });

  it('cuts connections that are open, and lets new ones through', async () => {
    const first = await dial();
    first.socket.write('one');
    await eventually(() => first.text() === 'one');
    proxy.cut();
    await eventually(() => first.socket.closed);
    const second = await dial();
    second.socket.write('two');
    await eventually(() => second.text() === 'two');
    expect(proxy.connections).to.equal(2);
  });

  it('holds back bytes until it is healed', async () => {
    const before = await dial();
    proxy.stall('open');
    before.socket.write('late');
    const after = await dial();
    after.socket.write('at once');
    await eventually(() => after.text() === 'at once');
    proxy.stall();
    const third = await dial();
    third.socket.write('late, too');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect([before.text(), third.text()]).to.deep.equal(['', '']);
    proxy.heal();
    await eventually(() => before.text() === 'late' && third.text() === 'late, too');
  });

  it('splits all data into pieces', async () => {
    proxy.slice = 1;
    const { socket, pieces, text } = await dial();
    socket.write('in small pieces');
    await eventually(() => text() === 'in small pieces');
    expect(pieces.length).to.be.greaterThan(1);
  });

  it('limits the bytes per second', async () => {
    proxy.rate = 100_000;
    proxy.slice = 1_000;
    const { socket, text } = await dial();
    const began = performance.now();
    socket.write('x'.repeat(20_000));
    await eventually(() => text().length === 20_000);
    // Twenty pieces of 10 ms, of which one need not be waited for; and timers may fire early by part of a ms.
    expect(performance.now() - began).to.be.greaterThan(170);
  });
});
