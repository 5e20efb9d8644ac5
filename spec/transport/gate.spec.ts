import { Socket } from 'node:net';

import { expect } from 'chai';

import { Gate } from '../../src/transport/gate.ts';

describe('the gate', () => {
  const sockets: Socket[] = [];
  let gate: Gate;

  beforeEach(() => {
    gate = new Gate({ hostNames: [], origins: [] });
  });

  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
  });

  function come(remoteAddress: string): Socket {
    const socket = Object.defineProperty(new Socket(), 'remoteAddress', { value: remoteAddress });
    sockets.push(socket);
    return socket;
  }

  it('refuses a source that opens one connection after the other, and accepts all others', () => {
    const flood = Array.from({ length: 300 }, () => come('10.0.0.66'));
    const entered = flood.map((socket) => {
      const isIn = gate.enter(socket);
      // Reconnecting at once gains nothing.
      socket.destroy();
      return isIn;
    });
    expect(entered.filter(Boolean).length).to.be.within(256, 270);
    expect(entered.at(-1)).to.equal(false);
    expect(gate.enter(come('10.0.0.5'))).to.equal(true);
    expect(gate.enter(come('127.0.0.1'))).to.equal(true);
  });

  it('always accepts peers that prove themselves, however many come from one host', () => {
    for (let count = 0; count < 1_000; count += 1) {
      const socket = come('10.0.0.5');
      expect(gate.enter(socket)).to.equal(true);
      gate.trust(socket);
    }
  });

  it('recognizes a connection by the socket under its encryption', () => {
    const tcp = come('10.0.0.5');
    const stream = new Socket();
    sockets.push(stream);
    expect(gate.enter(tcp)).to.equal(true);
    gate.encrypted(tcp, stream);
    gate.trust(stream);
    gate.clear();
    expect(tcp.destroyed).to.equal(false);
  });
});
