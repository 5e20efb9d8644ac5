import { expect } from 'chai';

import { systemClock } from '../../src/base/time/clock.ts';
import { EVERYWHERE } from '../../src/transport/address.ts';
import { MemoryWires } from '../../src/transport/memory.ts';
import { webSocketTransport } from '../../src/transport/websocket.ts';
import { hasIPv6, needOwnAddress, ownAddress } from '../support/own-address.ts';
import { describeTransport } from './contract.ts';

const webSocket = () => ({ acceptor: webSocketTransport(), dialler: webSocketTransport() });
describeTransport('WebSocket', webSocket);
describeTransport('WebSocket, everywhere and dialled within the host,', webSocket, { host: EVERYWHERE });

const own = ownAddress('IPv4');
if (own === undefined) {
  it('the encrypted WebSocket transport', function () {
    needOwnAddress(this);
  });
} else {
  describeTransport('encrypted WebSocket', webSocket, { host: own });
  describeTransport('encrypted WebSocket, everywhere', webSocket, { host: EVERYWHERE, at: own });
}
const own6 = ownAddress('IPv6');
if (own6 !== undefined) {
  describeTransport('encrypted WebSocket, by IPv6', webSocket, { host: EVERYWHERE, at: own6 });
}

describeTransport('in-memory', () => {
  const wires = new MemoryWires(0);
  return { acceptor: wires.transport('a', systemClock), dialler: wires.transport('b', systemClock) };
});

describeTransport('in-memory, with latency', () => {
  const wires = new MemoryWires(3);
  return { acceptor: wires.transport('a', systemClock), dialler: wires.transport('b', systemClock) };
});

describe('the WebSocket transport', () => {
  it('encrypts connections that leave the host, and no others', async function () {
    const address = needOwnAddress(this);
    const kinds: string[] = [];
    const transport = webSocketTransport();
    const options = {
      host: EVERYWHERE,
      ports: [0, 0],
      largestMessage: 65_536,
      origins: [],
      hostNames: [],
    } as const;
    const listener = await transport.listen(options, (socket) => {
      kinds.push(socket.binding.kind);
      socket.terminate();
    });
    const { port } = listener.addresses[0]!;
    const near = ['127.0.0.1', 'localhost', ...(hasIPv6() ? ['::1'] : [])];
    const far = [address, ...(own6 === undefined ? [] : [own6])];
    for (const host of [...near, ...far]) {
      const socket = await transport.dial({ host, port }, { largestMessage: 65_536 });
      kinds.push(socket.binding.kind);
      socket.terminate();
    }
    await listener.close();
    // Each of them seen from both ends.
    const expected = [...near.map(() => 'loopback'), ...far.map(() => 'tls-exporter')];
    expect(kinds.toSorted()).to.deep.equal(expected.flatMap((kind) => [kind, kind]));
  });

  it('lists its addresses, the nearest first', async () => {
    const options = { ports: [0, 0], largestMessage: 65_536, origins: [], hostNames: [] } as const;
    const at = async (host: string): Promise<string[]> => {
      const listener = await webSocketTransport().listen({ ...options, host }, () => {});
      await listener.close();
      return listener.addresses.map((each) => each.host);
    };
    expect(await at('127.0.0.1')).to.deep.equal(['127.0.0.1']);
    const everywhere = await at(EVERYWHERE);
    expect(everywhere[0]).to.equal('127.0.0.1');
    if (own !== undefined) expect(everywhere).to.include(own);
    // Link-local addresses would mean another link at the other end.
    expect(everywhere.filter((host) => host.startsWith('fe80'))).to.deep.equal([]);
    expect((await at('0.0.0.0')).filter((host) => host.includes(':'))).to.deep.equal([]);
  });
});
