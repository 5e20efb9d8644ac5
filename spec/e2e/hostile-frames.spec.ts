import { randomBytes } from 'node:crypto';

import { expect } from 'chai';

import type { RemotePeer } from '../../src/index.ts';
import { webSocketTransport } from '../../src/transport/websocket.ts';
import { DiallerHandshake } from '../../src/wire/handshake/handshake.ts';
import { HandshakeFailed } from '../../src/wire/handshake/handshake-messages.ts';
import { deriveKeys, makeSecret } from '../../src/wire/handshake/secret.ts';
import { befriend, someone } from '../support/friend.ts';
import type { Friend } from '../support/friend.ts';
import { HostileMessages } from '../support/hostile.ts';
import type { HostileMessage } from '../support/hostile.ts';
import { Stage } from '../support/peers.ts';
import { Processes } from '../support/processes.ts';
import type { TestProcess } from '../support/processes.ts';
import { seeded } from '../support/random.ts';
import { rounds } from '../support/rounds.ts';

/** Messages and handshakes that are tried. */
const MESSAGES = rounds(3_000, 50_000);
const HANDSHAKES = rounds(500, 5_000);

/** Messages between two looks at how the victim is. */
const ROUND = 20;

/** Processor time that one message may take, in ms. */
const LONGEST = 200;

/** MiB that the victim may grow. */
const MOST_GROWN = 300;

const VICTIM = `
import { createPeer } from 'app-net';
const peer = createPeer({ name: 'victim', drainTime: 0 });
peer.connect('echo', (...args) => args);
peer.connect('numbers', async function* () { for (let n = 0; ; n += 1) yield n; });
peer.connect('sum', async (numbers) => { let n = 0; for await (const each of numbers) n += 1; return n; });
peer.connect('throws', (value) => { throw Object.assign(new RangeError('no'), { value }); });
peer.connect('slow', () => new Promise((resolve) => setTimeout(resolve, 20)));
const tick = peer.event('tick');
tick.subscribe(() => {});
setInterval(() => tick.emit({ at: Date.now() }), 5);
peer.connect('health', () => {
  const { user, system } = process.cpuUsage();
  return { busy: (user + system) / 1_000, rss: process.memoryUsage().rss };
});
// Each one is called as well, so that its answers are answers to something.
async function* three() { yield 1; yield 2; yield 3; }
// An error that another peer threw has a line in its stack that says so.
const failed = (error) => {
  if (error instanceof TypeError && !String(error.stack).includes('at peer "')) console.error('a fault of ours', error);
};
peer.peers.on('join', (each) => {
  for (let n = 0; n < 4; n += 1) each.call('echo', [n]).catch(failed);
  each.call('sum', [three()]).catch(failed);
  const read = async () => {
    const stream = await each.call('numbers');
    if (stream?.[Symbol.asyncIterator]) for await (const value of stream) String(typeof value);
  };
  read().catch(failed);
});
process.on('unhandledRejection', (error) => console.error('unhandled', error));
await peer.start();
const { port } = peer.actor.getSnapshot().context.opened.listener.addresses[0];
console.log(JSON.stringify({ port }));
`;

interface Health {
  /** Processor time since its start, in ms. */
  busy: number;
  rss: number;
}

