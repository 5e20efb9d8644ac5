import { expect } from 'chai';

import { eventually } from './eventually.ts';
import { Lan, needLan } from './lan.ts';
import type { LanHost } from './lan-host.ts';
import { ip } from './lan-tools.ts';

/** Answers every line with the same line, and prints its host's name. */
const ECHO = `
import { createServer } from 'node:net';
import { hostname } from 'node:os';
createServer((socket) => socket.on('error', () => {}).pipe(socket)).listen(4000, '0.0.0.0', () => {
  console.log(JSON.stringify({ host: hostname() }));
});`;

/** Says how long each answer took, in ms, and whether there was one within a second. */
const ask = (address: string, words: string): string => `
import { connect } from 'node:net';
const begin = performance.now();
const done = (answer) => { console.log(JSON.stringify({ answer, took: performance.now() - begin })); process.exit(); };
setTimeout(done, 1000, 'none');
const socket = connect(4000, '${address}', () => socket.write('${words}'));
socket.on('error', () => {}).on('data', (data) => done(String(data)));`;

describe('the LAN of the specs', function () {
  this.timeout(120_000);
  let lan: Lan;
  let a: LanHost;
  let b: LanHost;

  before(async function () {
    await needLan(this, 'python3', 'tcpdump');
    lan = await Lan.open();
    a = await lan.host('a');
    b = await lan.host('b');
    const echo = await b.start(ECHO);
    expect(await echo.line(() => true)).to.deep.equal({ host: 'b' });
  });
  after(async () => lan?.close());
  afterEach(async () => lan?.heal());

  async function answer(words = 'hello'): Promise<{ answer: string; took: number }> {
    return (await a.start(ask(b.address, words))).line(() => true);
  }

  it('carries traffic between hosts, and captures every byte of it', async () => {
    const capture = await lan.capture();
    expect((await answer('plain words on the wire')).answer).to.equal('plain words on the wire');
    const bytes = await capture.stop();
    expect(bytes.indexOf('plain words on the wire')).to.be.above(0);
    expect(bytes.indexOf('other words')).to.equal(-1);
  });

  it('has no connection to the outside', async () => {
    const error = await a.exec('ip', 'route', 'get', '192.0.2.1').catch((reason: Error) => reason);
    expect(String(error)).to.contain('unreachable');
  });

  for (const fault of ['cut', 'lose'] as const) {
    it(`lets nothing through after ${fault}, and everything after heal`, async () => {
      await a[fault]();
      expect((await answer()).answer).to.equal('none');
      await a.heal();
      expect((await answer()).answer).to.equal('hello');
    });
  }

  it('splits and heals', async () => {
    await lan.split([a], [b]);
    expect((await answer()).answer).to.equal('none');
    await lan.heal();
    expect((await answer()).answer).to.equal('hello');
  });

  it('delays both directions, whatever the size', async () => {
    await b.delay(50);
    // Two round trips, one for the connection: 200 ms.
    const small = await answer();
    expect(small.answer).to.equal('hello');
    expect(small.took).to.be.above(200);
    const large = 'x'.repeat(50_000);
    expect((await answer(large)).answer).to.match(/^x{500,}/);
  });

  it('adds interfaces to a host, and removes them', async () => {
    const name = await a.plug('lab');
    await b.plug('lab');
    expect(name).to.equal('eth1');
    await a.exec('ip', 'route', 'get', '10.77.1.2');
    await a.unplug(name);
    expect(await a.exec('ip', '-brief', 'link')).not.to.contain('eth1');
  });

  it('leaves nothing behind', async () => {
    const other = await Lan.open();
    const host = await other.host('x');
    const process = await host.start(`console.log('{}'); setInterval(() => {}, 1000)`);
    await process.line(() => true);
    await other.close();
    expect(await process.exited).to.equal('SIGKILL');
    await eventually(async () => expect(await ip('netns', 'list')).not.to.contain(host.namespace));
    expect(await ip('netns', 'list')).not.to.contain(other.namespace);
  });
});
