import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Socket as TcpSocket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';

import { expect } from 'chai';

import { findAbsent } from '../../src/transport/nats/absence.ts';
import { Bus, openBus } from '../../src/transport/nats/bus.ts';
import { connectOnce, NatsUnreachable } from '../../src/transport/nats/connecting.ts';
import { checkNatsOptions } from '../../src/transport/nats/nats-options.ts';
import { NatsTransport } from '../../src/transport/nats/nats-transport.ts';
import type { Answers, Questions } from '../../src/transport/nats/questions.ts';
import type { Station } from '../../src/transport/nats/station.ts';
import { natsAddress } from '../../src/transport/nats/subjects.ts';
import type { Socket } from '../../src/transport/transport.ts';
import { CLOSE } from '../../src/wire/frames.ts';
import { makeSecret } from '../../src/wire/handshake/secret.ts';
import { eventually } from '../support/eventually.ts';
import { NatsServer, needNats, openStation } from '../support/nats-server.ts';

describe('on the way to another NATS server', () => {
  const servers: NatsServer[] = [];
  const stations: Station[] = [];

  before(function () {
    needNats(this);
  });

  afterEach(async () => {
    // Not the stations: they wait until their links have ended.
    await Promise.all(stations.splice(0).map(({ bus }) => bus.close()));
    await Promise.all(servers.splice(0).map((server) => server.stop()));
  });

  async function serve(...options: Parameters<typeof NatsServer.start>): Promise<NatsServer> {
    const server = await NatsServer.start(...options);
    servers.push(server);
    return server;
  }

  it('the server that died is tried last', async () => {
    const [died, other] = await Promise.all([serve(), serve()]);
    const source = checkNatsOptions({ servers: [died.url, other.url] });
    for (const [worst, first] of [
      [undefined, died],
      [`127.0.0.1:${died.port}`, other],
    ] as const) {
      const connection = await connectOnce(source, [], () => 0, { worst });
      expect(connection.getServer()).to.equal(`127.0.0.1:${first.port}`);
      await connection.close();
    }
  });

  it('a server that says nothing holds nobody up', async () => {
    const held: TcpSocket[] = [];
    const silent = createServer((socket) => held.push(socket));
    await once(silent.listen(0, '127.0.0.1'), 'listening');
    const server = await serve();
    const { port } = silent.address() as AddressInfo;
    const alone = checkNatsOptions({ servers: `127.0.0.1:${port}` });
    const both = checkNatsOptions({ servers: [`127.0.0.1:${port}`, server.url] });
    const late = connectOnce(alone, [], () => 0).catch((error: Error) => error);
    const bus = await Promise.race([openBus(both, () => 0), late]);
    // It was not given up: the other one was tried beside it.
    if (!(bus instanceof Bus)) throw new Error('the silent server had its whole time');
    expect(bus.epoch?.url).to.equal(`127.0.0.1:${server.port}`);
    expect(held).to.have.length(2);
    for (const socket of held) socket.destroy();
    expect(await late).to.be.instanceOf(NatsUnreachable);
    silent.close();
    await bus.close();
  });

  it('a peer is asked for again sooner than elsewhere', () => {
    const asked: string[] = [];
    const ask = (name: string, isSettled: boolean): Promise<() => void> =>
      new Promise((resolve) => {
        let answers: Answers;
        let count = 0;
        const questions = {
          subject: (given: Answers) => ((answers = given), { reply: 'net.reply', close: () => {} }),
        } as unknown as Questions;
        const publish = (): void => {
          asked.push(name);
          count += 1;
          if (count === 2) resolve(stop);
          else queueMicrotask(() => answers.nobody!());
        };
        const bus = { epoch: {}, isSettled, publish } as unknown as Bus;
        const stop = findAbsent(bus, questions, {
          ...{ subject: 'net.life', data: Buffer.alloc(0), mayMove: true },
          ...{ isAlive: () => false, isCertain: () => false, absent: () => {}, present: () => {} },
        });
      });
    return Promise.all([ask('settled', true), ask('moving', false)]).then((stops) => {
      for (const stop of stops) stop();
      expect(asked).to.deep.equal(['settled', 'moving', 'moving', 'settled']);
    });
  });

  it('is only who has lost its server, and not who was too busy to read its answers', async () => {
    // It answers in the turns of this process only, and so always a turn later.
    const info = {
      server_id: 'NA',
      version: '2.9.0',
      proto: 1,
      headers: true,
      max_payload: 1_000_000,
      client_id: 1,
    };
    const server = createServer((socket) => {
      socket.write(`INFO ${JSON.stringify(info)}\r\n`);
      socket.on('error', () => {});
      socket.on('data', (data) => {
        for (const _ of String(data).matchAll(/PING\r\n/g)) socket.write('PONG\r\n');
      });
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const { setTimeout: real } = globalThis;
    // The server is asked for a sign of life every 20 ms in place of 1 s.
    globalThis.setTimeout = ((run: () => void, time: number) =>
      real(run, time === 1_000 ? 20 : time)) as typeof setTimeout;
    try {
      const bus = await openBus(checkNatsOptions({ servers: `127.0.0.1:${port}` }), Math.random);
      const { epoch } = bus;
      for (let count = 0; count < 12; count += 1) {
        const until = performance.now() + 40;
        while (performance.now() < until);
        await turn();
      }
      expect(bus.epoch).to.equal(epoch);
      await bus.close();
    } finally {
      globalThis.setTimeout = real;
      server.close();
    }
  });

  /** Both ends of a link between two stations, and what each of them hears. */
  async function link(url: string): Promise<{ socket: Socket; texts: string[]; codes: number[] }[]> {
    const secret = makeSecret();
    const [a, b] = await Promise.all(['a', 'b'].map((id) => openStation({ servers: url }, secret, id)));
    stations.push(a!, b!);
    const accepted = new Promise<Socket>((resolve) => {
      new NatsTransport(a!).listen({ largestMessage: 1e6 }, resolve).catch(() => {});
    });
    await a!.bus.settled();
    const dialled = await new NatsTransport(b!).dial(natsAddress(a!.self), { largestMessage: 1e6 });
    return [await accepted, dialled].map((socket) => {
      const end = { socket, texts: [] as string[], codes: [] as number[] };
      socket.trust();
      socket.receive({
        message: (text) => end.texts.push(text),
        binary() {},
        closed: (code) => end.codes.push(code),
      });
      return end;
    });
  }

  it('a link goes on, and what was sent meanwhile arrives once and in order', async () => {
    const server = await serve();
    const ends = await link(server.url);
    const sent: string[] = [];
    const send = (): void => {
      sent.push(`message ${sent.length}`);
      for (const { socket } of ends) socket.send(sent.at(-1)!);
    };
    for (let round = 0; round < 5; round += 1) {
      send();
      server.kill('SIGSTOP');
      // It is lost in the server.
      send();
      await servers.pop()!.stop();
      await eventually(() => stations.every(({ bus }) => !bus.epoch));
      send();
      await serve({ port: server.port });
      await eventually(() => ends.every(({ texts }) => texts.length === sent.length));
    }
    for (const { texts, codes } of ends) expect([texts, codes]).to.deep.equal([sent, []]);
  });

  it('a link ends whose messages are too large for the new server', async () => {
    const server = await serve();
    const ends = await link(server.url);
    await servers.pop()!.stop();
    await serve({ port: server.port, configuration: 'max_payload: 8192' });
    await eventually(() => ends.every(({ codes }) => codes.length === 1));
    expect(ends.map(({ codes }) => codes)).to.deep.include([CLOSE.NETWORK]);
  });
});
