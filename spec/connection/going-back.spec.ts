import { expect } from 'chai';

import type { PeerRecord } from '../../src/connection/link/link.ts';
import type { Gap, Peer, RemotePeer } from '../../src/index.ts';
import { MemoryNetwork } from '../../src/testing.ts';
import type { Receiver, Socket } from '../../src/transport/transport.ts';
import { eventually } from '../support/eventually.ts';
import { Stage } from '../support/peers.ts';

/** One end of a connection that the test makes and cuts. Messages wait until there is a receiver. */
class End implements Socket {
  readonly binding = { kind: 'loopback', data: Buffer.alloc(0) } as const;
  readonly scope = 'host';
  readonly bufferedAmount = 0;
  readonly #latency: number;
  received = 0;
  #other: End | undefined;
  #receiver: Receiver | undefined;
  #waiting: ((receiver: Receiver) => void)[] = [];
  #gone = false;

  private constructor(latency: number) {
    this.#latency = latency;
  }

  static pair(latency = 0): [End, End] {
    const [one, other] = [new End(latency), new End(latency)];
    one.#other = other;
    other.#other = one;
    return [one, other];
  }

  send(message: string): void {
    this.#other!.#arrives((receiver) => receiver.message(message));
  }

  receive(receiver: Receiver | undefined): void {
    this.#receiver = receiver;
    this.#pump();
  }

