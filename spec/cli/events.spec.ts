import { expect } from 'chai';

import type { Peer } from '../../src/index.ts';
import { COMMAND, run } from '../support/command.ts';
import { eventually } from '../support/eventually.ts';
import { Stage } from '../support/peers.ts';
import { Processes } from '../support/processes.ts';
import { Terminal } from '../support/terminal.ts';

describe('app-net events', function () {
  this.timeout(120_000);
  const stage = new Stage();
  const processes = new Processes();
  let folder: string;
  let peer: Peer;

  beforeEach(async () => {
    folder = await stage.folder();
    peer = await stage.make({ runtimeDir: folder, name: 'worker', group: 'gpu' }).start();
  });

  afterEach(async () => {
    await processes.clear();
    await stage.clear();
  });

  it('prints all events or those of one name, as lines of JSON in a pipe', async () => {
    const all = processes.run(folder, [COMMAND, 'events']);
    const some = processes.run(folder, [COMMAND, 'events', 'job.done', '--group', 'gpu']);
    const done = peer.event('job.done');
    await done.ready({ min: 2 });
    peer.event('job.begun').emit(1);
    done.emit({ id: '42', bytes: new Uint8Array([1]) });
    const named = (name: string) => (line: { name?: string }) => line.name === name;
    const expected = {
      type: 'event',
      name: 'job.done',
      payload: { id: '42', bytes: { base64: 'AQ==' } },
      peer: { id: peer.id, name: 'worker', group: 'gpu' },
      sequence: 1,
    };
    expect(await all.line(named('job.begun'))).to.deep.include({ payload: 1 });
    expect(await all.line(named('job.done'))).to.deep.include(expected);
    expect(await some.line(named('job.done'))).to.deep.include(expected);
    expect(some.lines).to.have.length(1);
  });

  it('prints a line for each event on a terminal, until Ctrl-C', async () => {
    const terminal = new Terminal(['events'], { APP_NET_RUNTIME_DIR: folder });
    try {
      await terminal.shows('listening to 1 peer, and to peers that join later; Ctrl-C ends');
      await peer.event('job.done').ready();
      peer.event('job.done').emit({ id: '42' });
      await terminal.shows(/^\d\d:\d\d:\d\d job\.done +worker +\{ id: '42' \}$/m);
      terminal.pressCtrlC();
      expect(await terminal.exited).to.equal(0);
    } finally {
      await terminal.kill();
    }
  });

  it('receives events of app-net emit, although no other peer sees that command', async () => {
    const env = { APP_NET_RUNTIME_DIR: folder };
    const listening = processes.run(folder, [COMMAND, 'events']);
    await eventually(() => peer.peers.of({ group: '*' }).size === 1);
    const emitted = await run(['emit', 'hello', '{"a":1}'], env);
    expect(emitted).to.include({ code: 0, out: 'hello went to 1 subscriber\n' });
    expect(await listening.line((line: { name?: string }) => line.name === 'hello')).to.deep.include({
      payload: { a: 1 },
    });
    const { lines } = await run(['peers'], env);
    expect((lines as { name: string }[]).map(({ name }) => name)).to.deep.equal(['worker']);
  });

  it('leaves events of app-net emit to all subscribers of the group', async () => {
    const got: unknown[] = [];
    const other = await stage.make({ runtimeDir: folder, group: 'main' }).start();
    peer.event('go').subscribe((payload, { peer: from }) => got.push(['gpu', payload, from.group]));
    other.event('go').subscribe((payload, { peer: from }) => got.push(['main', payload, from.group]));
    const env = { APP_NET_RUNTIME_DIR: folder };
    const plain = await run(['emit', 'go', '{"now":true}'], env);
    expect(plain).to.include({ code: 0, out: 'go went to 1 subscriber\n' });
    await eventually(() => expect(got).to.deep.equal([['main', { now: true }, 'main']]));
    const grouped = await run(['emit', 'go', 'a word', '--json'], { ...env, APP_NET_GROUP: 'gpu' });
    expect(grouped.lines).to.deep.equal([{ name: 'go', group: 'gpu', subscribers: 1 }]);
    await eventually(() => expect(got).to.deep.include(['gpu', 'a word', 'gpu']));
    expect(await run(['emit', 'nobody.cares'], env)).to.include({ code: 0 });
    expect(await run(['emit', '*'], env)).to.include({ code: 2 });
  });
});
