import { expect } from 'chai';

import type { Peer } from '../../src/index.ts';
import { ephemeralCertificate } from '../../src/transport/certificate.ts';
import { deriveKeys, makeSecret } from '../../src/wire/handshake/secret.ts';
import { eventually } from '../support/eventually.ts';
import { needOwnAddress } from '../support/own-address.ts';
import { failure, meet, portOf, Stage } from '../support/peers.ts';
import { withoutMulticast } from '../support/without-multicast.ts';
import { reachable } from '../support/reachable.ts';

const names = (peer: Peer): string[] => [...peer.peers].map(({ name }) => name).toSorted();

/** The kind of binding of the connection from `peer` to `other`: `loopback` or `tls-exporter`. */
function bindingOf(peer: Peer, other: Peer): string {
  const { record } = peer.actor.system.get(`connection:${other.id}`).getSnapshot().context as {
    record: { link: { socket: { binding: { kind: string } } } };
  };
  return record.link.socket.binding.kind;
}

describe('peers of one user on one host', () => {
  const stage = new Stage();
  const secret = makeSecret();
  afterEach(() => stage.clear());

  it('meet within the host with one secret, whether or not they are open to the network', async () => {
    const runtimeDir = await stage.folder();
    const network = withoutMulticast(runtimeDir);
    const open = await stage.make({ name: 'open', network, secret, lan: true }).start();
    const other = await stage.make({ name: 'other', network, secret, lan: true }).start();
    const closed = await stage.make({ name: 'closed', runtimeDir, secret }).start();
    await meet(open, other.id, closed.id);
    const [toOpen, toOther] = await meet(closed, open.id, other.id);
    expect([toOpen!.scope, toOther!.scope]).to.deep.equal(['host', 'host']);
    expect([bindingOf(closed, open), bindingOf(open, other)]).to.deep.equal(['loopback', 'loopback']);
  });

  it('neither see nor dial each other with two secrets', async () => {
    const network = withoutMulticast(await stage.folder());
    const lines: string[] = [];
    const note = (line: unknown): void => void lines.push(String(line));
    const logger = { debug: note, info: note, warn: note, error: note };
    const make = (name: string, options: object): Promise<Peer> =>
      stage.make({ name, network, logger, logLevel: 'debug', ...options }).start();
    const open = await make('open', { secret, lan: true });
    const closed = await make('closed', { secret });
    const ours = await make('ours', {});
    const also = await make('also', {});
    await Promise.all([meet(open, closed.id), meet(ours, also.id)]);
    await Promise.all([open, closed, ours, also].map((peer) => peer.getPeers()));
    expect([open, closed, ours, also].map(names)).to.deep.equal([['closed'], ['open'], ['also'], ['ours']]);
    expect(lines.filter((line) => /could not connect|refused an incoming/.test(line))).to.deep.equal([]);
    for (const peer of [open, ours]) {
      const { candidates } = peer.actor.system.get('discovery').getSnapshot().context as {
        candidates: Map<string, unknown>;
      };
      expect(candidates.size).to.equal(1);
    }
  });

  it('meet only their like without any secret, and warn about that', async () => {
    const warnings: Error[] = [];
    const listen = (warning: Error): void => void warnings.push(warning);
    process.on('warning', listen);
    const network = withoutMulticast(await stage.folder());
    const make = (name: string, options: object): Promise<Peer> =>
      stage.make({ name, network, ...options }).start();
    const one = await make('one', { lan: true, insecure: true });
    const two = await make('two', { lan: true, insecure: true });
    const guarded = await make('guarded', { lan: true, secret });
    const plain = await make('plain', {});
    await meet(one, two.id);
    await Promise.all([one, two, guarded, plain].map((peer) => peer.getPeers()));
    expect([one, two, guarded, plain].map(names)).to.deep.equal([['two'], ['one'], [], []]);
    await eventually(() => expect(warnings.map(({ message }) => message).join()).to.include('everybody'));
    process.off('warning', listen);
  });
});

describe('an address on the network', () => {
  const stage = new Stage();
  afterEach(() => stage.clear());

  it('is not needed when loopback leads to the same peer', async function () {
    const own = needOwnAddress(this);
    const secret = makeSecret();
    const make = async (name: string, seeds: string[]): Promise<Peer> => {
      const network = withoutMulticast(await stage.folder());
      return stage.make({ name, network, secret, lan: true, seeds }).start();
    };
    const open = await make('open', []);
    const other = await make('other', [`${own}:${portOf(open)}`]);
    await meet(other, open.id);
    expect(bindingOf(other, open), 'who knows no other way comes encrypted').to.equal('tls-exporter');
    const [toOpen] = await meet(other, open.id);
    expect(toOpen!.scope, 'and is seen to be here').to.equal('host');
  });
});

describe('a secret', () => {
  const stage = new Stage();
  afterEach(() => stage.clear());

  it('and a private key appear in no log, error, event, snapshot, or view of a peer', async () => {
    const secret = makeSecret();
    const tls = await ephemeralCertificate();
    const keys = await deriveKeys(secret);
    const seen: unknown[] = [];
    const note = (line: unknown): void => void seen.push(line);
    const logger = { debug: note, info: note, warn: note, error: note };
    const network = withoutMulticast(await stage.folder(), tls);
    const options = { network, secret, tls, lan: true, logger, logLevel: 'debug', inspect: note } as const;
    const { a, b, toB } = await stage.pair(options);
    const seeds = [`127.0.0.1:${portOf(a)}`];
    const stranger = stage.make({
      ...options,
      runtimeDir: await stage.folder(),
      secret: makeSecret(),
      seeds,
    });
    await stranger.start();
    await stranger.getPeers();
    seen.push(await failure(toB.call('nothing')), a, b, toB, a.actor.getSnapshot());

    const { texts, bytes } = reachable(seen);
    const all = [...texts].join('\n');
    expect(all, 'what there is to see was seen')
      .to.include('is online')
      .and.to.include(a.id)
      .and.to.include('another secret');
    const [, pem] = tls.key.split('\n');
    for (const word of [secret.slice(5), pem!, keys.world]) expect(all).not.to.include(word);
    const raw = [keys.dialler.export(), keys.acceptor.export(), Buffer.from(secret.slice(5), 'base64url')];
    for (const key of raw) {
      expect(all).not.to.include(key.toString('hex'));
      expect(bytes.filter((each) => Buffer.from(each).includes(key.subarray(0, 16)))).to.deep.equal([]);
    }
  });
});
