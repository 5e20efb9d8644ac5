import { expect } from 'chai';
import { SimulatedClock } from 'xstate';

import { acceptHandshake, dialHandshake } from '../../src/connection/dial/handshaking.ts';
import type { Session } from '../../src/connection/link/session.ts';
import { systemClock } from '../../src/base/time/clock.ts';
import type { NetError, Peer } from '../../src/index.ts';
import type { Binding } from '../../src/wire/handshake/proof.ts';
import type { Receiver, Socket } from '../../src/transport/transport.ts';
import { webSocketTransport } from '../../src/transport/websocket.ts';
import { CLOSE } from '../../src/wire/frames.ts';
import { HANDSHAKE_TIME } from '../../src/wire/handshake/handshake.ts';
import { deriveKeys, makeSecret } from '../../src/wire/handshake/secret.ts';
import { HandshakeFailed, IdTaken } from '../../src/wire/handshake/handshake-messages.ts';
import { eventually } from '../support/eventually.ts';
import { someone } from '../support/friend.ts';
import { acceptor, dialler, keys, otherKeys } from '../support/handshake.ts';
import { failure, portOf, Stage } from '../support/peers.ts';

const secret = makeSecret();

/** Connects as this id, having the secret. */
async function enter(port: number, id: string, incarnation = `${id}-1`): Promise<Session> {
  const socket = await webSocketTransport().dial({ host: '127.0.0.1', port }, { largestMessage: 65_536 });
  const own = await deriveKeys(secret);
  return new Promise((resolve, reject) => {
    const self = { ...someone, id, incarnation };
    dialHandshake(socket, '', { self, keys: own, clock: systemClock }, { done: resolve, failed: reject });
  });
}

describe('a peer that somebody with the secret connects to', () => {
  const stage = new Stage();
  let peer: Peer;

  const start = async (options = {}): Promise<number> => {
    peer = stage.make({ runtimeDir: await stage.folder(), secret, ...options });
    await peer.start();
    return portOf(peer);
  };

  afterEach(() => stage.clear());

  it('keeps only a few connections to it, however many it opens, and serves it on the newest', async () => {
    const port = await start();
    const sessions: Session[] = [];
    let closed = 0;
    for (let count = 0; count < 40; count += 1) {
      const session = await enter(port, 'greedy');
      session.socket.receive({ message: () => {}, binary: () => {}, closed: () => (closed += 1) });
      sessions.push(session);
    }
    await eventually(() => expect(closed).to.equal(40 - 8));
    expect(peer.peers.of({ group: '*' }).size).to.equal(1);
    for (const { socket } of sessions) socket.terminate();
    await eventually(() => expect(peer.peers.of({ group: '*' }).size).to.equal(0));
  });

  it('accepts limits.peers peers under ever new ids, and tells the next one why it is refused', async () => {
    const port = await start({ limits: { peers: 3 } });
    const sessions = [];
    for (const id of ['one', 'two', 'three']) sessions.push(await enter(port, id));
    const error = await failure(enter(port, 'four'));
    expect(error).to.be.instanceOf(Error).and.include({ code: 'UNAUTHENTICATED' });
    expect((error as Error).message).to.contain('it has reached its limit of peers (limits.peers)');
    // Those that are there may open another one, and who leaves makes room.
    sessions.push(await enter(port, 'two'));
    sessions[0]!.socket.terminate();
    await eventually(() => expect(peer.peers.of({ group: '*' }).size).to.equal(2));
    sessions.push(await enter(port, 'four'));
    for (const { socket } of sessions) socket.terminate();
  });
});

/** Plays the other side of one connection. */
class Line implements Socket {
  readonly binding: Binding = { kind: 'test', data: Buffer.alloc(1) };
  readonly scope = 'host';
  readonly bufferedAmount = 0;
  readonly received = 0;
  readonly ends: string[] = [];
  receiver: Receiver | undefined;
  send(): void {}
  ping(): void {}
  whenDrained(): void {}
  receive(receiver: Receiver | undefined): void {
    this.receiver = receiver;
  }
  trust(): void {}
  close(code: number): void {
    this.ends.push(`closed with ${code}`);
  }
  terminate(): void {
    this.ends.push('cut off');
  }
}

describe('a handshake that takes too long', () => {
  it('is cut off without a code, which would look like another secret', async () => {
    const own = await deriveKeys(secret);
    for (const shake of ['dialled', 'accepted']) {
      const [line, clock] = [new Line(), new SimulatedClock()];
      const failed = new Promise<NetError>((resolve) => {
        const outcome = { done: () => {}, failed: resolve };
        if (shake === 'dialled') dialHandshake(line, 'other', { self: someone, keys: own, clock }, outcome);
        else acceptHandshake(line, { self: someone, keys: own, clock }, outcome);
      });
      // The time is counted in quarters.
      for (let quarter = 0; quarter < 4; quarter += 1) {
        expect(line.ends).to.deep.equal([]);
        clock.increment(HANDSHAKE_TIME / 4);
        await new Promise(setImmediate);
      }
      expect((await failed).message).to.equal('the handshake failed: it took longer than 5000 ms');
      expect(line.ends).to.deep.equal(['cut off']);
    }
  });
});

describe('a report that an id is taken', () => {
  it('is not believed from a close code, which anybody can send', async () => {
    const own = await deriveKeys(secret);
    for (const code of [CLOSE.ID_TAKEN, CLOSE.FULL]) {
      const line = new Line();
      const error = await new Promise<NetError>((resolve) => {
        const outcome = { done: () => {}, failed: resolve };
        dialHandshake(line, 'other', { self: someone, keys: own, clock: systemClock }, outcome);
        line.receiver!.closed(code);
      });
      expect(error).to.include({ code: 'UNAUTHENTICATED' });
      expect(error.message).not.to.contain('alive');
    }
  });

  it('is believed only from a peer that proves itself under that id', () => {
    const turnedAway = (to: ReturnType<typeof acceptor>): (() => void) => {
      const from = dialler();
      to.receive(from.receive(to.receive(from.hello()).send!).send!);
      const taken = to.taken();
      return () => from.receive(taken);
    };
    expect(turnedAway(acceptor())).to.throw(IdTaken);
    // One that takes every dialler's proof, and has none of its own.
    const half = { dialler: keys.dialler, acceptor: otherKeys.acceptor };
    expect(turnedAway(acceptor({ keys: half })))
      .to.throw(HandshakeFailed, 'the proof is wrong')
      .and.not.instanceOf(IdTaken);
    const from = dialler();
    const to = acceptor();
    const { send: m4 } = to.receive(from.receive(to.receive(from.hello()).send!).send!);
    const { proof } = JSON.parse(m4!) as { proof: string };
    // The proof of M4 is none of this.
    const forged = JSON.stringify({ type: 'taken', proof });
    expect(() => from.receive(forged))
      .to.throw(HandshakeFailed, 'the proof is wrong')
      .and.not.instanceOf(IdTaken);
  });
});
