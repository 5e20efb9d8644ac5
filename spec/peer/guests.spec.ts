import { expect } from 'chai';
import { WebSocket } from 'ws';

import { current } from '../../src/index.ts';
import type { PassOptions, Peer, PeerOptions } from '../../src/index.ts';
import { connectPage } from '../../src/page.ts';
import type { Opened } from '../../src/presence/messages.ts';
import { makeSecret } from '../../src/wire/handshake/secret.ts';
import { eventually } from '../support/eventually.ts';
import { needOwnAddress } from '../support/own-address.ts';
import { openPage } from '../support/page.ts';
import { failure as failureOf, meet, Stage } from '../support/peers.ts';

const ORIGIN = 'https://app.example';

/** Node 20 has no WebSocket of its own. */
const globals = globalThis as { WebSocket?: unknown };

describe('a guest', () => {
  const stage = new Stage();
  const secret = makeSecret();
  let server: Peer;
  let runtimeDir: string;

  const host = async (options: PeerOptions = {}): Promise<Peer> => {
    runtimeDir = await stage.folder();
    server = stage.make({ name: 'server', secret, runtimeDir, pages: {}, ...options });
    await server.start();
    server.connect('chat.say', (text: string) => `${current().caller!.name}: ${text}`);
    server.connect('chat.read', () => ['hello']);
    server.connect('admin.wipe', () => 'wiped');
    return server;
  };

  afterEach(() => {
    if (globals.WebSocket === WebSocket) delete globals.WebSocket;
    return stage.clear();
  });

  it('that is a page calls what its pass allows, under the name of the pass', async () => {
    await host();
    const pass = await server.pass({ may: ['chat.*'], origins: [ORIGIN], name: 'shop' });
    const page = await openPage(server.pagesUrl!, pass, { origin: ORIGIN });
    expect((await page.call('chat.say', 'hello')).value).to.equal('shop: hello');
    expect((await page.call('admin.wipe')).failure!.code).to.equal('NO_SUCH_TAG');
  });

  it('is told of no function that it may not call, and nothing about the host', async () => {
    await host();
    const pass = await server.pass({ may: ['chat.say'], origins: [ORIGIN] });
    const page = await openPage(server.pagesUrl!, pass, { origin: ORIGIN });
    const { functions, pid, host: name, addresses, digest } = page.party!;
    expect({ functions, pid, name, addresses, digest }).to.deep.equal({
      ...{ functions: ['chat.say'], pid: 0, name: '', addresses: [], digest: '' },
    });
    server.connect('admin.more', () => 1);
    server.connect('chat.say', () => 1, { replace: true });
    const { failure } = await page.call('chat.sa');
    expect(failure!.message).to.include('did you mean chat.say?');
    expect(failure!.message).not.to.include('chat.read');
    expect(page.frames.filter(({ type }) => type !== 'error')).to.deep.equal([]);
  });

  it('that is a process has the rights of its pass, and finds the peers by itself', async () => {
    await host();
    const guest = stage.make({ pass: await server.pass({ may: ['chat.*'], name: 'robot' }), runtimeDir });
    await guest.start();
    const [toServer] = await meet(guest, server.id);
    expect(toServer!.functions).to.have.members(['chat.say', 'chat.read']);
    expect(await toServer!.call('chat.say', ['hello'])).to.equal('robot: hello');
    await toServer!.call('admin.wipe').then(
      () => expect.fail(),
      (error: unknown) => expect(error).to.include({ code: 'NO_SUCH_TAG' }),
    );
    await guest.pass({}).then(
      () => expect.fail(),
      (error: unknown) => expect(error).to.include({ code: 'INSECURE' }),
    );
  });

  it('offers functions and events, as far as its pass allows', async () => {
    await host();
    const pass = await server.pass({ offers: ['page.*'], origins: [ORIGIN] });
    const heard: unknown[] = [];
    server.event('page.moved').subscribe((value) => void heard.push(value));
    server.event('job.done').subscribe((value) => void heard.push(value));
    const functions = ['page.notify', 'chat.say'];
    const page = await openPage(server.pagesUrl!, pass, { origin: ORIGIN, functions });
    const [toPage] = await server.getPeers();
    expect(toPage).to.include({ name: 'guest', guest: true, hub: false, group: 'main' });
    expect(toPage!.functions).to.deep.equal(['page.notify']);
    page.send({ type: 'functions', added: ['admin.wipe', 'page.more'], removed: [] });
    await eventually(() => expect(toPage!.functions).to.deep.equal(['page.notify', 'page.more']));
    await toPage!.call('chat.say', ['x']).then(
      () => expect.fail(),
      (error: unknown) => expect(error).to.include({ code: 'NO_SUCH_TAG', ran: 'no' }),
    );
    await eventually(() => expect(page.frames).to.have.length(1));
    expect(page.frames[0]).to.include({ type: 'subscribe', name: 'page.moved' });
    page.send({ type: 'subscribed', id: page.frames[0]!.id, sequence: 0 });
    page.send({ type: 'event', name: 'job.done', sequence: 1, value: 'forged' });
    page.send({ type: 'event', name: 'page.moved', sequence: 1, value: 'right' });
    await eventually(() => expect(heard).to.deep.equal(['right']));
  });

  it('hears the events that its pass allows, and no others', async () => {
    await host();
    const page = await openPage(server.pagesUrl!, await server.pass({ hear: ['job.*'] }));
    for (const name of ['job.done', 'secret.key', '*'])
      expect((await page.ask({ type: 'subscribe', name })).sequence).to.equal(0);
    expect(server.event('secret.key').emit('x')).to.equal(0);
    expect(server.event('job.done').emit('y')).to.equal(1);
    await eventually(() =>
      expect(page.frames.filter(({ type }) => type === 'event')).to.deep.equal([
        { type: 'event', name: 'job.done', sequence: 1, value: 'y' },
      ]),
    );
  });

  it('is neither told who is present nor believed about it', async () => {
    await host();
    const other = stage.make({ secret, runtimeDir, name: 'other' });
    await other.start();
    await meet(server, other.id);
    const page = await openPage(server.pagesUrl!, await server.pass());
    await eventually(async () => expect(await server.getPeers()).to.have.length(2));
    const [mark] = [{ id: other.id, incarnation: 'x', started: Date.now() + 1e6, version: 9 }];
    page.send({ type: 'left', peer: mark, why: 'stopped' });
    page.send({ type: 'lists', digests: ['x'] });
    page.send({ type: 'summary', fingerprints: [] });
    await page.call('net.ping');
    expect(page.frames.map(({ type }) => type)).to.deep.equal(['error']);
    expect(await server.getPeers()).to.have.length(2);
    expect((await other.getPeers()).map(({ id }) => id)).to.deep.equal([server.id]);
  });

  it('cannot take the id of another peer', async () => {
    await host();
    const opened = openPage(server.pagesUrl!, await server.pass(), { id: server.id });
    await opened.then(
      () => expect.fail(),
      (error: Error) => expect(error.message).to.equal('closed with 4401'),
    );
  });

  it('that is a process finds every peer by itself, however few links others keep', async () => {
    const before = process.env['APP_NET_NEIGHBOURS'];
    process.env['APP_NET_NEIGHBOURS'] = '2';
    try {
      await host();
      const more = Array.from({ length: 5 }, () => stage.make({ secret, runtimeDir }));
      await Promise.all(more.map((peer) => peer.start()));
      const guest = stage.make({ pass: await server.pass(), runtimeDir });
      await guest.start();
      await meet(guest, server.id, ...more.map(({ id }) => id));
      await more[0]!.stop();
      await eventually(async () => expect(await guest.getPeers()).to.have.length(5));
      // Nobody tells others of it.
      expect((await server.getPeers()).filter((peer) => peer.guest)).to.have.length(1);
    } finally {
      if (before === undefined) delete process.env['APP_NET_NEIGHBOURS'];
      else process.env['APP_NET_NEIGHBOURS'] = before;
    }
  });

  it('that is a process on another host connects with TLS, and again after a restart', async function () {
    const address = needOwnAddress(this);
    runtimeDir = await stage.folder();
    const first = stage.make({ secret, runtimeDir, lan: true });
    await first.start();
    const opened = first.actor.getSnapshot().context.opened as Opened;
    const { port } = opened.listener.addresses[0]!;
    const guest = stage.make({
      ...{ pass: await first.pass({ may: ['f'] }), lan: true },
      ...{ runtimeDir: await stage.folder(), seeds: [`${address}:${port}`] },
    });
    await guest.start();
    await meet(guest, first.id);
    await first.stop();
    const second = stage.make({ secret, runtimeDir, lan: true, port });
    await second.start();
    second.connect('f', () => 'again');
    const [toSecond] = await meet(guest, second.id);
    await eventually(async () => expect(await toSecond!.call('f')).to.equal('again'));
  });

  it('that is a process learns why it is cut off', async () => {
    await host();
    const pass = await server.pass();
    const guest = stage.make({ pass, runtimeDir });
    await guest.start();
    await meet(guest, server.id);
    const left = new Promise<string>((resolve) =>
      guest.peers.on('leave', (_, __, evidence) => resolve(evidence.toString())),
    );
    server.revoke(pass);
    expect(await left).to.include('the pass of this peer has expired or was revoked');
    await eventually(() => expect(String(guest.evidence(server.id))).to.include('expired'));
  });

  it('cannot be made of nonsense, nor together with the secret', async () => {
    await host();
    const pass = await server.pass();
    const wrong: [PeerOptions, string][] = [
      [{ pass: 'nonsense' }, 'pass: give the text'],
      [{ pass, secret }, 'secret: leave it out together with pass'],
      [{ pass, id: 'a' }, 'the id follows from the pass'],
      [{ pass, name: 'a' }, 'name: leave it out together with pass: the pass names its peer'],
      [{ pass, hub: true }, 'hub: a peer with a pass is never a hub'],
      [{ pass, announce: true }, 'announce: a peer with a pass only dials'],
      [{ pass, pages: {} }, 'pages: leave it out'],
      [{ pages: { host: '0.0.0.0' } }, 'pages.host: 0.0.0.0 is not a loopback address'],
      [{ pages: { path: 'net' } }, 'pages.path: give a path'],
      [
        { pages: { paths: '/' } as object },
        'there is no option of pages paths; did you mean path? The options of pages are',
      ],
      [{ pages: null as unknown as object }, 'give options of pages in an object'],
    ];
    for (const [options, text] of wrong) expect(() => stage.make(options), text).to.throw(text);
    const passes: [PassOptions, string][] = [
      [{ may: ['x'.repeat(1_025)] }, 'may: give strings'],
      [{ may: [() => 1] }, 'connect the function first'],
      [{ may: ['net.wacth'] }, 'no peer can have a function "net.wacth"; did you mean net.watch?'],
      [{ may: ['net.x*'] }, 'no peer can have a function "net.x*"; the functions whose'],
      [{ origins: ['https://app.example/'] }, 'is no origin'],
      [{ expires: '8 hours' }, 'expires: give a number of ms'],
      [{ expires: 0 }, 'expires: give a number of ms'],
      // Lists with holes.
      [
        { may: Object.assign(Array.from<string>({ length: 0 }), { 1: 'a' }) },
        'may: give connected functions',
      ],
      [
        { hear: Object.assign(Array.from<string>({ length: 0 }), { 1: 'a' }) },
        'hear: give an array of strings',
      ],
      [null as unknown as PassOptions, 'give options of a pass in an object'],
      [{ may: Array.from({ length: 500 }, (_, at) => `function-${at}`) }, 'use fewer names'],
    ];
    for (const [options, text] of passes) {
      const error = await server.pass(options).catch((reason: unknown) => reason);
      expect(error).to.be.an.instanceOf(TypeError).with.property('message').that.includes(text);
    }
  });

  it('is not to be had with a passphrase', async () => {
    await host({ secret: 'correct horse battery staple' });
    const error = await server.pass().catch((reason: unknown) => reason);
    expect(error).to.include({ code: 'INSECURE' });
  });

  for (const [what, origin, answer] of [
    ['of another origin', 'https://evil.example', 'closed with 4401'],
    ['without an origin, if the pass names one', undefined, 'closed with 4401'],
    ['of the origin null', 'null', 'Unexpected server response: 403'],
  ] as const) {
    it(`${what} is refused`, async () => {
      await host();
      const pass = await server.pass({ may: ['*'], origins: [ORIGIN] });
      const opened = openPage(server.pagesUrl!, pass, origin === undefined ? {} : { origin });
      await opened.then(
        () => expect.fail(),
        (error: Error) => expect(error.message).to.equal(answer),
      );
    });
  }

  it('is turned away when there are too many, and takes no place of a peer', async () => {
    await host({ limits: { guests: 2, peers: 1 } });
    const pass = await server.pass();
    const first = await openPage(server.pagesUrl!, pass);
    await openPage(server.pagesUrl!, pass);
    const third = openPage(server.pagesUrl!, pass);
    await third.then(
      () => expect.fail(),
      (error: Error) => expect(error.message).to.equal('closed with 4429'),
    );
    const peer = stage.make({ secret, runtimeDir });
    await peer.start();
    await meet(peer, server.id);
    first.socket.close();
    await first.closed;
    await eventually(async () =>
      expect(await server.getPeers({ where: ({ guest }) => guest })).to.have.length(1),
    );
    await openPage(server.pagesUrl!, pass);
  });

  it('sees the peer that let it in alone, and reaches others through a function there', async () => {
    await host();
    const worker = stage.make({ name: 'worker', secret, runtimeDir });
    worker.connect('film.render', (film: string) => `${film}, for ${current().caller!.name}`);
    worker.connect('film.frames', async function* () {
      yield* ['one', 'two'];
    });
    const ends = new Promise((resolve) => {
      worker.connect('film.hang', () => {
        const { signal } = current();
        return new Promise(() => signal.addEventListener('abort', () => resolve(signal.reason)));
      });
    });
    await worker.start();
    await meet(server, worker.id);
    for (const name of ['render', 'frames', 'hang']) {
      const there = server.remote<(...args: unknown[]) => unknown>(`film.${name}`);
      server.connect(`page.${name}`, (...args: unknown[]) => there.any()(...args));
    }
    const pass = await server.pass({ may: ['page.*', 'film.*'] });
    globals.WebSocket ??= WebSocket;
    const net = await connectPage(server.pagesUrl!, { pass });
    expect(net.peers.map(({ name, functions }) => ({ name, functions }))).to.deep.equal([
      { name: 'server', functions: ['page.render', 'page.frames', 'page.hang'] },
    ]);
    expect(await net.remote('page.render')('film')).to.equal('film, for server');
    const frames: unknown[] = [];
    for await (const frame of net.remote<() => AsyncGenerator>('page.frames')()) frames.push(frame);
    expect(frames).to.deep.equal(['one', 'two']);
    await failureOf(net.remote('page.hang').with({ deadline: 500 })());
    // Of all that tell it at the same moment, its own alarm or the server's word may be the first.
    expect(await ends)
      .to.have.property('code')
      .that.is.oneOf(['DEADLINE_EXCEEDED', 'CANCELLED']);
    expect(await failureOf(net.remote('film.render')('film'))).to.include({ code: 'NO_SUCH_TAG' });
    await net.close();
  });

  it('is cut off when its pass expires', async () => {
    await host();
    const page = await openPage(server.pagesUrl!, await server.pass({ expires: '4s' }));
    expect(await page.closed).to.equal(4401);
  });

  it('is cut off when its pass is revoked, and does not come back', async () => {
    await host();
    const [pass, other] = [await server.pass(), await server.pass()];
    const page = await openPage(server.pagesUrl!, pass);
    const stays = await openPage(server.pagesUrl!, other);
    server.revoke(pass);
    expect(await page.closed).to.equal(4401);
    await openPage(server.pagesUrl!, pass).then(
      () => expect.fail(),
      (error: Error) => expect(error.message).to.equal('closed with 4401'),
    );
    await eventually(async () => expect(await server.getPeers()).to.have.length(1));
    expect(stays.socket.readyState).to.equal(stays.socket.OPEN);
  });
});