  close(code: number): void {
    for (const end of [this, this.#other!]) end.#arrives((receiver) => receiver.closed(code));
  }

  terminate(): void {
    if (this.#gone) return;
    const ends = [this, this.#other!];
    for (const end of ends) end.#gone = true;
    for (const end of ends) end.#receiver?.closed(1006);
  }

  ping(): void {}
  trust(): void {}
  whenDrained(callback: () => void): void {
    setImmediate(callback);
  }

  #arrives(what: (receiver: Receiver) => void): void {
    setTimeout(() => {
      if (this.#gone) return;
      this.#waiting.push(what);
      this.#pump();
    }, this.#latency);
  }

  #pump(): void {
    while (this.#receiver && this.#waiting.length > 0) {
      this.received += 1;
      this.#waiting.shift()!(this.#receiver);
    }
  }
}

/**
 * A dialler has the new connection when it has sent its last message of the handshake, the other side when that has come.
 * When it never comes, the dialler has to go back to the one it had.
 */
describe('an earlier link that two peers return to', () => {
  const stage = new Stage();
  afterEach(() => stage.clear());

  interface Side {
    peer: Peer;
    /** Its handle of the other peer. */
    other: RemotePeer;
    record: PeerRecord;
    state: () => unknown;
    links: () => number;
    /** Gives it another connection. */
    take: (socket: Socket, dialled: boolean, generation: number) => void;
  }

  let changes: string[];

  async function sides(latency = 0): Promise<{ a: Side; b: Side }> {
    changes = [];
    const { a, b, toA, toB } = await stage.pair({ network: new MemoryNetwork({ latency }) });
    b.connect('echo', (value: unknown) => value);
    await a.peers.ready('echo');
    const side = (peer: Peer, other: RemotePeer): Side => {
      peer.peers.on('join', () => changes.push(`${peer.name} join`));
      peer.peers.on('leave', () => changes.push(`${peer.name} leave`));
      const connection = peer.actor.system.get(`connection:${other.id}`);
      const record = connection.getSnapshot().context.record as PeerRecord;
      const said = { started: 0, version: 1, addresses: [], digest: '' };
      const party = {
        ...record,
        ...said,
        newestVersion: 1,
        limits: record.link!.limits,
        functions: ['echo'],
      };
      return {
        ...{ peer, other, record },
        state: () => connection.getSnapshot().value as unknown,
        links: () => (connection.getSnapshot().context.links as unknown[]).length,
        take: (socket, dialled, generation) => {
          const session = { socket, party, told: [], dialled, generation };
          connection.send({ type: 'session.arrived', session });
        },
      };
    };
    return { a: side(a, toB), b: side(b, toA) };
  }

  /** Both sides use one link, the same, and nobody noticed anything. */
  async function expectPeace(a: Side, b: Side): Promise<void> {
    await eventually(() => [a, b].every((side) => side.state() === 'open' && side.links() === 1));
    expect(a.record.link!.generation).to.equal(b.record.link!.generation);
    expect(changes).to.deep.equal([]);
  }

  it('carries calls at once, until both peers share a newer link', async () => {
    const { a, b } = await sides();
    const old = a.record.link;
    const [dead] = End.pair();
    a.take(dead, true, 1);
    expect(a.record.link!.socket).to.equal(dead);
    const unlucky = a.other.call('echo', ['never arrives']).catch((error: unknown) => error);
    dead.terminate();
    expect(await unlucky).to.include({ code: 'CONNECTION_LOST', ran: 'unknown' });
    expect(a.record.link).to.equal(old);
    expect(await a.other.call('echo', ['arrives'])).to.equal('arrives');
    await expectPeace(a, b);
    expect(a.record.link!.generation).to.be.greaterThan(1);
  });

  it('gives the subscriber every event', async () => {
    const { a, b } = await sides();
    const ticks: [unknown, unknown][] = [];
    a.peer.event('tick').subscribe((tick, { gap }) => ticks.push([tick, gap]));
    await b.peer.event('tick').ready();
    const [dead] = End.pair();
    a.take(dead, true, 1);
    b.peer.event('tick').emit(1);
    dead.terminate();
    b.peer.event('tick').emit(2);
    await expectPeace(a, b);
    b.peer.event('tick').emit(3);
    await eventually(() => ticks.length === 3);
    expect(ticks).to.deep.equal([1, 2, 3].map((tick) => [tick, undefined]));
  });

  it('tells a subscriber at once about events that were sent on the broken link', async () => {
    const { a, b } = await sides();
    const gaps: Gap[] = [];
    b.peer.event('tick').subscribe(() => {}, { onGap: (gap) => gaps.push(gap) });
    await a.peer.event('tick').ready();
    const [dead] = End.pair();
    a.take(dead, true, 1);
    a.peer.event('tick').emit(1);
    a.peer.event('tick').emit(2);
    dead.terminate();
    await eventually(() => gaps.length > 0);
    expect(gaps).to.deep.equal([{ missed: 2, why: 'disconnected' }]);
    await expectPeace(a, b);
  });

  it('keeps a subscription that was answered on the broken link', async () => {
    const { a, b } = await sides();
    const [dead] = End.pair();
    a.take(dead, true, 1);
    const ticks: unknown[] = [];
    b.peer.event('tick').subscribe((tick) => ticks.push(tick));
    await a.peer.event('tick').ready();
    dead.terminate();
    await expectPeace(a, b);
    await eventually(() => {
      a.peer.event('tick').emit('heard');
      return ticks.length > 0;
    });
  });

  it('drops a subscription that was ended on the broken link', async () => {
    const { a, b } = await sides();
    const subscription = a.peer.event('tick').subscribe(() => {});
    await b.peer.event('tick').ready();
    const [dead] = End.pair();
    a.take(dead, true, 1);
    subscription.unsubscribe();
    dead.terminate();
    await eventually(() => b.peer.event('tick').subscribers.length === 0);
    await expectPeace(a, b);
  });

  it('does not close under a call while both peers return to it', async () => {
    const { a, b } = await sides(30);
    const [atA, atB] = End.pair(30);
    a.take(atA, true, 1);
    b.take(atB, false, 1);
    // The goaways of both, on the link that they have left, are still on their way. A wait could last until they are there.
    atA.terminate();
    expect(await a.other.call('echo', [1])).to.equal(1);
    await expectPeace(a, b);
  });

  it('is not closed by the other side before this one has the next link', async () => {
    const { a, b } = await sides();
    const [dead] = End.pair();
    a.take(dead, true, 1);
    dead.terminate();
    await expectPeace(a, b);
    const generation = a.record.link!.generation + 1;
    const [atB, atA] = End.pair();
    b.take(atB, true, generation);
    const call = a.other.call('echo', [1]);
    // The last message of the handshake is late.
    await new Promise((resolve) => setTimeout(resolve, 30));
    a.take(atA, false, generation);
    expect(await call).to.equal(1);
    await expectPeace(a, b);
  });
});
