import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo, Socket as NetSocket } from 'node:net';
import { join } from 'node:path';

import { expect } from 'chai';
import { SimulatedClock } from 'xstate';
import { WebSocketServer } from 'ws';

import { proveAnywhere } from '../../src/connection/dial/proving.ts';
import type { ProofOutcome } from '../../src/connection/dial/proving.ts';
import type { Session } from '../../src/connection/link/session.ts';
import { DialFailed } from '../../src/transport/transport.ts';
import type { Address } from '../../src/transport/address.ts';
import type { Socket, Transport } from '../../src/transport/transport.ts';
import { makeSecret } from '../../src/wire/handshake/secret.ts';
import { meet, portOf, Stage } from '../support/peers.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('a peer that has answered at one of its addresses', () => {
  const [b, c] = ['b', 'c'].map((host) => ({ host, port: 1 })) as [Address, Address];
  let clock: SimulatedClock;
  let log: string[];
  let proofs: Map<string, ProofOutcome>;
  let deaf: Set<string>;

  beforeEach(() => {
    clock = new SimulatedClock();
    log = [];
    proofs = new Map();
    deaf = new Set();
  });

  const socketOf = (host: string): Socket => ({ host, terminate: () => log.push(`${host} cut`) }) as never;

  const transport: Transport = {
    listen: () => Promise.reject(new Error('not used')),
    dial: ({ host }) => {
      log.push(`${host} dialled`);
      return deaf.has(host) ? Promise.reject(new DialFailed(host, true)) : Promise.resolve(socketOf(host));
    },
  };

  const prove = (...untried: Address[]): (() => void) =>
    proveAnywhere(
      {
        dialled: { socket: socketOf('a'), untried, refused: [] },
        prove: (socket, outcome) => {
          const { host } = socket as unknown as { host: string };
          log.push(`${host} asked`);
          proofs.set(host, outcome);
          return () => log.push(`${host} stopped`);
        },
        ...{ transport, clock, largestMessage: 1 },
      },
      {
        done: () => log.push('done'),
        failed: (errors, refused) =>
          log.push(
            `failed: ${errors.map(({ message }) => message).join()} / ${refused.map(({ host }) => host).join()}`,
          ),
        needless: (id) => log.push(`needless ${id}`),
      },
    );

  it('is proved at the next address when the first is silent, and the other attempts end', async () => {
    prove(b, c);
    clock.increment(249);
    await turn();
    expect(log).to.deep.equal(['a asked']);
    clock.increment(1);
    await turn();
    expect(log.splice(0)).to.deep.equal(['a asked', 'b dialled', 'b asked']);
    proofs.get('b')!.done({} as Session);
    expect(log.splice(0)).to.deep.equal(['a stopped', 'done']);
    clock.increment(10_000);
    await turn();
    expect(log).to.deep.equal([]);
  });

  it('is proved at the first address after all when that was only slow', async () => {
    prove(b);
    clock.increment(250);
    await turn();
    proofs.get('a')!.done({} as Session);
    expect(log).to.deep.equal(['a asked', 'b dialled', 'b asked', 'b stopped', 'done']);
  });

  it('is tried at the next address at once when another peer answers at the first', async () => {
    deaf.add('b');
    prove(b);
    proofs.get('a')!.failed(new Error('a is somebody else'));
    await turn();
    expect(log).to.deep.equal(['a asked', 'b dialled', 'failed: a is somebody else,b / b']);
  });

  it('is given up only when no remaining address may lead to it', async () => {
    deaf.add('b');
    prove(b);
    clock.increment(250);
    await turn();
    expect(log).to.deep.equal(['a asked', 'b dialled']);
    proofs.get('a')!.failed(new Error('late'));
    expect(log.at(-1)).to.equal('failed: b,late / b');
  });

  it('is not tried any more when the attempt is cancelled or not needed', async () => {
    const stop = prove(b);
    stop();
    clock.increment(250);
    await turn();
    expect(log.splice(0)).to.deep.equal(['a asked', 'a stopped']);
    prove(b);
    proofs.get('a')!.needless!('x');
    clock.increment(250);
    await turn();
    expect(log).to.deep.equal(['a asked', 'needless x']);
  });
});

describe('silent acceptors beside a peer', () => {
  const stage = new Stage();
  after(() => stage.clear());

  it('delay nobody, whether they accept TCP only or become a WebSocket', async () => {
    const held: NetSocket[] = [];
    const mute = createServer((tcp) => held.push(tcp.on('error', () => {})));
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
    const upgraded = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => 'app-net.v1' });
    await new Promise((resolve) => upgraded.once('listening', resolve));
    const secret = makeSecret();
    const honest = await stage.make({ id: 'honest', runtimeDir: await stage.folder(), secret }).start();
    const runtimeDir = await stage.folder();
    const ports = [mute, upgraded].map((server) => (server.address() as AddressInfo).port);
    const addresses = [...ports, portOf(honest)].map((port) => ({ host: '127.0.0.1', port }));
    const announcement = { id: honest.id, incarnation: 'any', addresses, pid: process.pid };
    await writeFile(join(runtimeDir, 'honest.peer.json'), JSON.stringify(announcement), { mode: 0o600 });
    const began = performance.now();
    const dialler = await stage.make({ runtimeDir, secret }).start();
    await meet(dialler, honest.id);
    // Less than the time of one handshake, which either of them could have taken.
    expect(performance.now() - began).to.be.lessThan(4_000);
    upgraded.close();
    for (const each of upgraded.clients) each.terminate();
    mute.close();
    for (const each of held) each.destroy();
  });
});
