import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';

import { expect } from 'chai';

import type { Peer, PeerOptions } from '../../src/index.ts';
import { createPeer } from '../../src/index.ts';
import { ephemeralCertificate } from '../../src/transport/certificate.ts';
import { makeSecret } from '../../src/wire/handshake/secret.ts';
import { Nginx, needNginx } from '../support/nginx.ts';
import { openPage } from '../support/page.ts';
import type { Page } from '../support/page.ts';
import { Stage } from '../support/peers.ts';

const ORIGIN = 'https://app.example';
const TRUSTING = { more: { rejectUnauthorized: false } };

/** What the upgrade, or the handshake, came to. */
function outcome(opening: Promise<Page>): Promise<string> {
  return opening.then(
    () => 'open',
    (error: Error) => error.message.replace('Unexpected server response: ', ''),
  );
}

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

describe('web pages', () => {
  const stage = new Stage();
  const servers: Server[] = [];
  let peer: Peer;

  const start = async (options: PeerOptions = {}): Promise<string> => {
    peer = stage.make({ secret: makeSecret(), runtimeDir: await stage.folder(), ...options });
    await peer.start();
    peer.connect('add', (a: number, b: number) => a + b);
    return peer.pass({ may: ['add'] });
  };

  const serve = (server: Server): Server => {
    servers.push(server);
    return server.on('request', (_, response) => response.end('the page'));
  };

  afterEach(async () => {
    await stage.clear();
    for (const server of servers.splice(0)) server.close();
  });

  it('come in at a port of their own, by each name of this host', async () => {
    const pass = await start({ pages: { path: '/net' } });
    const url = new URL(peer.pagesUrl!);
    expect(url.pathname).to.equal('/net');
    for (const name of ['127.0.0.1', 'localhost']) {
      url.hostname = name;
      const page = await openPage(url.href, pass);
      expect((await page.call('add', 1, 2)).value).to.equal(3);
    }
    expect(await outcome(openPage(peer.pagesUrl!.replace('/net', '/other'), pass))).to.equal('404');
    const { status } = await fetch(peer.pagesUrl!.replace('ws:', 'http:'));
    expect(status).to.equal(426);
  });

  it('come in with TLS, with the certificate of the user', async () => {
    const pass = await start({ pages: { tls: await ephemeralCertificate() } });
    expect(peer.pagesUrl).to.match(/^wss:/);
    const page = await openPage(peer.pagesUrl!, pass, TRUSTING);
    expect((await page.call('add', 1, 2)).value).to.equal(3);
  });

  it('are refused at the port if a program passes on what they say', async () => {
    const pass = await start({ pages: {} });
    const { port } = new URL(peer.pagesUrl!);
    const other = `127.0.0.1:${port === '1000' ? 1_001 : 1_000}`;
    // It tells the truth about where the page dialled it, or it lies.
    const truth = { host: other, more: { headers: { host: other } } };
    expect(await outcome(openPage(peer.pagesUrl!, pass, truth))).to.equal('403');
    expect(await outcome(openPage(peer.pagesUrl!, pass, { host: other }))).to.equal('closed with 4401');
  });

  it('are refused under a name that the peer was not told', async () => {
    const pass = await start({ pages: {}, hostNames: ['app.example'] });
    const at = (host: string) =>
      outcome(openPage(peer.pagesUrl!, pass, { host, more: { headers: { host } } }));
    expect(await at('evil.example')).to.equal('403');
    expect(await at('app.example')).to.equal('open');
  });

  it('are refused from other origins than those of the peer, whatever their pass says', async () => {
    await start({ pages: {}, origins: [ORIGIN] });
    const pass = await peer.pass({ origins: [ORIGIN, 'https://other.example'] });
    const from = (origin: string) => outcome(openPage(peer.pagesUrl!, pass, { origin }));
    expect(await from('https://other.example')).to.equal('403');
    expect(await from(ORIGIN)).to.equal('open');
  });

  it('need a pass, also if they have the secret', async () => {
    const secret = makeSecret();
    await start({ secret, pages: {} });
    const port = Number(new URL(peer.pagesUrl!).port);
    const other = stage.make({ secret, runtimeDir: await stage.folder(), seeds: [`127.0.0.1:${port}`] });
    expect(await other.getPeers()).to.deep.equal([]);
  });

  it('come in at a server of the user, beside what it serves', async () => {
    const pass = await start();
    const port = await listening(serve(createServer()));
    peer.attach(servers[0]!, '/net');
    const page = await openPage(`ws://127.0.0.1:${port}/net?tab=1`, pass);
    expect((await page.call('add', 1, 2)).value).to.equal(3);
    expect(await (await fetch(`http://127.0.0.1:${port}/net`)).text()).to.equal('the page');
    expect(await outcome(openPage(`ws://127.0.0.1:${port}/other`, pass))).to.equal('404');
  });

  it('come in at a server with TLS', async () => {
    const pass = await start();
    const port = await listening(serve(createSecureServer(await ephemeralCertificate())));
    peer.attach(servers[0]!, '/net');
    const page = await openPage(`wss://127.0.0.1:${port}/net`, pass, TRUSTING);
    expect((await page.call('add', 1, 2)).value).to.equal(3);
  });

  it('do not come in before the peer is online, nor after it has let go of the server', async () => {
    const server = serve(createServer());
    const port = await listening(server);
    const late = createPeer({ secret: makeSecret(), runtimeDir: await stage.folder() });
    const attachment = late.attach(server, '/net');
    // Another peer at the same server.
    const pass = await start();
    peer.attach(server, '/other');
    expect(() => peer.attach(server, '/other')).to.throw('the path /other of this server is already taken');
    const at = (path: string) => outcome(openPage(`ws://127.0.0.1:${port}${path}`, pass));
    expect(await at('/net')).to.equal('503');
    expect(await at('/other')).to.equal('open');
    expect(await at('/nowhere')).to.equal('404');
    attachment.close();
    expect(await at('/net')).to.equal('404');
    await late.stop();
    await peer.stop();
    expect(server.listenerCount('upgrade')).to.equal(0);
  });

  it('are left to others who listen for upgrades', async () => {
    const pass = await start();
    const server = serve(createServer());
    const port = await listening(server);
    server.on('upgrade', (request, stream) => {
      if (request.url === '/theirs') stream.end('HTTP/1.1 418 Mine\r\n\r\n');
    });
    peer.attach(server, '/net');
    expect(await outcome(openPage(`ws://127.0.0.1:${port}/theirs`, pass))).to.equal('418');
    expect(await outcome(openPage(`ws://127.0.0.1:${port}/net`, pass))).to.equal('open');
  });

  it('that stay connected hear that the peer stops', async () => {
    const pass = await start({ pages: {} });
    const page = await openPage(peer.pagesUrl!, pass);
    await peer.stop();
    expect(page.frames.map(({ type, reason }) => ({ type, reason }))).to.deep.equal([
      { type: 'goaway', reason: 'stopped' },
    ]);
    expect(await page.closed).to.equal(1001);
  });

  describe('behind nginx', () => {
    let nginx: Nginx | undefined;

    before(function () {
      needNginx(this);
    });
    afterEach(() => nginx?.stop());

    const UPGRADE =
      'proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;';
    const HEADERS = { ...TRUSTING.more, headers: { host: 'app.example' } };

    it('come in with TLS, and from the origin of their pass only', async () => {
      await start({ pages: { path: '/net' }, hostNames: ['app.example'] });
      const pass = await peer.pass({ may: ['add'], origins: [ORIGIN] });
      const { port } = new URL(peer.pagesUrl!);
      nginx = await Nginx.start(Number(port), `${UPGRADE} proxy_set_header Host $http_host;`);
      const from = (origin: string) =>
        openPage(`wss://127.0.0.1:${nginx!.port}/net`, pass, { origin, host: 'app.example', more: HEADERS });
      const page = await from(ORIGIN);
      expect((await page.call('add', 1, 2)).value).to.equal(3);
      expect(await outcome(from('https://evil.example'))).to.equal('closed with 4401');
    });

    it('are refused if nginx does not pass on the Host', async () => {
      const pass = await start({ pages: { path: '/net' }, hostNames: ['app.example'] });
      const { port } = new URL(peer.pagesUrl!);
      nginx = await Nginx.start(Number(port), UPGRADE);
      const choices = { host: 'app.example', more: HEADERS };
      const opening = openPage(`wss://127.0.0.1:${nginx.port}/net`, pass, choices);
      expect(await outcome(opening)).to.equal('closed with 4401');
    });
  });
});
