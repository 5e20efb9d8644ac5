import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pathToFileURL } from 'node:url';

import { expect } from 'chai';

import type { Peer } from '../../src/index.ts';
import { connectPage } from '../../src/page.ts';
import type { PageNet } from '../../src/page.ts';
import { makeSecret } from '../../src/wire/handshake/secret.ts';
import { needPackage } from '../support/npm-tool.ts';
import { openPage } from '../support/page.ts';
import { Stage } from '../support/peers.ts';

const EXPRESS = '5.3.0';
const FASTIFY = '5.12.8';

/** As much of the two as is used here. */
interface Express {
  (): Express;
  get(path: string, handler: (request: unknown, response: { send(text: string): void }) => void): void;
  post(
    path: string,
    handler: (request: unknown, response: { send(text: string): void }) => Promise<void>,
  ): void;
  listen(port: number, host: string): Server;
}

interface Fastify {
  server: Server;
  get(path: string, handler: () => Promise<string>): void;
  post(path: string, handler: () => Promise<string>): void;
  listen(options: { port: number; host: string }): Promise<string>;
  close(): Promise<void>;
}

/** The package itself, as npm has it. */
async function load<T>(test: Mocha.Context, name: string, version: string, file: string): Promise<T> {
  const path = await needPackage(test, name, version, file);
  return ((await import(pathToFileURL(path).href)) as { default: T }).default;
}

describe('web pages come in', function () {
  this.timeout(120_000);
  const stage = new Stage();
  let peer: Peer;

  beforeEach(async () => {
    peer = stage.make({ name: 'server', secret: makeSecret(), runtimeDir: await stage.folder() });
    peer.connect('chat.say', (text: string) => text.toUpperCase());
  });

  afterEach(() => stage.clear());

  const pass = (): Promise<string> => peer.pass({ may: ['chat.*'], offers: ['page.*'] });

  /** A page at `/net`, with a pass from `/pass`, beside the pages of the framework. */
  async function comesIn(port: number): Promise<void> {
    const at = `127.0.0.1:${port}`;
    expect(await (await fetch(`http://${at}/`)).text()).to.equal('the page');
    const given = await (await fetch(`http://${at}/pass`, { method: 'POST' })).text();
    const page = await openPage(`ws://${at}/net`, given);
    expect((await page.call('chat.say', 'hello')).value).to.equal('HELLO');
    const error = await openPage(`ws://${at}/`, given).catch((refused: Error) => refused.message);
    expect(error).to.equal('Unexpected server response: 404');
    expect((await fetch(`http://${at}/net`)).status).to.equal(404);
    if ('WebSocket' in globalThis) await callsBack(`ws://${at}/net`, given);
  }

  /** The library for pages itself, where the engine has a `WebSocket`. */
  async function callsBack(url: string, given: string): Promise<void> {
    const net: PageNet = await connectPage(url, { pass: given });
    expect(await net.remote<(text: string) => string>('chat.say')('hi')).to.equal('HI');
    await net.close();
  }

  it('at a server of Express, beside its routes', async function () {
    const express = await load<Express>(this, 'express', EXPRESS, 'index.js');
    const app = express();
    app.get('/', (_, response) => response.send('the page'));
    app.post('/pass', async (_, response) => response.send(await pass()));
    const server = app.listen(0, '127.0.0.1');
    peer.attach(server, '/net');
    await Promise.all([once(server, 'listening'), peer.start()]);
    await comesIn((server.address() as AddressInfo).port);
    const closed = once(server, 'close');
    await peer.stop();
    server.close();
    server.closeIdleConnections();
    await closed;
  });

  for (const when of ['before', 'after']) {
    it(`at a server of Fastify that is attached ${when} it listens, beside its routes`, async function () {
      const fastify = await load<() => Fastify>(this, 'fastify', FASTIFY, 'fastify.js');
      const app = fastify();
      app.get('/', async () => 'the page');
      app.post('/pass', async () => pass());
      if (when === 'before') peer.attach(app.server, '/net');
      const url = await app.listen({ port: 0, host: '127.0.0.1' });
      if (when === 'after') peer.attach(app.server, '/net');
      await peer.start();
      await comesIn(Number(new URL(url).port));
      // In this order: Fastify waits for connections that are open.
      await peer.stop();
      await app.close();
    });
  }
});
