import { expect } from 'chai';

import type { Hint } from '../../src/providers/hint.ts';
import type { Provider, ProviderListener } from '../../src/providers/provider.ts';
import { createPeer } from '../../src/index.ts';
import type { Peer } from '../../src/index.ts';
import type { Network } from '../../src/providers/network.ts';
import { webSocketTransport } from '../../src/transport/websocket.ts';
import { makeSecret } from '../../src/wire/handshake/secret.ts';
import { eventually } from '../support/eventually.ts';

describe('a peer that is only named', () => {
  const secret = makeSecret();
  const peers: Peer[] = [];
  /** What each peer's provider tells, and was asked for: by the id of that peer. */
  const listeners = new Map<string, ProviderListener>();
  let wanted: string[];
  let failed: Hint[];
  /** What a provider does when a name is wanted. */
  let answer: (listener: ProviderListener, id: string) => void;
  let atStart: (listener: ProviderListener) => void;

  /** Names only those of which the spec says so. */
  const network: Network = {
    attach: () => {
      let own: ProviderListener;
      const provider: Provider = {
        name: 'spec',
        start: ({ id }, listener) => {
          own = listener;
          listeners.set(id, listener);
          atStart(listener);
          listener.scanned();
          return Promise.resolve();
        },
        wanted: (id) => {
          wanted.push(id);
          answer(own, id);
        },
        failed: (hint) => failed.push(hint),
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

  beforeEach(() => {
    [wanted, failed, answer, atStart] = [[], [], () => {}, () => {}];
  });
  afterEach(() => Promise.all(peers.splice(0).map((each) => each.stop())));

  async function start(id: string, hidden = false): Promise<Peer> {
    const peer = createPeer({ id, network, ...(hidden && { announce: false }) });
    peers.push(peer);
    await peer.start();
    return peer;
  }

  /** Waits until the first search is over. */
  const settled = (peer: Peer): Promise<void> =>
    eventually(() => peer.actor.system.get('discovery').getSnapshot().value === 'settled');

  function hintOf(peer: Peer): Hint {
    const { context } = peer.actor.getSnapshot() as {
      context: { self: { incarnation: string }; opened: { listener: { addresses: Hint['addresses'] } } };
    };
    const { addresses } = context.opened.listener;
    return { id: peer.id, incarnation: context.self.incarnation, addresses };
  }

  it('is looked up and dialled', async () => {
    const b = await start('b');
    const a = await start('a');
    answer = (listener) => listener.found(hintOf(b));
    listeners.get('a')!.named!('b');
    await eventually(() => a.peers.size === 1 && b.peers.size === 1);
    expect(wanted).to.deep.equal(['b']);
  });

  it('is there when the first search of a peer ends, also of one that is not announced', async () => {
    const b = await start('b');
    answer = (listener) => listener.found(hintOf(b));
    atStart = (listener) => listener.named!('b');
    for (const [id, hidden] of [
      ['a', false],
      ['leaf', true],
    ] as const) {
      const peer = await start(id, hidden);
      await settled(peer);
      expect(peer.peers.size, id).to.equal(peers.length - 1);
    }
  });

  it('that leads nowhere does not delay the first search', async () => {
    atStart = (listener) => ['x', 'y', 'z'].forEach((id) => listener.named!(id));
    answer = (listener, id) => setImmediate(() => listener.lost(id, ''));
    const began = performance.now();
    await settled(await start('a'));
    await settled(await start('leaf', true));
    expect(wanted).to.have.members(['x', 'y', 'z', 'x', 'y', 'z']);
    // A search that waits for somebody ends after five seconds.
    expect(performance.now() - began).to.be.below(4_000);
  });

  it('that leads nowhere is dialled when it is announced again', async () => {
    const b = await start('b');
    const a = await start('a');
    answer = (listener, id) => listener.lost(id, '');
    listeners.get('a')!.named!('b');
    await eventually(() => wanted.length === 1);
    answer = (listener) => listener.found(hintOf(b));
    listeners.get('a')!.named!('b');
    await eventually(() => a.peers.size === 1);
  });

  it('is never looked up while it is present', async () => {
    const b = await start('b');
    const a = await start('a');
    listeners.get('a')!.found(hintOf(b));
    await eventually(() => a.peers.size === 1 && b.peers.size === 1);
    listeners.get('b')!.named!('a');
    const c = await start('c');
    answer = (listener) => listener.found(hintOf(c));
    listeners.get('b')!.named!('c');
    await eventually(() => a.peers.size === 2 && b.peers.size === 2 && c.peers.size === 2);
    expect(wanted).to.deep.equal(['c']);
  });

  it('is not dialled in a life that has said goodbye', async () => {
    const b = await start('b');
    const a = await start('a');
    const hint = hintOf(b);
    listeners.get('a')!.found(hint);
    await eventually(() => a.peers.size === 1);
    listeners.get('a')!.lost('b', hint.incarnation);
    await b.stop();
    await eventually(() => a.peers.size === 0);
    answer = (listener) => listener.found(hint);
    listeners.get('a')!.named!('b');
    await eventually(() => wanted.length === 1);
    // Its next life is dialled.
    const next = await start('b');
    answer = (listener) => listener.found(hintOf(next));
    listeners.get('a')!.lost('b', hint.incarnation);
    listeners.get('a')!.named!('b');
    await eventually(() => a.peers.size === 1);
    expect(failed).to.be.empty;
  });
});
