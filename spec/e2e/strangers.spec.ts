import { createHash } from 'node:crypto';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { TLSSocket, createSecureContext } from 'node:tls';

import { expect } from 'chai';

import { ephemeralCertificate } from '../../src/transport/certificate.ts';
import type { Peer } from '../../src/index.ts';
import { eventually } from '../support/eventually.ts';
import { ENDINGS, impolite, inParallel, MOMENTS } from '../support/impolite.ts';
import type { Door } from '../support/impolite.ts';
import { needLinux } from '../support/need.ts';
import { needOwnAddress, ownAddress } from '../support/own-address.ts';
import { meet, Stage } from '../support/peers.ts';
import { MODULES, Processes } from '../support/processes.ts';
import type { TestProcess } from '../support/processes.ts';
import { seeded } from '../support/random.ts';
import { fuzzedRequest } from '../support/requests.ts';
import { rounds } from '../support/rounds.ts';

/** Repetitions of each moment and each way to break off. */
const ROUNDS = 24;
const ROUNDS_TLS = 4;

const FUZZED = rounds(4_000, 50_000);
const DIALS = rounds(1_000, 10_000);

/** Connections that are open at the same time: fewer than strangers may have, so that the honest peer is let in. */
const PARALLEL = 24;

/**
 * A default peer, and one for the network with a secret of its own, which speaks TLS. Tells how they are ten times a
 * second; anything that is not caught ends the process.
 */
const VICTIM = `
import { readdirSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createPeer } from 'app-net';
import { hostNetwork } from '${MODULES}providers/host/host-network.js';
import { resolveOptions } from '${MODULES}peer/options/options.js';
const near = await createPeer({ id: 'near' }).start();
near.connect('answer', () => 42);
const runtimeDir = process.env.FAR;
const network = hostNetwork(resolveOptions({ runtimeDir }, {}));
const far = await createPeer({ id: 'far', lan: true, secret: 'net1_' + 'B'.repeat(43), runtimeDir, network }).start();
const portOf = (peer) => peer.actor.getSnapshot().context.opened.listener.addresses[0].port;
const delay = monitorEventLoopDelay({ resolution: 10 });
delay.enable();
const tell = () => console.log(JSON.stringify({
  near: portOf(near), far: portOf(far), fds: readdirSync('/proc/self/fd').length,
  rss: process.memoryUsage().rss / 2 ** 20, delay: delay.percentile(99) / 1e6,
}));
tell();
setInterval(tell, 100);
`;

/** Dials a port again and again, gives up now and then, and says what became of it. */
const DIALLER = `
import { readdirSync } from 'node:fs';
import { webSocketTransport } from '${MODULES}transport/websocket.js';
import { dialHandshake } from '${MODULES}connection/dial/handshaking.js';
import { systemClock } from '${MODULES}base/time/clock.js';
import { deriveKeys, makeSecret } from '${MODULES}wire/handshake/secret.js';
const { HOST: host, PORT: port, COUNT: count } = process.env;
const transport = webSocketTransport();
const describe = () => ({ name: '', group: '', hub: false, pid: 1, host: '', functions: [] });
const self = { id: 'dialler', incarnation: 'one', limits: { message: 65536, calls: 1 }, describe };
const dependencies = { self, keys: await deriveKeys(makeSecret()), clock: systemClock };
const outcomes = { DialFailed: 0, aborted: 0, handshake: 0 };
// Dials hold no process.
const awake = setInterval(() => {}, 1_000);
const dial = async (index) => {
  const controller = new AbortController();
  const patience = index % 3 === 0 ? (index % 30) / 3 : 100;
  const timer = setTimeout(() => controller.abort(new Error('given up')), patience);
  try {
    const options = { largestMessage: 65536, signal: controller.signal };
    const socket = await transport.dial({ host, port: Number(port) }, options);
    await new Promise((resolve) => {
      const stop = dialHandshake(socket, '', dependencies, { done: resolve, failed: resolve });
      controller.signal.addEventListener('abort', () => (stop(), resolve()));
    });
    outcomes.handshake += 1;
  } catch (error) {
    const name = error.message === 'given up' ? 'aborted' : error.constructor.name;
    outcomes[name] = (outcomes[name] ?? 0) + 1;
  } finally {
    clearTimeout(timer);
  }
};
let begun = 0;
await Promise.all(Array.from({ length: 16 }, async () => { while (begun < Number(count)) await dial(begun++); }));
const tell = () => console.log(JSON.stringify({ outcomes, fds: readdirSync('/proc/self/fd').length }));
tell();
clearInterval(awake);
setInterval(tell, 100);
`;

