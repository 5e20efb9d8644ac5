import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from 'chai';

import type { Peer, PeerLimits } from '../../src/index.ts';
import { makeSecret } from '../../src/wire/handshake/secret.ts';
import { MemoryNetwork } from '../../src/testing.ts';
import { eventually } from '../support/eventually.ts';
import { befriend } from '../support/friend.ts';
import { portOf, Stage } from '../support/peers.ts';

/** Work of which it is known how much of it runs. */
function work() {
  const state = { running: 0, most: 0, begun: 0 };
  const run = async (ms = 1): Promise<string> => {
    state.begun += 1;
    state.running += 1;
    state.most = Math.max(state.most, state.running);
    await sleep(ms);
    state.running -= 1;
    return 'done';
  };
  return { state, run };
}

describe('limits', () => {
  const stage = new Stage();

  afterEach(() => stage.clear());

  const pair = (limits: Partial<PeerLimits>) => stage.pair({ network: new MemoryNetwork(), limits });

  it('let ten thousand calls be made at once: all are answered, and never more than the limit run', async () => {
    const { b, toB } = await pair({});
    const { state, run } = work();
    b.connect('work', run);
    const calls = Array.from({ length: 10_000 }, () => toB.call('work'));
    expect(new Set(await Promise.all(calls))).to.deep.equal(new Set(['done']));
    expect(state.begun).to.equal(10_000);
    expect(state.most).to.be.at.most(1_024);
  }).timeout(120_000);

  it('keep the order of calls that wait', async () => {
    const { b, toB } = await pair({ calls: 2 });
    const begun: number[] = [];
    b.connect('note', async (n: number) => {
      begun.push(n);
      await sleep(0);
    });
    await Promise.all(Array.from({ length: 50 }, (_, n) => toB.call('note', [n])));
    expect(begun).to.deep.equal(Array.from({ length: 50 }, (_, n) => n));
  });

  it('refuse calls that do not fit into the queue, here and unsent', async () => {
    const { b, toB } = await pair({ calls: 1, queue: 2 });
    const { state, run } = work();
    b.connect('work', run);
    const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => toB.call('work')));
    const refused = outcomes
      .filter((each) => each.status === 'rejected')
      .map(({ reason }) => reason as unknown);
    expect(refused).to.have.length(2);
    for (const each of refused) expect(each).to.include({ code: 'OVERLOADED', ran: 'no', retriable: true });
    expect(state.begun).to.equal(3);
  });

  it('count all connections of a process together, for any caller', async () => {
    const network = new MemoryNetwork();
    const { b, toB } = await stage.pair({ network }, { network, limits: { running: 3 } });
    const { state, run } = work();
    b.connect('work', run);
    const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => toB.call('work', [20])));
    const refused = outcomes
      .filter((each) => each.status === 'rejected')
      .map(({ reason }) => reason as unknown);
    expect(refused).to.have.length(7);
    for (const each of refused) expect(each).to.include({ code: 'OVERLOADED', ran: 'no', retriable: true });
    expect(state).to.include({ begun: 3, most: 3 });
    expect(await toB.call('work')).to.equal('done');
  });

  it('count functions that still run for a caller that has gone, so that reconnecting gains nothing', async () => {
    const { server, port } = await real({ calls: 2, running: 3 });
    const { state, run } = work();
    server.connect('work', run);
    const request = (id: number): string => `{"type":"request","id":${id},"tag":"work","args":[300]}`;
    for (let round = 0; round < 4; round += 1) {
      const friend = await befriend(port, SECRET);
      friend.socket.send(`${request(1)}\n${request(2)}`);
      await friend.message.catch(() => {});
      friend.socket.terminate();
    }
    expect(state.most).to.be.at.most(3);
  });

  it('are exchanged in the handshake', async () => {
    const network = new MemoryNetwork();
    const limits = { calls: 7, streams: 5, running: 9, message: 70_000 };
    const { a, b } = await stage.pair({ network }, { network, limits });
    const connection = a.actor.system.get(`connection:${b.id}`).getSnapshot();
    expect(connection.context.record.link.limits).to.include(limits);
  });

  describe('of a peer that ignores them', () => {
    const request = (id: number, tag = 'work'): string =>
      `{"type":"request","id":${id},"tag":"${tag}","args":[100]}`;

    it('are answered OVERLOADED, and no call beyond them runs', async () => {
      const { server, port } = await real({ calls: 5 });
      const { state, run } = work();
      server.connect('work', run);
      const { socket, frames } = await befriend(port, SECRET);
      for (let id = 1; id <= 1_000; id += 1) socket.send(request(id));
      await eventually(() => expect(frames).to.have.length(1_000));
      const failures = frames.filter(({ type }) => type === 'error');
      expect(failures).to.have.length(995);
      for (const each of failures) expect(each.failure).to.include({ code: 'OVERLOADED', ran: 'no' });
      expect(state).to.include({ begun: 5, most: 5 });
    });

    it('are enforced against a peer that cancels its calls to make room for others', async () => {
      const { server, port } = await real({ calls: 5 });
      const { state, run } = work();
      server.connect('work', run);
      const { socket, frames } = await befriend(port, SECRET);
      for (let id = 1; id <= 500; id += 1) {
        socket.send(`${request(id)}\n{"type":"cancel","id":${id}}`);
      }
      await eventually(() => expect(frames).to.have.length(500));
      // None at all when everything was read at once.
      expect(state.begun).to.be.at.most(5);
    });
  });

  const SECRET = makeSecret();

  async function real(limits: Partial<PeerLimits>): Promise<{ server: Peer; port: number }> {
    const server = stage.make({ runtimeDir: await stage.folder(), secret: SECRET, limits });
    await server.start();
    return { server, port: portOf(server) };
  }
});