describe('a peer among hostile peers with the secret', function () {
  this.timeout(rounds(180_000, 0));
  const stage = new Stage();
  const processes = new Processes();
  const secret = makeSecret();
  let victim: TestProcess;
  let toVictim: RemotePeer;
  let port: number;
  let began: Health;
  let worst: { busy: number; grown: number };

  before(async () => {
    const folder = await stage.folder();
    victim = await processes.start(folder, VICTIM, {
      env: { APP_NET_SECRET: secret, APP_NET_LOG: 'error', NODE_OPTIONS: '--max-old-space-size=192' },
    });
    ({ port } = await victim.line<{ port: number }>((line) => line.port !== undefined));
    const honest = await stage.make({ runtimeDir: folder, secret }).start();
    [toVictim] = (await honest.peers.ready('health')) as [RemotePeer];
    for (let warm = 0; warm < 200; warm += 1) await health();
    began = await health();
  });

  beforeEach(() => (worst = { busy: 0, grown: 0 }));

  after(async () => {
    await processes.clear();
    await stage.clear();
  });

  /** Asked of an honest peer, which is so served throughout. */
  async function health(): Promise<Health> {
    return (await toVictim.call('health')) as Health;
  }

  /** How long the victim works on what is done meanwhile, in ms of its processor time. */
  async function busyWith(work: () => Promise<void>): Promise<number> {
    const before = await health();
    await work();
    // Messages on other connections are read in the same turn of the event loop as this one, or in the next.
    await health();
    const after = await health();
    worst.grown = Math.max(worst.grown, (after.rss - began.rss) / 2 ** 20);
    return after.busy - before.busy;
  }

  function nothingWrong(): void {
    expect(victim.child.exitCode, 'the exit code of the victim').to.equal(null);
    expect(victim.errors, 'what the victim wrote').to.equal('');
    expect(worst.grown, 'MiB that it grew').to.be.below(MOST_GROWN);
    expect(worst.busy, 'ms of work for one message').to.be.below(LONGEST);
  }

  it(`survives ${MESSAGES} messages of any kind, and serves an honest peer all the time`, async () => {
    const messages = new HostileMessages(seeded(2_026));
    const enemies = await Promise.all(Array.from({ length: 8 }, () => Enemy.meet(port, secret)));
    for (let count = 0; count < MESSAGES; count += ROUND) {
      const round = Array.from({ length: ROUND }, () => messages.next());
      const send = (message: HostileMessage, index: number): Promise<void> =>
        enemies[index % enemies.length]!.send(message);
      const took = await busyWith(async () => void (await Promise.all(round.map(send))));
      if (took < LONGEST) continue;
      // One of these, or a collection of garbage, which does not come twice at the same one.
      for (const message of round) {
        const once = await busyWith(() => send(message, 0));
        if (once >= LONGEST) worst.busy = Math.max(worst.busy, await busyWith(() => send(message, 0)));
      }
    }
    for (const enemy of enemies) enemy.leave();
    nothingWrong();
    console.log(
      `      (${Enemy.ended} connections were ended; resident memory + ${worst.grown.toFixed(0)} MiB)`,
    );
  });

  it(`survives ${HANDSHAKES} handshakes that go wrong in any way`, async () => {
    const messages = new HostileMessages(seeded(7));
    const keys = await deriveKeys(secret);
    const attempt = async (number: number): Promise<void> => {
      const socket = await webSocketTransport().dial({ host: '127.0.0.1', port }, { largestMessage: 65_536 });
      const self = { ...someone, id: `stranger-${number}` };
      const options = { self, keys, binding: socket.binding, nonce: randomBytes(32), to: '' };
      const handshake = new DiallerHandshake(options);
      const change = (text: string, step: number): string =>
        number % 3 === step ? (number % 2 ? messages.mutated(text) : messages.next().text) : text;
      await new Promise<void>((resolve) => {
        const end = (): void => {
          socket.terminate();
          resolve();
        };
        // Some of what is wrong is waited for.
        const timer = setTimeout(end, 50);
        let step = 0;
        socket.receive({
          message: (text) => {
            step += 1;
            try {
              const { send } = handshake.receive(text);
              if (send !== undefined) socket.send(change(send, step));
              if (number % 5 === 0) socket.send(messages.next().text, [new Uint8Array(9)]);
            } catch (error) {
              if (!(error instanceof HandshakeFailed)) throw error;
              end();
            }
          },
          binary: end,
          closed: () => {
            clearTimeout(timer);
            resolve();
          },
        });
        socket.send(change(handshake.hello(), 0));
      });
    };
    for (let number = 0; number < HANDSHAKES; number += 10) {
      const ten = Array.from({ length: 10 }, (_, index) => attempt(number + index));
      worst.busy = Math.max(worst.busy, (await busyWith(async () => void (await Promise.all(ten)))) / 10);
    }
    nothingWrong();
  });
});

/** Connects anew, as another one, whenever its connection was ended. */
class Enemy {
  static ended = 0;
  static #count = 0;
  readonly #port: number;
  readonly #secret: string;
  #friend: Friend | undefined;
  #left = false;

  static async meet(port: number, secret: string): Promise<Enemy> {
    const enemy = new Enemy(port, secret);
    await enemy.#connect();
    return enemy;
  }

  private constructor(port: number, secret: string) {
    this.#port = port;
    this.#secret = secret;
  }

  async send({ text, binaries }: HostileMessage): Promise<void> {
    const friend = this.#friend ?? (await this.#connect());
    friend.socket.send(text, binaries);
  }

  leave(): void {
    this.#left = true;
    this.#friend?.socket.terminate();
  }

  async #connect(): Promise<Friend> {
    Enemy.#count += 1;
    const self = { ...someone, id: `enemy-${Enemy.#count}` };
    const friend = await befriend(this.#port, this.#secret, self);
    this.#friend = friend;
    void friend.closed.then(() => {
      if (this.#friend === friend) this.#friend = undefined;
      if (!this.#left) Enemy.ended += 1;
    });
    return friend;
  }
}
