import { connect } from '@nats-io/transport-node';
import type { Msg, NatsConnection } from '@nats-io/transport-node';
import { expect } from 'chai';

import { createPeer } from '../../src/index.ts';
import { resolveOptions } from '../../src/peer/options/options.ts';
import type { Peer } from '../../src/index.ts';
import { natsNetwork } from '../../src/nats.ts';
import { NatsTransport } from '../../src/transport/nats/nats-transport.ts';
import { natsAddress } from '../../src/transport/nats/subjects.ts';
import type { Station } from '../../src/transport/nats/station.ts';
import type { Listener, Socket } from '../../src/transport/transport.ts';
import { deriveKeys, makeSecret } from '../../src/wire/handshake/secret.ts';
import { eventually } from '../support/eventually.ts';
import { reachable } from '../support/reachable.ts';
import { NatsServer, needNats, openStation } from '../support/nats-server.ts';

/** Somebody who may do everything at the broker, and has no secret. */
class Attacker {
  readonly seen: { subject: string; data: Uint8Array; reply: string }[] = [];
  readonly #connection: NatsConnection;
  /** Called with each message of others. */
  on: (message: Msg) => void = () => {};

  private constructor(connection: NatsConnection) {
    this.#connection = connection;
  }

  static async at(server: NatsServer): Promise<Attacker> {
    const connection = await connect({ servers: server.url, noEcho: true });
    const attacker = new Attacker(connection);
    connection.subscribe('>', {
      callback: (_, message) => {
        attacker.seen.push({ subject: message.subject, data: message.data, reply: message.reply ?? '' });
        attacker.on(message);
      },
    });
    await connection.flush();
    return attacker;
  }

  publish(subject: string, data: Uint8Array, status?: number): void {
    if (status === undefined) {
      this.#connection.publish(subject, data);
      return;
    }
    // What the server itself says when nobody listens, in the words of the server.
    const { protocol } = this.#connection as unknown as { protocol: { sendCommand(text: string): void } };
    protocol.sendCommand(`HPUB ${subject} 16 16\r\nNATS/1.0 ${status}\r\n\r\n\r\n`);
  }

  /** Everything that was seen, as one text. */
  get all(): string {
    return this.seen
      .map(({ subject, data }) => `${subject} ${Buffer.from(data).toString('latin1')}`)
      .join('\n');
  }

  flush(): Promise<void> {
    return this.#connection.flush();
  }

  close(): Promise<void> {
    return this.#connection.close();
  }
}

