import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';

import { expect } from 'chai';

import type { Hint } from '../../src/providers/hint.ts';
import type { Provider, ProviderListener } from '../../src/providers/provider.ts';
import { createPeer } from '../../src/index.ts';
import type { Peer } from '../../src/index.ts';
import type { Network } from '../../src/providers/network.ts';
import { webSocketTransport } from '../../src/transport/websocket.ts';
import { makeSecret } from '../../src/wire/handshake/secret.ts';
import { eventually } from '../support/eventually.ts';

describe('a hint that may be false', () => {
  const secret = makeSecret();
  const peers: Peer[] = [];
  let tarpit: Server;
  let dialled = 0;
  let listener: ProviderListener;

  /** Hints only at what the spec says. */
  const network: Network = {
    attach: () => {
      const provider: Provider = {
        name: 'spec',
        start: (_, ears) => {
          listener = ears;
          ears.scanned();
          return Promise.resolve();
        },
        failed: () => {},
        stop: () => Promise.resolve(),
        stopNow: () => {},
      };
      return {
        transport: webSocketTransport(),
        providers: [provider],
        secret: () => Promise.resolve(secret),
      };
    },
  };

  before(async () => {
    // Takes every connection and says nothing: a dial there hangs for seconds.
    tarpit = createServer((socket) => {
      dialled += 1;
      socket.on('error', () => {});
    }).listen(0, '127.0.0.1');
    await once(tarpit, 'listening');
  });
  afterEach(() => Promise.all(peers.splice(0).map((each) => each.stop())));
  after(() => tarpit.close());

  async function start(id: string): Promise<Peer> {
    const peer = createPeer({ id, network });
    peers.push(peer);
    await peer.start();
    return peer;
  }

  function addressesOf(peer: Peer): Hint['addresses'] {
    const { context } = peer.actor.getSnapshot() as {
      context: { opened: { listener: { addresses: Hint['addresses'] } } };
    };
    return context.opened.listener.addresses;
  }

  async function joinAfterLie(lie: Omit<Hint, 'addresses'>): Promise<number> {
    const b = await start('b');
    const a = await start('a');
    dialled = 0;
    const { port } = tarpit.address() as AddressInfo;
    listener.found({ ...lie, addresses: [{ host: '127.0.0.1', port }] });
    await eventually(() => dialled > 0);
    await new Promise((resolve) => setTimeout(resolve, lie.isAnybodys ? 0 : 200));
    const began = performance.now();
    listener.found({ id: 'b', incarnation: 'b-2', addresses: addressesOf(b) });
    await eventually(() => a.peers.size === 1);
    return performance.now() - began;
  }

  it('gives way to a trusted hint, even while it is dialled without an answer', async () => {
    // The dial at the lie would hang for five seconds.
    expect(await joinAfterLie({ id: 'b', incarnation: 'b-1', isAnybodys: true })).to.be.below(4_000);
  });

  it('gives way to an old hint when its own dial hangs', async () => {
    expect(await joinAfterLie({ id: 'b', incarnation: 'b-0' })).to.be.below(4_000);
  });
});
