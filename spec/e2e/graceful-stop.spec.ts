import { readFileSync } from 'node:fs';

import { expect } from 'chai';

import type { NetError } from '../../src/index.ts';
import type { Attachment, Network } from '../../src/providers/network.ts';
import { webSocketTransport } from '../../src/transport/websocket.ts';
import { makeSecret } from '../../src/wire/handshake/secret.ts';
import { befriend } from '../support/friend.ts';
import type { Friend } from '../support/friend.ts';
import { Stage, failure } from '../support/peers.ts';
import { Processes } from '../support/processes.ts';
import { eventually } from '../support/eventually.ts';
import { needLinux } from '../support/need.ts';

describe('a peer that stops in order', function () {
  this.timeout(120_000);
  const stage = new Stage();
  const processes = new Processes();
  afterEach(async () => {
    await processes.clear();
    await stage.clear();
  });

  // It waits a second for callers to notice. A caller that computes for longer finds its goodbye in the socket.
  it('refuses the calls of a caller that notices it only when it is gone', async function () {
    needLinux(this);
    const folder = await stage.folder();
    const secret = makeSecret();
    const worker = await processes.start(
      folder,
      `import { connect, serve } from 'app-net';
       connect('double', (n) => 2 * n);
       await serve({ stopOn: ['SIGTERM'] });
       process.exit();`,
      { env: { APP_NET_SECRET: secret } },
    );
    const caller = await stage.make({ runtimeDir: folder, secret }).start();
    const [there] = await caller.peers.ready('double');
    expect(await there.call('double', [1])).to.equal(2);
    worker.child.kill('SIGTERM');
    // Until it has exited, this process reads nothing. Its parent is this process, so it stays a zombie.
    while (!/\) Z /.test(readFileSync(`/proc/${worker.pid}/stat`, 'utf8')));
    const calls = Array.from({ length: 5 }, (_, n) => failure(there.call('double', [n])));
    const errors = (await Promise.all(calls)) as NetError[];
    expect(errors.map(({ code, ran }) => `${code} ${ran}`)).to.deep.equal(calls.map(() => 'REFUSED no'));
    expect(await worker.exited).to.equal(0);
  });

  it('has taken the connections that came in before it was ready', async () => {
    const secret = makeSecret();
    let friend: Friend | undefined;
    const network: Network = {
      attach: (): Attachment => {
        const real = webSocketTransport();
        const listen: typeof real.listen = async (options, accept) => {
          let proved: () => void;
          const isProved = new Promise<void>((resolve) => (proved = resolve));
          const listener = await real.listen(options, (socket) => {
            const trust = socket.trust.bind(socket);
            accept(Object.assign(socket, { trust: () => (trust(), proved()) }));
          });
          friend = await befriend(listener.addresses[0]!.port, secret);
          await isProved;
          return listener;
        };
        return { transport: { ...real, listen }, providers: [], secret: () => Promise.resolve(secret) };
      },
    };
    const peer = stage.make({ network, secret });
    peer.connect('double', (n: number) => 2 * n);
    await peer.start();
    friend!.socket.send('{"type":"request","id":1,"tag":"double","args":[4]}');
    await eventually(() => expect(friend!.frames).to.deep.include({ type: 'result', id: 1, value: 8 }));
    await peer.stop();
    expect(friend!.frames).to.deep.include({ type: 'goaway', last: 1, reason: 'stopped' });
    expect(await friend!.closed).to.equal(1001);
  });
});