describe('a client of the broker without the secret', function () {
  this.timeout(120_000);
  const secret = makeSecret();
  let server: NatsServer;
  let attacker: Attacker;
  const peers: Peer[] = [];
  const stations: Station[] = [];
  const sockets: Socket[] = [];

  before(async function () {
    needNats(this);
    server = await NatsServer.start();
  });
  after(() => server?.stop());

  beforeEach(async () => {
    attacker = await Attacker.at(server);
  });

  afterEach(async () => {
    await attacker.close();
    for (const socket of sockets.splice(0)) socket.terminate();
    await Promise.all(peers.splice(0).map((peer) => peer.stop({ drainTime: 0 })));
    await Promise.all(stations.splice(0).map((station) => station.close()));
  });

  async function pair(servers = server.url): Promise<[Peer, Peer]> {
    const made = ['alice-the-first', 'bob-the-second'].map((name) =>
      createPeer({ name, group: 'group-of-spies', secret, network: natsNetwork({ servers }) }),
    ) as [Peer, Peer];
    peers.push(...made);
    made[1].connect('function-of-bob', (text: string) => `result-for-${text}`);
    await Promise.all(made.map((peer) => peer.start()));
    await made[0].peers.ready({ name: 'bob-the-second', group: '*' });
    return made;
  }

  /** Two ends of one link, without peers. */
  async function link(): Promise<{ near: Socket; far: Socket; toFar: string; listener: Listener }> {
    const [a, b] = await Promise.all(
      ['a', 'b'].map((id) => openStation({ servers: server.url }, secret, id)),
    );
    stations.push(a!, b!);
    let accepted: (socket: Socket) => void;
    const far = new Promise<Socket>((resolve) => (accepted = resolve));
    const options = { host: '', ports: [0, 0], largestMessage: 1e6, origins: [], hostNames: [] } as const;
    const listener = await new NatsTransport(b!).listen(options, (socket) => accepted(socket));
    const near = await new NatsTransport(a!).dial(listener.addresses[0]!, { largestMessage: 1e6 });
    sockets.push(near, await far);
    for (const socket of sockets) socket.trust();
    await attacker.flush();
    const toFar = attacker.seen
      .find(({ subject }) => subject.endsWith('.dialler'))!
      .subject.replace(/dialler$/, 'acceptor');
    return { near, far: await far, toFar, listener };
  }

  function heardBy(socket: Socket): { texts: string[]; code: () => number | undefined } {
    const texts: string[] = [];
    let closed: number | undefined;
    socket.receive({
      message: (text) => texts.push(text),
      binary: () => {},
      closed: (code) => (closed = code),
    });
    return { texts, code: () => closed };
  }

  it('learns no name, group, function, argument, result or secret from all that it sees', async () => {
    const [alice, bob] = await pair();
    const call = alice.remote<(text: string) => string>('function-of-bob').on(bob.id);
    expect(await call('an-argument')).to.equal('result-for-an-argument');
    await attacker.flush();
    const words = ['alice-the-first', 'bob-the-second', 'group-of-spies', 'function-of-bob', 'an-argument'];
    for (const word of [...words, 'result-for', secret, secret.slice(5), 'hello', '"id"'])
      expect(attacker.all.replaceAll('.hello ', ' '), word).not.to.include(word);
    // So that the check above could fail: the ids are in the subjects.
    expect(attacker.all).to.include(alice.id).and.to.include(bob.id);
    for (const key of [(await deriveKeys(secret)).relay!.export()])
      expect(attacker.all).not.to.include(key.toString('latin1'));
  });

  it('finds neither the secret nor a login by looking into a peer', async () => {
    const environment = {
      APP_NET_NATS: server.url.replace('//', '//ann:the-password@'),
      APP_NET_SECRET: secret,
    };
    const settings = resolveOptions({}, environment);
    const servers = environment.APP_NET_NATS;
    const [alice, bob] = await pair(servers);
    await alice.remote<(text: string) => string>('function-of-bob').on(bob.id)('x');
    const { relay, dialler } = await deriveKeys(secret);
    for (const root of [settings, alice, alice.peers.of({ group: '*' }).list()]) {
      const { texts, bytes } = reachable(root);
      const all = [...texts].join('\n');
      for (const hidden of ['the-password', secret, secret.slice(5)]) expect(all).not.to.include(hidden);
      for (const key of [relay!.export(), dialler.export()])
        expect(bytes.some((each) => Buffer.from(each).includes(key))).to.equal(false);
    }
  });

  it('cannot repeat, forge or change a message of a link, and does not break it by trying', async () => {
    const { near, far, toFar } = await link();
    const { texts, code } = heardBy(far);
    attacker.on = ({ subject, data }) => {
      if (subject !== toFar) return;
      attacker.publish(subject, data);
      attacker.publish(subject, Buffer.from('nonsense that is long enough to be a message'));
      attacker.publish(subject, Buffer.alloc(0));
      const changed = Buffer.from(data);
      changed[changed.length - 20]! ^= 1;
      attacker.publish(subject, changed);
      // A number that is far ahead: a seal that was not checked would make a gap of it.
      const ahead = Buffer.from(data);
      ahead.writeUIntBE(1_000_000, 0, 6);
      attacker.publish(subject, ahead);
    };
    for (let count = 0; count < 50; count += 1) {
      near.send(`message ${count}`);
      await eventually(() => texts.length === count + 1);
    }
    await attacker.flush();
    near.send('last');
    await eventually(() => texts.length === 51);
    expect(texts).to.deep.equal([...Array.from({ length: 50 }, (_, count) => `message ${count}`), 'last']);
    expect(code()).to.equal(undefined);
  });

  it('cannot pass messages of one direction, or of another link, off as those of this one', async () => {
    const one = await link();
    const { near, far } = one;
    const [there, here] = [heardBy(far), heardBy(near)];
    attacker.on = ({ subject, data }) => {
      if (subject === one.toFar) attacker.publish(subject.replace(/acceptor$/, 'dialler'), data);
    };
    near.send('there');
    await eventually(() => there.texts.length === 1);
    far.send('back');
    await eventually(() => here.texts.length === 1);
    expect([there.texts, here.texts]).to.deep.equal([['there'], ['back']]);
  });

  it('cannot say for the server that nobody is there', async () => {
    const [alice, bob] = await pair();
    const leaves: string[] = [];
    for (const peer of [alice, bob])
      peer.peers.of({ group: '*' }).on('leave', (each) => leaves.push(each.name));
    let lies = 0;
    attacker.on = ({ reply }) => {
      if (!reply) return;
      lies += 1;
      attacker.publish(reply, Buffer.alloc(0), 503);
    };
    const call = alice.remote<(text: string) => string>('function-of-bob').on(bob.id);
    const end = performance.now() + 1_500;
    while (performance.now() < end) expect(await call('x')).to.equal('result-for-x');
    expect(lies).to.be.above(10);
    expect(leaves).to.deep.equal([]);
  });

  it('cannot keep a peer from being dialled by answering in its place', async () => {
    const [a, b] = await Promise.all(
      ['a', 'b'].map((id) => openStation({ servers: server.url }, secret, id)),
    );
    stations.push(a!, b!);
    const options = { host: '', ports: [0, 0], largestMessage: 1e6, origins: [], hostNames: [] } as const;
    await new NatsTransport(b!).listen(options, (socket) => sockets.push(socket));
    await attacker.flush();
    attacker.on = ({ subject, data, reply }) => {
      if (reply) attacker.publish(reply, Buffer.alloc(0), 503);
      if (subject.endsWith('.dialler')) attacker.publish(subject, data);
      attacker.publish(subject, Buffer.from('nonsense that is long enough to be a box of its own, or so'));
    };
    const near = await new NatsTransport(a!).dial(natsAddress(b!.self), { largestMessage: 1e6 });
    near.terminate();
  });

  it('opens nothing by repeating what opened a link, and no more than 64 handshakes wait', async () => {
    const { near } = await link();
    const opening = attacker.seen.find(({ subject }) => subject.endsWith('.b.b-1'))!;
    const before = attacker.seen.filter(({ subject }) => subject.endsWith('.dialler')).length;
    for (let count = 0; count < 20; count += 1) attacker.publish(opening.subject, opening.data);
    await attacker.flush();
    near.ping();
    await eventually(() => near.received > 0);
    expect(attacker.seen.filter(({ subject }) => subject.endsWith('.dialler')).length - before).to.be.at.most(
      1,
    );
  });

  it('cannot bring back or take away a peer by repeating announcements', async () => {
    const [alice, bob] = await pair();
    const leaves: string[] = [];
    alice.peers.of({ group: '*' }).on('leave', (each, why) => leaves.push(`${each.name} ${why}`));
    const joins: string[] = [];
    alice.peers.of({ group: '*' }).on('join', (each) => joins.push(each.name));
    await bob.stop();
    await eventually(() => leaves.length === 1);
    const told = attacker.seen.filter(({ subject }) => subject.endsWith('.hello'));
    for (const { subject, data } of told) attacker.publish(subject, data);
    await attacker.flush();
    const carol = createPeer({
      name: 'carol',
      group: 'group-of-spies',
      secret,
      network: natsNetwork({ servers: server.url }),
    });
    peers.push(carol);
    await carol.start();
    await eventually(() => joins.includes('carol'));
    for (const { subject, data } of attacker.seen.filter((each) => each.subject.endsWith('.hello')))
      attacker.publish(subject, data);
    await attacker.flush();
    expect(await carol.getPeers({ group: '*' })).to.have.length(1);
    expect([leaves, joins]).to.deep.equal([['bob-the-second stopped'], ['carol']]);
  });

  it('makes a link send again what it drops: nothing is missing', async () => {
    const { near, far } = await link();
    const { texts, code } = heardBy(far);
    const back = heardBy(near);
    // A broker that drops every third message, of both sides, until the last ones.
    let count = 0;
    let isLast = false;
    for (const { bus } of stations) {
      const publish = bus.publish.bind(bus);
      bus.publish = (...message) => {
        if ((count += 1) % 3 > 0 || isLast) publish(...message);
      };
    }
    const sent = Array.from({ length: 200 }, (_, index) => `message ${index}`);
    for (const text of sent) {
      near.send(text);
      far.send(text);
    }
    // The first that is missing has been asked for by now, and the last is only missed when another one comes.
    isLast = true;
    for (const socket of [near, far]) socket.ping();
    await eventually(() => texts.length === 200 && back.texts.length === 200);
    expect([texts, back.texts]).to.deep.equal([sent, sent]);
    expect([code(), back.code()]).to.deep.equal([undefined, undefined]);
  });
});
