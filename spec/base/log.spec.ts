import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { access, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';

import { expect } from 'chai';
import pino from 'pino';

import type { PeerRecord } from '../../src/connection/link/link.ts';
import { createPeer } from '../../src/index.ts';
import type { CallMessage, Logger, PeerOptions } from '../../src/index.ts';
import { createLog } from '../../src/base/log.ts';
import { MemoryNetwork } from '../../src/testing.ts';
import { eventually } from '../support/eventually.ts';
import { failure, meet, Stage } from '../support/peers.ts';
import { Processes } from '../support/processes.ts';

/** Keeps what it is given, as `level text`. */
class Lines implements Logger {
  readonly all: string[] = [];
  debug(text: string): void {
    this.all.push(`debug ${text}`);
  }
  info(text: string): void {
    this.all.push(`info ${text}`);
  }
  warn(text: string): void {
    this.all.push(`warn ${text}`);
  }
  error(text: string): void {
    this.all.push(`error ${text}`);
  }
}

describe('the log', () => {
  const stage = new Stage();
  const processes = new Processes();

  afterEach(async () => {
    await processes.clear();
    await stage.clear();
  });

  it('names the function that blocked the process, and says what to do', async () => {
    const lines = new Lines();
    const network = new MemoryNetwork();
    const { b, toB } = await stage.pair({ network }, { network, logger: lines });
    b.connect('quick', () => 1);
    b.connect('spin', (ms: number) => {
      for (const end = performance.now() + ms; performance.now() < end;);
    });
    await toB.call('quick');
    await toB.call('spin', [1_050]);
    const blocked = (): string[] => lines.all.filter((line) => line.includes('was blocked'));
    await eventually(() => blocked().length === 1);
    expect(blocked()[0]).to.match(/^warn .*was blocked for 1\.\d s by spin; connect .* option threads$/);

    const id = '4bf92f3577b34da6a3ce929d0e0e4736';
    const trace = (message: unknown): void => {
      (message as CallMessage).trace = { traceparent: `00-${id}-00f067aa0ba902b7-01` };
    };
    subscribe('app-net:call:start', trace);
    try {
      await toB.call('spin', [1_050]);
    } finally {
      unsubscribe('app-net:call:start', trace);
    }
    await eventually(() => blocked().length === 2);
    expect(blocked()[1]).to.include(` by spin (trace ${id}); connect`);
  });

  it('has one line for each change of state, and none for a call', async () => {
    const logger = new Lines();
    const network = new MemoryNetwork();
    const { a, b, toB } = await stage.pair({ network, logger }, { network });
    b.connect('one', () => 1);
    for (let call = 0; call < 10; call += 1) await toB.call('one');
    await b.stop();
    await eventually(() => a.peers.size === 0);
    await a.stop();
    expect(logger.all.map((line) => line.replace(/listens at .*/, 'listens'))).to.deep.equal([
      'info a: is online in group "main", listens',
      `info a: peer "b" (${b.id}) joined: group "main", process ${process.pid} on ${JSON.stringify(toB.host)}, 0 functions`,
      `info a: peer "b" (${b.id}) left: stopped`,
      'info a: is stopping',
      'info a: is stopped',
    ]);
  });

  it('lists every connection at level debug', async () => {
    const logger = new Lines();
    const network = new MemoryNetwork();
    const { a, b } = await stage.pair({ network, logger, logLevel: 'debug', id: 'a' }, { network, id: 'b' });
    b.connect('one', () => 1);
    await eventually(() => logger.all.includes('debug a: peer "b" (b) connected one'));
    for (let number = 0; number < 8; number += 1) b.connect(`f${number}`, () => number);
    await eventually(() => logger.all.some((line) => line.includes('connected f7')));
    network.cut(a, b);
    await eventually(() => logger.all.some((line) => line.includes('left: lost')));
    expect(logger.all).to.include('debug a: connection to peer "b" (b) opened from here');
    expect(logger.all).to.include(
      'debug a: connection to peer "b" (b) closed: without a close message (1006)',
    );
  });

  it('tells why a peer cannot start', async () => {
    const logger = new Lines();
    const peer = stage.make({ logger, runtimeDir: '/dev/null/nowhere' });
    await failure(peer.start());
    expect(logger.all).to.have.length(1);
    expect(logger.all[0]).to.match(/^error .*: could not start: the runtime directory .* cannot be used: /);
  });

  it('warns once about a peer with another secret, and names the other side only at level debug', async () => {
    const runtimeDir = await stage.folder();
    const [mine, theirs] = [new Lines(), new Lines()];
    const other = { runtimeDir, secret: 'another secret than this', id: 'z' };
    await stage.make({ ...other, logger: theirs, logLevel: 'debug' }).start();
    // Without a word of which secret it has, as a client in another language may write it.
    const file = join(runtimeDir, 'z.peer.json');
    await eventually(() => access(file));
    const { world: _, ...announced } = JSON.parse(await readFile(file, 'utf8')) as { world: string };
    await writeFile(file, JSON.stringify(announced));
    const peer = await stage.make({ runtimeDir, secret: 'this secret here', logger: mine, id: 'a' }).start();
    await eventually(
      () => theirs.all.filter((line) => line.includes('refused an incoming connection')).length > 2,
    );
    const warnings = mine.all.filter((line) => line.startsWith('warn'));
    expect(warnings, mine.all.join('\n')).to.have.length(1);
    expect(warnings[0]).to.match(/could not connect to z \(attempt 1\): .*another secret/);
    const everything = [...mine.all, ...theirs.all, inspect(peer, { depth: 6 })].join('\n');
    expect(everything).not.to.include('secret here');
    expect(everything).not.to.include('another secret"');
  });

  it('prints names from the wire on one line, cut, and without terminal sequences', async () => {
    const logger = new Lines();
    const network = new MemoryNetwork();
    const name = `\u001b[2J\n\u202e${'x'.repeat(200)}`;
    const { b } = await stage.pair({ network, logger }, { network, name, group: 'main\u0007\n' });
    await eventually(() => logger.all.length === 2);
    const [, joined] = logger.all as [string, string];
    expect(joined).to.match(/^info a: peer "\\u001b\[2J\\n\ufffdx{50,64}" \(/);
    expect(joined).to.include(b.id).and.to.include('"main\\u0007\\n"');
    // oxlint-disable-next-line no-control-regex
    expect(joined).not.to.match(/[\u0000-\u001f\u202e]/);
  });

  it('prints its own name, tags and failures in the same way', () => {
    const logger = new Lines();
    const log = createLog(logger, 'debug', 'a\u001bb');
    log.failed(new Error('no\u001b[2J\nline'));
    log.functionsChanged({ name: 'p', id: 'p' } as PeerRecord, ['f\u0007', '1', '2', '3', '4', '5', '6'], []);
    expect(logger.all).to.deep.equal([
      'error a\ufffdb: could not start: no\ufffd[2J\ufffdline',
      'debug a\ufffdb: peer "p" (p) connected f\ufffd, 1, 2, 3, 4 and 2 more',
    ]);
  });

  it('writes to console and to pino unchanged', async () => {
    const network = new MemoryNetwork();
    const lines: { level: number; msg: string }[] = [];
    const logger = pino({ level: 'info' }, { write: (line) => void lines.push(JSON.parse(line)) });
    const peer = await stage.make({ network, logger, name: '%s %o', logLevel: 'debug' }).start();
    await peer.stop();
    expect(lines.map(({ level, msg }) => [level, msg.slice(0, 17)])).to.deep.equal([
      [30, '%s %o: is online '],
      [30, '%s %o: is stoppin'],
      [30, '%s %o: is stopped'],
    ]);
    // Compiles: that is the test.
    stage.make({ network, logger: console });
  });

  it('cannot harm the peer when a logger throws', async () => {
    const warned = new Promise((resolve) => process.once('warning', resolve));
    const throwing = (): void => {
      throw new Error('disk full');
    };
    const logger = { debug: throwing, info: throwing, warn: throwing, error: throwing };
    const peer = await stage.make({ network: new MemoryNetwork(), logger }).start();
    expect(await warned)
      .to.have.property('message')
      .that.includes('disk full');
    await peer.stop();
  });

  it('is written only when it is asked for', () => {
    const wrong: [PeerOptions, string][] = [
      [{ logger: {} as Logger }, 'logger: give console, a pino logger'],
      [{ logger: null as unknown as Logger }, 'logger: give console, a pino logger'],
      [{ logLevel: 'loud' as 'info' }, 'logLevel: give one of debug, info, warn, error, silent'],
    ];
    for (const [options, text] of wrong) expect(() => createPeer(options)).to.throw(TypeError, text);
  });

  it('is on stderr with APP_NET_LOG, and stderr is empty without it', async () => {
    const script = `
      import { createPeer } from 'app-net';
      const peer = await createPeer({ name: 'p' }).start();
      await peer.stop();
    `;
    const folder = await stage.folder();
    const loud = await processes.start(folder, script, { env: { APP_NET_LOG: 'info' } });
    const quiet = await processes.start(folder, script, { env: { APP_NET_LOG: '' } });
    const wrong = await processes.start(folder, script, { env: { APP_NET_LOG: 'loud' } });
    expect([await loud.exited, await quiet.exited, await wrong.exited]).to.deep.equal([0, 0, 1]);
    expect(quiet.errors).to.equal('');
    expect(wrong.errors).to.include('APP_NET_LOG: give one of debug, info, warn, error, silent');
    const [online, ...rest] = loud.errors.trim().split('\n');
    expect(online).to.match(
      /^\d{4}-\d\d-\d\dT[\d:.]+Z info  app-net p: is online in group "main", listens at 127\.0\.0\.1:\d+$/,
    );
    expect(rest).to.have.length(2);
  });

  it('tells the same event from both sides', async () => {
    const runtimeDir = await stage.folder();
    const [mine, theirs] = [new Lines(), new Lines()];
    const a = await stage.make({ runtimeDir, name: 'a', logger: mine }).start();
    const b = await stage.make({ runtimeDir, name: 'b', logger: theirs }).start();
    await meet(a, b.id);
    await meet(b, a.id);
    expect(mine.all.some((line) => line.includes(`peer "b" (${b.id}) joined`))).to.equal(true);
    expect(theirs.all.some((line) => line.includes(`peer "a" (${a.id}) joined`))).to.equal(true);
  });
});