interface Health {
  near: number;
  far: number;
  fds: number;
  /** MiB. */
  rss: number;
  /** The delay of the event loop, in ms: 99 of 100 turns came no later. */
  delay: number;
}

describe('strangers that break off', function () {
  this.timeout(rounds(180_000, 0));
  const own = ownAddress()!;
  const processes = new Processes();
  const stage = new Stage();
  let folder: string;
  let victim: TestProcess;
  let calm: Health;
  let honest: Peer;
  let near: Door;
  let far: Door;

  before(async function () {
    needLinux(this);
    needOwnAddress(this);
    folder = await stage.folder();
    victim = await processes.start(folder, VICTIM, { env: { FAR: await stage.folder() } });
    await victim.line<Health>((line) => line.near !== undefined);
    honest = stage.make({ runtimeDir: folder });
    await honest.start();
    await meet(honest, 'near');
    calm = await latest();
    near = { host: '127.0.0.1', port: calm.near, tls: false };
    far = { host: own, port: calm.far, tls: true };
  });

  after(async () => {
    await processes.clear();
    await stage.clear();
  });

  /** How the victim is from here on. */
  function latest(): Promise<Health> {
    victim.lines.length = 0;
    return victim.line<Health>((line) => line.near !== undefined);
  }

  /** Runs the attack while an honest peer calls all the time, and sees that nothing of it is left. */
  async function survives(attack: Promise<void>): Promise<void> {
    let over = false;
    void attack.then(() => (over = true));
    const answer = honest.remote<() => number>('answer').on('near');
    do {
      expect(await answer(), victim.errors).to.equal(42);
      await new Promise((resolve) => setTimeout(resolve, 5));
    } while (!over);
    const newcomer = stage.make({ runtimeDir: folder });
    await newcomer.start();
    await meet(newcomer, 'near');
    await newcomer.stop();
    expect(victim.errors).to.equal('');
    await eventually(async () => expect((await latest()).fds).to.be.at.most(calm.fds + 4));
    const { rss, delay } = await latest();
    expect(rss).to.be.lessThan(300);
    expect(delay).to.be.lessThan(200);
  }

  for (const [encrypted, times] of [
    [false, ROUNDS],
    [true, ROUNDS_TLS],
  ] as const) {
    it(`at any moment of ${encrypted ? 'an encrypted' : 'a plain'} connection do no harm`, async () => {
      const cases = Array.from({ length: times }, () =>
        Object.values(MOMENTS).flatMap((words) => ENDINGS.map((ending) => ({ words, ending }))),
      ).flat();
      await survives(
        inParallel(PARALLEL, () => {
          const next = cases.pop();
          return next && impolite(encrypted ? far : near, next.words, next.ending);
        }),
      );
    });
  }

  it(`with ${FUZZED.toLocaleString('en')} requests that are almost right do no harm`, async () => {
    const random = seeded(FUZZED);
    let left = FUZZED;
    await survives(
      inParallel(PARALLEL, () => {
        if (left === 0) return undefined;
        left -= 1;
        const ending = ENDINGS[left % ENDINGS.length]!;
        return impolite(left % 20 === 0 ? far : near, [fuzzedRequest(random)], ending);
      }),
    );
  });

  for (const encrypted of [false, true]) {
    it(`do no harm when they are dialled ${encrypted ? 'with TLS' : 'in the clear'} and break off at any moment`, async () => {
      const breaker = await breakerOff(encrypted ? own : '127.0.0.1', encrypted);
      const dialler = await processes.start(folder, DIALLER, {
        env: { HOST: breaker.host, PORT: String(breaker.port), COUNT: String(DIALS) },
      });
      const { outcomes, fds } = await dialler.line<Dialled>((line) => line.outcomes !== undefined, 120_000);
      expect(dialler.errors).to.equal('');
      expect(Object.values(outcomes).reduce((sum, each) => sum + each, 0)).to.equal(DIALS);
      // Each kind of end came about: nothing but these.
      expect(outcomes).to.have.all.keys('DialFailed', 'aborted', 'handshake');
      await eventually(async () => {
        dialler.lines.length = 0;
        const { fds: now } = await dialler.line<Dialled>((line) => line.outcomes !== undefined);
        expect(now).to.be.at.most(fds).and.at.most(60);
      });
      await dialler.kill();
      breaker.stop();
    });
  }
});

