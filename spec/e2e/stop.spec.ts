import { expect } from 'chai';

import { needOwnAddress } from '../support/own-address.ts';
import { Stage } from '../support/peers.ts';
import { Processes } from '../support/processes.ts';

/**
 * Resources of the peer that would keep a process alive or wake it. Pipes are left out because they lead to the test, and
 * file work because it ends by itself.
 */
const LEFT = `
  const left = () => process.getActiveResourcesInfo().filter((each) => !/^(Pipe|TTY|FSReq|Close|Immediate)/.test(each));
  const tell = () => console.log(JSON.stringify({ left: left() }));`;

/** Two peers with a call, a stream and events under way between them, which stop one after the other. */
const BUSY = `
  const a = await createPeer(options).start();
  const b = createPeer(options);
  b.connect('hang', () => new Promise(() => {}));
  b.connect('count', async function* () { for (let n = 0; ; n += 1) yield n; });
  await b.start();
  await a.peers.ready('hang');
  a.event('tick').subscribe(() => {});
  const hanging = a.remote('hang').on(b.id)().catch(() => {});
  const stream = await a.remote('count').on(b.id)();
  await stream.next();
  await Promise.all([a.stop(), b.stop()]);
  tell();
  await hanging;`;

const SET_UPS: [title: string, code: string][] = [
  ['with a call, a stream and events under way, on one host', `const options = { drainTime: 200 }; ${BUSY}`],
  [
    'with seeds where nobody is, or where nobody answers',
    `const silent = (await import('node:net')).createServer(() => {}).listen(0, '127.0.0.1');
     await new Promise((resolve) => silent.once('listening', resolve));
     const seeds = ['127.0.0.1:1', '127.0.0.1:' + silent.address().port];
     const peer = await createPeer({ seeds }).start();
     await peer.getPeers();
     await peer.stop();
     const [server, ...others] = left().filter((each) => each !== 'TCPSocketWrap');
     console.log(JSON.stringify({ left: server === 'TCPServerWrap' ? others : [server, ...others] }));
     process.exit();`,
  ],
  ['that was never started', `await createPeer().stop(); tell();`],
  [
    'that stops while it starts',
    `const peer = createPeer();
     const starting = peer.start().catch(() => {});
     await new Promise((resolve) => setTimeout(resolve, WAIT));
     await peer.stop();
     await starting;
     tell();`,
  ],
  [
    'that could not start',
    `const taken = await createPeer().start();
     const { port } = taken.actor.getSnapshot().context.opened.listener.addresses[0];
     const peer = createPeer({ port });
     await peer.start().catch(({ code }) => code === 'EADDRINUSE' || process.exit(1));
     await peer.stop();
     await taken.stop();
     tell();`,
  ],
];

describe('a peer that has stopped', function () {
  this.timeout(120_000);
  const stage = new Stage();
  const processes = new Processes();
  let folder: string;
  beforeEach(async () => {
    folder = await stage.folder();
  });
  afterEach(async () => {
    await processes.clear();
    await stage.clear();
  });

  async function left(code: string, env: NodeJS.ProcessEnv = {}): Promise<string[]> {
    const script = `import { createPeer } from 'app-net'; ${LEFT} ${code}`;
    const process = await processes.start(folder, script, { env });
    const told = await process.line<{ left?: string[] }>((line) => line.left !== undefined);
    expect(await process.exited, process.errors).to.equal(0);
    return told.left!;
  }

  for (const [title, code] of SET_UPS) {
    const waits = code.includes('WAIT') ? [0, 1, 5, 20, 60, 150] : [0];
    for (const wait of waits) {
      const when = waits.length > 1 ? `, after ${wait} ms` : '';
      it(`leaves nothing behind: one ${title}${when}`, async () => {
        expect(await left(code.replace('WAIT', String(wait)))).to.deep.equal([]);
      });
    }
  }

  it('leaves nothing behind on the LAN, with its multicast and its encryption', async function () {
    needOwnAddress(this);
    const env = { APP_NET_SECRET: 'a passphrase that is long enough for a test of what is left' };
    expect(await left(`const options = { lan: true, drainTime: 200 }; ${BUSY}`, env)).to.deep.equal([]);
  });
});
