import { execFile } from 'node:child_process';
import { readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { expect } from 'chai';

import { createPeer, NetError } from '../../src/index.ts';
import { MemoryNetwork } from '../../src/testing.ts';
import { eventually } from '../support/eventually.ts';
import { skip } from '../support/need.ts';
import { failure, meet, portOf, Stage } from '../support/peers.ts';

describe('the life of a peer', () => {
  const stage = new Stage();
  afterEach(() => stage.clear());

  const state = (peer: { actor: { getSnapshot(): { value: unknown } } }): unknown =>
    peer.actor.getSnapshot().value;

  it('goes from starting to online to stopped', async () => {
    const peer = stage.make({ network: new MemoryNetwork() });
    expect(state(peer)).to.equal('starting');
    expect(await peer.start()).to.equal(peer);
    expect(state(peer)).to.equal('online');
    const stopping = peer.stop();
    expect(state(peer)).to.equal('draining');
    await stopping;
    expect(state(peer)).to.equal('stopped');
    await peer.stop();
  });

  it('cannot start again after it has stopped, or while it stops', async () => {
    const peer = await stage.make({ network: new MemoryNetwork() }).start();
    const stopping = peer.stop();
    expect(await failure(peer.start())).to.include({ code: 'STOPPED' });
    await stopping;
    expect(await failure(peer.start())).to.include({ code: 'STOPPED' });
    expect(await failure(peer.serve())).to.include({ code: 'STOPPED' });
  });

  it('fails to start when it is stopped before the start is done', async () => {
    const peer = stage.make({ runtimeDir: await stage.folder() });
    const starting = failure(peer.start());
    let stopping: Promise<void> | undefined;
    peer.actor.subscribe(({ value }) => {
      if (value === 'online') stopping ??= peer.stop();
    });
    expect(await starting).to.include({ code: 'STOPPED' });
    await stopping;
  });

  it('starts when something that is not a file has the name of the file of another peer', async () => {
    const runtimeDir = await stage.folder();
    await promisify(execFile)('mkfifo', [join(runtimeDir, 'pipe.peer.json')]);
    const [a, b] = await Promise.all([
      stage.make({ runtimeDir }).start(),
      stage.make({ runtimeDir }).start(),
    ]);
    await Promise.all([meet(a, b.id), meet(b, a.id)]);
  });

  it('has started when others can find it', async () => {
    const runtimeDir = await stage.folder();
    const peer = await stage.make({ runtimeDir }).start();
    expect(await readdir(runtimeDir)).to.include(`${peer.id}.peer.json`);
  });

  it('can end before it has started', async () => {
    const never = stage.make({ network: new MemoryNetwork() });
    await never.stop();
    expect(await failure(never.start())).to.include({ code: 'STOPPED' });
    const hasty = stage.make({ runtimeDir: await stage.folder() });
    const starting = failure(hasty.start());
    await hasty.stop();
    expect(await starting).to.include({ code: 'STOPPED' });
  });

  it('ends with the scope it was declared in', async () => {
    let outside;
    {
      await using peer = await createPeer({ network: new MemoryNetwork() }).start();
      outside = peer;
    }
    expect(state(outside)).to.equal('stopped');
  });

  it('is served until it is stopped', async () => {
    const peer = stage.make({ network: new MemoryNetwork() });
    const serving = peer.serve();
    await eventually(() => state(peer) === 'online');
    await peer.stop();
    await serving;
  });

  it('fails with the cause when it cannot start', async () => {
    const occupied = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => occupied.once('listening', resolve));
    const { port } = occupied.address() as AddressInfo;
    try {
      const runtimeDir = await stage.folder();
      const peer = stage.make({ port, runtimeDir });
      expect(await failure(peer.start())).to.include({ code: 'EADDRINUSE' });
      expect(state(peer)).to.equal('failed');
      expect(await failure(peer.getPeers())).to.include({ code: 'EADDRINUSE' });
      const range = stage.make({ portRange: [port, port + 20], runtimeDir });
      await range.start();
      expect(portOf(range)).to.be.within(port + 1, port + 20);
    } finally {
      occupied.close();
    }
  });

  it('refuses options that would open it to others', async () => {
    expect(() => createPeer({ host: '0.0.0.0' }))
      .to.throw(NetError, 'loopback')
      .with.property('code', 'INSECURE');
  });

  it('allows several peers in one process, each with its own functions', async () => {
    const runtimeDir = await stage.folder();
    const peers = await Promise.all(
      ['a', 'b', 'c'].map((name) => stage.make({ name, runtimeDir, secret: 'a long passphrase' }).start()),
    );
    for (const peer of peers) peer.connect('who', () => peer.name);
    const [a, b, c] = peers as [(typeof peers)[0], (typeof peers)[0], (typeof peers)[0]];
    const [toB, toC] = await meet(a, b.id, c.id);
    expect(await toB!.call('who')).to.equal('b');
    expect(await toC!.call('who')).to.equal('c');
    const shared = (): number => 1;
    a.connect('shared', shared);
    expect(b.connect('shared', shared)).to.equal(shared);
    expect(() => b.connect('other', shared)).to.throw(TypeError, 'already connected as shared');
  });

  it('allows listening on IPv6', async function () {
    const runtimeDir = await stage.folder();
    const a = stage.make({ host: '::1', runtimeDir });
    const started = await failure(a.start().then(() => undefined));
    // Many containers have no IPv6.
    if ((started as NodeJS.ErrnoException).code === 'EADDRNOTAVAIL') skip(this, 'no IPv6 loopback here');
    a.connect('who', () => 'a');
    const b = await stage.make({ runtimeDir }).start();
    const [toA] = await meet(b, a.id);
    expect(await toA!.call('who')).to.equal('a');
  });

  it('leaves no file, socket, timer or watcher behind', async () => {
    const runtimeDir = await stage.folder();
    // Once around first: what the process makes only once is not counted.
    await (await stage.pair({ runtimeDir })).a.stop();
    await stage.clear();
    const folder = await stage.folder();
    const resources = (): string[] =>
      process.getActiveResourcesInfo().filter((name) => !/FSReq|TTY|Pipe/.test(name));
    const before = resources().toSorted();
    const listeners = process.listenerCount('exit');
    for (let round = 0; round < 5; round += 1) {
      const a = createPeer({ runtimeDir: folder });
      const b = createPeer({ runtimeDir: folder });
      await Promise.all([a.start(), b.start()]);
      const [toB] = await meet(a, b.id);
      b.connect('x', () => 1);
      expect(await toB!.call('x')).to.equal(1);
      await Promise.all([a.stop(), b.stop()]);
    }
    await eventually(() => expect(resources().toSorted()).to.deep.equal(before));
    expect(await readdir(folder)).to.deep.equal(['secret']);
    expect(process.listenerCount('exit')).to.equal(listeners);
  });

  it('keeps the secret out of errors and out of everything that a log would show', async () => {
    const secret = 'a passphrase nobody may see';
    const peer = stage.make({ network: new MemoryNetwork(), secret });
    await peer.start();
    const { inspect } = await import('node:util');
    expect(inspect(peer, { depth: 4, showHidden: true })).not.to.include('nobody may see');
  });
});

describe('the runtime directory of running peers', () => {
  const stage = new Stage();
  afterEach(() => stage.clear());

  it('may be removed: they make it again, with their secret, and others find them', async () => {
    const runtimeDir = await stage.folder();
    const old = await stage.make({ runtimeDir }).start();
    const secret = await readFile(join(runtimeDir, 'secret'), 'utf8');
    await rm(runtimeDir, { recursive: true });
    await eventually(async () => expect(await readdir(runtimeDir)).to.include(`${old.id}.peer.json`));
    expect(await readFile(join(runtimeDir, 'secret'), 'utf8')).to.equal(secret);
    const young = await stage.make({ runtimeDir }).start();
    await meet(young, old.id);
  });
});
