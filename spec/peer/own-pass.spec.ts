import { expect } from 'chai';

import type { Peer } from '../../src/index.ts';
import { makeSecret } from '../../src/wire/handshake/secret.ts';
import { failure as failureOf, meet, Stage } from '../support/peers.ts';

/** The warnings of what runs meanwhile. */
async function warned(act: () => void): Promise<string[]> {
  const heard: string[] = [];
  const note = ({ name, message }: Error): void => {
    if (name === 'AppNetWarning') heard.push(message);
  };
  process.on('warning', note);
  act();
  await new Promise(setImmediate);
  process.off('warning', note);
  return heard;
}

describe('a process that has a pass', () => {
  const stage = new Stage();
  let server: Peer;
  let runtimeDir: string;

  beforeEach(async () => {
    runtimeDir = await stage.folder();
    server = await stage.make({ name: 'server', secret: makeSecret(), runtimeDir }).start();
    for (const tag of ['chat.say', 'chat.read', 'admin.wipe']) server.connect(tag, () => tag);
  });
  afterEach(() => stage.clear());

  it('is told by its own pass what it may not do', async () => {
    const pass = await server.pass({ may: ['chat.*'], hear: ['job.*'], name: 'robot' });
    const guest = await stage.make({ pass, runtimeDir }).start();
    expect(guest.name).to.equal('robot');
    const [toServer] = await meet(guest, server.id);
    const text = 'the pass of this peer does not allow it to call "admin.wipe" (its `may` has chat.*)';
    const wipe = guest.remote<() => string>('admin.wipe');
    for (const call of [() => toServer!.call('admin.wipe'), () => wipe.on(toServer!)(), () => wipe.any()()])
      expect(await failureOf(call())).to.include({ code: 'NO_SUCH_TAG', message: text });
    expect(await failureOf(toServer!.call('chat.rea')))
      .to.have.property('message')
      .that.includes('chat.read');
    const wait = (): { signal: AbortSignal } => ({ signal: AbortSignal.timeout(5) });
    expect(await failureOf(guest.peers.ready(wipe, wait())))
      .to.have.property('message')
      .that.includes(text);
    expect(await failureOf(guest.event('job.done').ready(wait())))
      .to.have.property('message')
      .that.includes('does not allow it to emit "job.done" (its `offers` has nothing)');
  });

  it('hears events whose names begin as the tags of the library do', async () => {
    const guest = await stage.make({ pass: await server.pass({ hear: ['net.*'] }), runtimeDir }).start();
    await meet(guest, server.id);
    const heard = new Promise((resolve) => guest.event('net.up').subscribe(resolve));
    await server.event('net.up').ready();
    server.event('net.up').emit('eth0');
    expect(await heard).to.equal('eth0');
  });

  it('is warned once of events that its pass does not allow', async () => {
    const pass = await server.pass({ hear: ['job.*'], offers: ['page.*'] });
    const guest = stage.make({ pass, runtimeDir });
    const warnings = await warned(() => {
      for (const name of ['job.done', 'page.moved', '*', 'page.moved']) guest.event(name).subscribe(() => {});
      for (const name of ['page.moved', 'job.done', 'job.done']) guest.event(name).emit(1);
    });
    expect(warnings).to.deep.equal([
      'the pass of this peer does not allow it to hear "page.moved" (its `hear` has job.*); its subscriptions hear nothing',
      'the pass of this peer does not allow it to hear "*" (its `hear` has job.*); its subscriptions hear nothing',
      'the pass of this peer does not allow it to emit "job.done" (its `offers` has page.*); nobody gets it',
    ]);
  });
});
