import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';

import { expect } from 'chai';
import type { InspectionEvent } from 'xstate';

import { dialHandshake } from '../../src/connection/dial/handshaking.ts';
import { systemClock } from '../../src/base/clock.ts';
import type { Peer } from '../../src/index.ts';
import { ephemeralCertificate } from '../../src/transport/certificate.ts';
import type { TlsOptions } from '../../src/transport/tls.ts';
import { webSocketTransport } from '../../src/transport/websocket.ts';
import { deriveKeys, makeSecret } from '../../src/wire/secret.ts';
import { Attacker } from '../support/attacker.ts';
import type { Line } from '../support/attacker.ts';
import { eventually } from '../support/eventually.ts';
import { edit } from '../support/edit.ts';
import { ownAddress } from '../support/own-address.ts';
import { meet, portOf, Stage } from '../support/peers.ts';
import { withoutMulticast } from '../support/without-multicast.ts';

/** In every application frame of an attacker: whoever parses one parses this. */
const MARK = 'attack-7f3a';
const REQUEST = `{"type":"request","id":1,"tag":"function of the victim","args":["${MARK}"]}`;
const UNUSUAL = `{"type":"functions","added":["${MARK}"],"removed":[]}`;

describe('on the network', function () {
  this.timeout(20_000);
  const own = ownAddress()!;
  const secret = makeSecret();
  const stage = new Stage();
  let attacker: Attacker;
  let victim: Peer;
  let port: number;

  /** Every text with the mark that anything but the reader of handshakes has parsed, which takes no frame for one. */
  let parsed: string[];
  /** Events that tell an actor of frames. */
  let frames: InspectionEvent[];
  let runs: number;
  const { parse } = JSON;

  before(function () {
    if (own !== undefined) return;
    console.log('      (skipped: this host has no address beside loopback)');
    this.skip();
  });

  beforeEach(async () => {
    parsed = [];
    frames = [];
    runs = 0;
    JSON.parse = ((text: string, ...rest: []) => {
      if (text.includes(MARK) && !/handshake-messages/.test(new Error().stack!)) parsed.push(text);
      return parse(text, ...rest) as unknown;
    }) as typeof JSON.parse;
    attacker = new Attacker(own);
    victim = await start('victim');
    port = portOf(victim);
  });

  afterEach(async () => {
    JSON.parse = parse;
    await attacker?.stop();
    await stage.clear();
  });

  async function start(name: string, seeds: string[] = [], with_: string = secret): Promise<Peer> {
    const inspect = (event: InspectionEvent): void => {
      if (event.type === '@xstate.event' && /^frames?\.received$/.test(event.event.type)) frames.push(event);
    };
    const network = withoutMulticast(await stage.folder());
    const peer = stage.make({
      name,
      group: 'g-secret',
      lan: true,
      secret: with_,
      network,
      seeds,
      inspect,
    });
    peer.connect('function of the victim', (): number => (runs += 1));
    return peer.start();
  }

  /** What every attack comes to: nobody joined, nothing ran, and no frame got as far as the codec. */
  function nothingGotIn(...peers: Peer[]): void {
    for (const peer of [victim, ...peers]) {
      expect([...peer.peers.of({ group: '*' })]).to.deep.equal([]);
      const { running, settled } = peer.actor.system.get('dispatcher').getSnapshot().context;
      expect({ running, settled }).to.deep.equal({ running: 0, settled: 0 });
    }
    expect(frames).to.deep.equal([]);
    expect(parsed).to.deep.equal([]);
    expect(runs).to.equal(0);
  }

  const typeOf = (text: string): unknown => (parse(text) as { type: unknown }).type;

  it('an honest peer can be called, and the checks of the attacks below see its frames', async () => {
    const honest = await start('honest', [`${own}:${port}`]);
    const [toVictim] = await meet(honest, victim.id);
    expect(await toVictim!.call('function of the victim', [MARK])).to.equal(1);
    expect(frames).to.have.length.above(0);
    expect(parsed).to.have.length.above(0);
  });

  it('a relay that passes on what it cannot read does no harm and is no obstacle', async () => {
    const relay = createServer((near) => {
      const far = connectTcp(port, own);
      near.on('error', () => far.destroy()).pipe(far);
      far.on('error', () => near.destroy()).pipe(near);
    });
    await listening(relay);
    const honest = await start('honest', [`${own}:${(relay.address() as AddressInfo).port}`]);
    const [toVictim] = await meet(honest, victim.id);
    expect(await toVictim!.call('function of the victim')).to.equal(1);
    await Promise.all([honest.stop(), victim.stop()]);
    relay.close();
  });

  it('a relay that ends the encryption and begins its own is refused', async () => {
    const { port: trap, relayed, ends } = await attacker.relay(port);
    const honest = await start('honest', [`${own}:${trap}`]);
    await eventually(() => expect(ends).to.include(4401));
    // It got everything through that it could: two introductions and a proof, which is no proof there.
    expect(relayed.slice(0, 3).map(typeOf)).to.deep.equal(['hello', 'welcome', 'proof']);
    expect(relayed.map(typeOf)).not.to.include.members(['accept']);
    nothingGotIn(honest);
  });

  it('a relay that adds its own frames to the handshake is refused, and they are not parsed', async () => {
    const trap = await attacker.serve((near) => {
      near.hold();
      void attacker.dial(port).then((far) => {
        near.onMessage((text) => far.say(text, REQUEST, UNUSUAL));
        far.onMessage((text) => near.say(text, REQUEST, UNUSUAL));
      });
    });
    const honest = await start('honest', [`${own}:${trap}`]);
    await eventually(() => expect(failuresOf(honest)).to.be.above(0));
    nothingGotIn(honest);
  });

  it('a relay that removes the newest version, or adds another, is refused', async () => {
    for (const versions of [[], [0], [1, 0], [2, 1]]) {
      const change = (text: string): string =>
        typeOf(text) === 'hello' || typeOf(text) === 'welcome' ? edit(text, { versions }) : text;
      const { port: trap, ends } = await attacker.relay(port, change);
      const honest = await start('honest', [`${own}:${trap}`]);
      await eventually(() => expect(ends, JSON.stringify(versions)).to.include(4401));
      nothingGotIn(honest);
      await honest.stop();
    }
  });

  it('a server without encryption receives only the beginning of an encrypted connection', async () => {
    const heard: Buffer[] = [];
    const plain = createServer((tcp) => {
      tcp
        .on('error', () => {})
        .on('data', (data) => {
          heard.push(data);
          tcp.end('HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n');
        });
    });
    await listening(plain);
    const honest = await start('honest', [`${own}:${(plain.address() as AddressInfo).port}`]);
    await eventually(() => expect(failuresOf(honest)).to.be.above(0));
    expect(heard[0]![0], 'a TLS handshake record').to.equal(0x16);
    const text = Buffer.concat(heard).toString('latin1');
    for (const word of ['GET', 'app-net', 'hello', honest.id]) expect(text).not.to.include(word);
    nothingGotIn(honest);
    plain.close();
  });

  it('a client without encryption is not answered', async () => {
    const tcp = connectTcp(port, own);
    const heard: Buffer[] = [];
    tcp.on('error', () => {}).on('data', (data) => heard.push(data));
    tcp.write(`GET / HTTP/1.1\r\nHost: ${own}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n`);
    await new Promise((resolve) => tcp.once('close', resolve));
    expect(Buffer.concat(heard).toString('latin1')).not.to.include('HTTP');
    nothingGotIn();
  });

  it('neither side speaks an older TLS', async () => {
    const older = connectTls({ host: own, port, maxVersion: 'TLSv1.2', rejectUnauthorized: false });
    const error = await new Promise<NodeJS.ErrnoException>((resolve) => older.once('error', resolve));
    expect(error.code).to.equal('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
    let spoken = 0;
    const server = createTlsServer(
      { ...(await ephemeralCertificate()), maxVersion: 'TLSv1.2' },
      () => (spoken += 1),
    );
    server.on('tlsClientError', () => {});
    await listening(server);
    const honest = await start('honest', [`${own}:${(server.address() as AddressInfo).port}`]);
    await eventually(() => expect(failuresOf(honest)).to.be.above(0));
    expect(spoken).to.equal(0);
    nothingGotIn(honest);
    server.close();
  });

  it('a handshake that was recorded in the clear is refused when it is played again', async () => {
    // Nobody hears it in the clear; this one is told by the honest dialler itself.
    const heard: string[] = [];
    const socket = await webSocketTransport().dial({ host: own, port }, { largestMessage: 65_536 });
    const send = socket.send.bind(socket);
    socket.send = (text: string) => (heard.push(text), send(text));
    const keys = await deriveKeys(secret);
    await new Promise<void>((resolve, reject) => {
      const dependencies = { self: someone, keys, clock: systemClock };
      dialHandshake(socket, victim.id, dependencies, { done: () => resolve(), failed: reject });
    });
    socket.terminate();
    await eventually(() => expect([...victim.peers.of({ group: '*' })]).to.deep.equal([]));
    expect(heard.map(typeOf)).to.deep.equal(['hello', 'proof', 'describe']);
    frames.length = 0;
    const line = await attacker.dial(port);
    line.say(...heard, REQUEST, UNUSUAL);
    expect(await line.closed).to.equal(4401);
    expect(line.heard.map(typeOf)).to.deep.equal(['welcome']);
    nothingGotIn();
  });

  it('a peer does not accept its own messages, whichever way they come back', async () => {
    // A mirror at the other end of a dial.
    const mirror = await attacker.serve((line) => line.onMessage((text) => line.say(text, REQUEST)));
    const toMirror = await start('to the mirror', [`${own}:${mirror}`]);
    await eventually(() => expect(failuresOf(toMirror)).to.be.above(0));
    // Its own introduction, to its own door.
    let back: Line | undefined;
    const trap = await attacker.serve((near) => {
      near.hold();
      void attacker.dial(portOf(reflected)).then((far) => {
        back = far;
        near.onMessage((text) => far.say(text, REQUEST));
        far.onMessage((text) => near.say(text, REQUEST));
      });
    });
    const reflected = stage.make({
      ...{ name: 'reflected', lan: true, secret, network: withoutMulticast(await stage.folder()) },
      seeds: [`${own}:${trap}`],
    });
    await reflected.start();
    await eventually(() => expect(back?.heard).to.be.an('array'));
    expect(await back!.closed).to.equal(4401);
    // Two connections to one peer, each saying what the other hears.
    const [first, second] = [await attacker.dial(port), await attacker.dial(port)];
    first.onMessage((text) => second.say(text, REQUEST));
    second.onMessage((text) => first.say(text, REQUEST));
    first.say(helloOf('mirror'));
    expect(await Promise.race([first.closed, second.closed])).to.equal(4401);
    nothingGotIn(toMirror, reflected);
  });

  it('two peers that dial the same attacker are not connected with each other', async () => {
    const lines: Line[] = [];
    const trap = await attacker.serve((line) => {
      line.hold();
      lines.push(line);
    });
    const peers = await Promise.all(['one', 'two'].map((name) => start(name, [`${own}:${trap}`])));
    await eventually(() => expect(lines.filter(({ heard }) => heard.length > 0)).to.have.length.above(1));
    const [one, two] = lines as [Line, Line];
    // Each hello becomes the welcome for the other, each proof the acceptance.
    const turned = (text: string): string =>
      typeOf(text) === 'hello'
        ? edit(text, { type: 'welcome', version: 1 })
        : edit(text, { type: 'accept', ...someone.describe() });
    one.onMessage((text) => two.say(turned(text), REQUEST, UNUSUAL));
    two.onMessage((text) => one.say(turned(text), REQUEST, UNUSUAL));
    await Promise.all([one.closed, two.closed]);
    nothingGotIn(...peers);
  });

  it('two peers that the same attacker dials are not connected with each other', async () => {
    const other = await start('other');
    const [one, two] = [await attacker.dial(port), await attacker.dial(portOf(other))];
    one.onMessage((text) => two.say(edit(text, { type: 'hello', to: '' }), REQUEST));
    two.onMessage((text) => one.say(edit(text, { type: 'proof', proof: 'A'.repeat(43) }), REQUEST));
    one.say(helloOf('splice'));
    expect([await one.closed, await two.closed]).to.deep.equal([4401, 4401]);
    nothingGotIn(other);
  });

  it('a peer with another secret learns that a peer exists, and nothing else', async () => {
    const stranger = await start('stranger', [`${own}:${port}`], makeSecret());
    await eventually(() => expect(failuresOf(stranger)).to.be.above(0));
    const line = await attacker.dial(port);
    line.say(helloOf('curious'));
    await eventually(() => expect(line.heard).to.have.length(1));
    line.say(`{"type":"proof","proof":"${'A'.repeat(43)}"}`, REQUEST);
    expect(await line.closed).to.equal(4401);
    expect(line.heard).to.have.length(1);
    for (const word of ['victim', 'g-secret', 'function', 'host', String(process.pid)]) {
      expect(line.heard[0]).not.to.include(word);
    }
    nothingGotIn(stranger);
  });

  it('a peer with another secret that is dialled learns that somebody dials, and nothing else', async () => {
    const heard: string[] = [];
    const trap = await attacker.serve((line) =>
      line.onMessage((text) => {
        heard.push(text);
        if (typeOf(text) === 'hello') line.say(edit(helloOf('trap'), { type: 'welcome', version: 1 }));
        else
          line.say(JSON.stringify({ type: 'accept', proof: 'A'.repeat(43), ...someone.describe() }), REQUEST);
      }),
    );
    const honest = await start('honest', [`${own}:${trap}`]);
    await eventually(() => expect(failuresOf(honest)).to.be.above(0));
    expect(heard.slice(0, 2).map(typeOf)).to.deep.equal(['hello', 'proof']);
    for (const word of ['honest', 'g-secret', 'function', 'host', String(process.pid)]) {
      expect(heard.slice(0, 2).join()).not.to.include(word);
    }
    nothingGotIn(honest);
  });

  it('certificates are checked on both sides when there is an authority', async () => {
    const [ours, theirs] = [await ephemeralCertificate(), await ephemeralCertificate()];
    // A certificate that signed itself is its own authority.
    const make = async (name: string, tls: TlsOptions, seeds: string[] = []): Promise<Peer> => {
      const network = withoutMulticast(await stage.folder(), tls);
      return stage.make({ name, lan: true, secret, seeds, network }).start();
    };
    const guarded = await make('guarded', { ...ours, ca: ours.cert });
    const seeds = [`${own}:${portOf(guarded)}`];
    const friend = await make('friend', { ...ours, ca: ours.cert }, seeds);
    await meet(friend, guarded.id);
    // All have the secret; the certificate alone keeps them out.
    const unknown = await make('unknown', { ...theirs, ca: ours.cert }, seeds);
    const wary = await make('wary', { ...theirs, ca: theirs.cert }, seeds);
    const bare = await start('bare', seeds);
    for (const peer of [unknown, wary, bare]) {
      await eventually(() => expect(failuresOf(peer)).to.be.above(0));
      expect([...peer.peers.of({ group: '*' })]).to.deep.equal([]);
    }
    expect([...guarded.peers].map(({ name }) => name)).to.deep.equal(['friend']);
  });

  const someone = {
    id: 'someone',
    incarnation: 'one',
    limits: { message: 1_000_000, calls: 10 },
    describe: () => ({ name: 's', group: 'main', hub: false, pid: 1, host: 'h', functions: [] }),
  };

  function helloOf(id: string): string {
    const nonce = Buffer.alloc(32, id).toString('base64url');
    const limits = { message: 65_536, calls: 1 };
    return JSON.stringify({ type: 'hello', versions: [1], id, incarnation: id, nonce, to: '', limits });
  }

  /** Dials of this peer that came to nothing. */
  function failuresOf(peer: Peer): number {
    const { candidates } = peer.actor.system.get('discovery').getSnapshot().context as {
      candidates: Map<string, { failures: number }>;
    };
    return [...candidates.values()].reduce((sum, { failures }) => sum + failures, 0);
  }

  async function listening(server: Server): Promise<void> {
    await new Promise<void>((resolve) => server.listen(0, own, resolve));
  }
});