interface Dialled {
  outcomes: Record<string, number>;
  fds: number;
}

/** Answers each connection a little further than the one before, and then resets it. */
async function breakerOff(host: string, encrypted: boolean) {
  const context = createSecureContext(await ephemeralCertificate());
  const open = new Set<Socket>();
  const steps: ((stream: Socket, tcp: Socket) => void)[] = [
    (_, tcp) => tcp.resetAndDestroy(),
    (_, tcp) => setImmediate(() => tcp.resetAndDestroy()),
    (stream, tcp) => stream.once('data', () => tcp.resetAndDestroy()),
    (stream, tcp) => replyAndReset(stream, 'HTTP/1.1 1', tcp),
    (stream, tcp) => replyAndReset(stream, 'HTTP/1.1 403 Forbidden\r\nContent-Length: 5\r\n\r\nno', tcp),
    (stream, tcp) => replyAndReset(stream, 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: none\r\n\r\n', tcp),
    (stream, tcp) =>
      replyAndReset(stream, 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n', tcp),
    (stream, tcp) => replyAndReset(stream, '\u0000'.repeat(100), tcp),
    (stream, tcp) => upgrade(stream, tcp, Buffer.alloc(0)),
    (stream, tcp) => upgrade(stream, tcp, Buffer.from([0xff, 0xff, 0xff])),
    (stream, tcp) => upgrade(stream, tcp, Buffer.from('\u0081\u0013{"type":"welcome"}x', 'latin1')),
    (stream) => stream.once('data', () => stream.end()),
    () => {},
  ];
  let count = 0;
  const server = createServer((tcp) => {
    open.add(tcp);
    tcp.on('error', () => {}).once('close', () => open.delete(tcp));
    count += 1;
    const step = steps[count % steps.length]!;
    // Every other one breaks off before the handshake of TLS is done.
    if (!encrypted || count % 4 === 0) {
      step(tcp, tcp);
      return;
    }
    const stream = new TLSSocket(tcp, { isServer: true, secureContext: context });
    stream.on('error', () => tcp.destroy());
    step(stream, tcp);
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  return {
    host,
    port: (server.address() as AddressInfo).port,
    stop: () => {
      server.close();
      for (const each of open) each.destroy();
    },
  };
}

/** Says it when the request has come, and resets the connection in the same moment. */
function replyAndReset(stream: Socket, text: string | Buffer, tcp: Socket): void {
  stream.once('data', () => {
    stream.write(text);
    setImmediate(() => tcp.resetAndDestroy());
  });
}

/** Becomes a WebSocket, and says something in it. */
function upgrade(stream: Socket, tcp: Socket, first: Buffer): void {
  stream.once('data', (data: Buffer) => {
    const [, key = ''] = /sec-websocket-key: (.*)\r/i.exec(data.toString('latin1')) ?? [];
    const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
    stream.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: app-net.v1\r\n\r\n`,
    );
    stream.write(first);
    setTimeout(() => tcp.resetAndDestroy(), 2);
  });
}
