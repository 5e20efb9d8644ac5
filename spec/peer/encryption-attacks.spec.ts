import { connect as connectTcp, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';

import { expect } from 'chai';

import type { Peer } from '../../src/index.ts';
import { ephemeralCertificate } from '../../src/transport/certificate.ts';
import type { TlsOptions } from '../../src/transport/tls.ts';
import { eventually } from '../support/eventually.ts';
import { meet, portOf } from '../support/peers.ts';
import { failuresOf, UnderAttack } from '../support/under-attack.ts';
import { withoutMulticast } from '../support/without-multicast.ts';

describe('an attacker on the encryption of the network', function () {
  this.timeout(120_000);
  const attack = new UnderAttack();
  const { own, secret, stage, start, nothingGotIn, listening } = attack;
  let port: number;
  attack.setHooks((begun) => ({ port } = begun));

  it('a server without encryption receives only the beginning of an encrypted connection', async () => {
    const heard: Buffer[] = [];
    const plain = createServer((tcp) => {
      tcp
        .on('error', () => {})
        .on('data', (data) => {
          heard.push(data);
          tcp.end('HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n');
        });
    });
    await listening(plain);
    const honest = await start('honest', [`${own}:${(plain.address() as AddressInfo).port}`]);
    await eventually(() => expect(failuresOf(honest)).to.be.above(0));
    expect(heard[0]![0], 'a TLS handshake record').to.equal(0x16);
    const text = Buffer.concat(heard).toString('latin1');
    for (const word of ['GET', 'app-net', 'hello', honest.id]) expect(text).not.to.include(word);
    nothingGotIn(honest);
    plain.close();
  });

  it('a client without encryption is not answered', async () => {
    const tcp = connectTcp(port, own);
    const heard: Buffer[] = [];
    tcp.on('error', () => {}).on('data', (data) => heard.push(data));
    tcp.write(`GET / HTTP/1.1\r\nHost: ${own}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n`);
    await new Promise((resolve) => tcp.once('close', resolve));
    expect(Buffer.concat(heard).toString('latin1')).not.to.include('HTTP');
    nothingGotIn();
  });

  it('neither side speaks an older TLS', async () => {
    const older = connectTls({ host: own, port, maxVersion: 'TLSv1.2', rejectUnauthorized: false });
    const error = await new Promise<NodeJS.ErrnoException>((resolve) => older.once('error', resolve));
    expect(error.code).to.equal('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
    let spoken = 0;
    const server = createTlsServer(
      { ...(await ephemeralCertificate()), maxVersion: 'TLSv1.2' },
      () => (spoken += 1),
    );
    server.on('tlsClientError', () => {});
    await listening(server);
    const honest = await start('honest', [`${own}:${(server.address() as AddressInfo).port}`]);
    await eventually(() => expect(failuresOf(honest)).to.be.above(0));
    expect(spoken).to.equal(0);
    nothingGotIn(honest);
    server.close();
  });

  it('certificates are checked on both sides when there is an authority', async () => {
    const [ours, theirs] = [await ephemeralCertificate(), await ephemeralCertificate()];
    // A certificate that signed itself is its own authority.
    const make = async (name: string, tls: TlsOptions, seeds: string[] = []): Promise<Peer> => {
      const network = withoutMulticast(await stage.folder(), tls);
      return stage.make({ name, lan: true, secret, seeds, network }).start();
    };
    const guarded = await make('guarded', { ...ours, ca: ours.cert });
    const seeds = [`${own}:${portOf(guarded)}`];
    const friend = await make('friend', { ...ours, ca: ours.cert }, seeds);
    await meet(friend, guarded.id);
    // All have the secret; the certificate alone keeps them out.
    const unknown = await make('unknown', { ...theirs, ca: ours.cert }, seeds);
    const wary = await make('wary', { ...theirs, ca: theirs.cert }, seeds);
    const bare = await start('bare', seeds);
    for (const peer of [unknown, wary, bare]) {
      await eventually(() => expect(failuresOf(peer)).to.be.above(0));
      expect([...peer.peers.of({ group: '*' })]).to.deep.equal([]);
    }
    expect([...guarded.peers].map(({ name }) => name)).to.deep.equal(['friend']);
  });
});
