import { expect } from 'chai';
import { SimulatedClock } from 'xstate';

import { DialsFailed, dialInTurn } from '../../src/connection/dial/dialing.ts';
import { DialFailed } from '../../src/transport/transport.ts';
import type { Address } from '../../src/transport/address.ts';
import type { Socket, Transport } from '../../src/transport/transport.ts';

/** A transport whose every dial ends when the test says so. */
class SlowTransport implements Transport {
  readonly dialled: string[] = [];
  readonly ended: string[] = [];
  readonly #ends = new Map<string, { resolve(socket: Socket): void; reject(error: Error): void }>();

  listen(): never {
    throw new Error('not called here');
  }

  dial({ host }: Address, { signal }: { signal?: AbortSignal }): Promise<Socket> {
    this.dialled.push(host);
    signal?.addEventListener('abort', () => this.ended.push(host));
    return new Promise((resolve, reject) => this.#ends.set(host, { resolve, reject }));
  }

  async answer(host: string): Promise<Socket> {
    const socket = { terminate: () => this.ended.push(`${host} cut`) } as unknown as Socket;
    this.#ends.get(host)!.resolve(socket);
    await turn();
    return socket;
  }

  async fail(host: string, refused: boolean): Promise<void> {
    this.#ends.get(host)!.reject(new DialFailed(`${host} failed`, refused));
    await turn();
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('a peer with several addresses', () => {
  const [a, b, c] = ['a', 'b', 'c'].map((host) => ({ host, port: 1 })) as [Address, Address, Address];
  let transport: SlowTransport;
  let clock: SimulatedClock;
  let controller: AbortController;
  beforeEach(() => {
    transport = new SlowTransport();
    clock = new SimulatedClock();
    controller = new AbortController();
  });

  const dial = (addresses: Address[]) =>
    dialInTurn({ transport, addresses, largestMessage: 1, clock }, controller.signal);

  it('is dialled at the first address, and only there while it may answer', async () => {
    const dialled = dial([a, b]);
    clock.increment(249);
    expect(transport.dialled).to.deep.equal(['a']);
    const socket = await transport.answer('a');
    expect(await dialled).to.deep.equal({ socket, untried: [b], refused: [] });
    clock.increment(10_000);
    expect(transport.dialled).to.deep.equal(['a']);
  });

  it('is also dialled at the next address when one does not answer for 250 ms', async () => {
    const dialled = dial([a, b, c]);
    clock.increment(250);
    expect(transport.dialled).to.deep.equal(['a', 'b']);
    const socket = await transport.answer('b');
    expect(await dialled).to.deep.equal({ socket, untried: [a, c], refused: [] });
    expect(transport.ended, 'the other dial is taken back').to.deep.equal(['a']);
    await transport.answer('a');
    expect(transport.ended, 'and what it brings all the same is cut').to.deep.equal(['a', 'a cut']);
  });

  it('is dialled at the next address at once when one fails', async () => {
    const dialled = dial([a, b, c]);
    await transport.fail('a', true);
    await transport.fail('b', false);
    expect(transport.dialled).to.deep.equal(['a', 'b', 'c']);
    const socket = await transport.answer('c');
    expect(await dialled).to.deep.equal({ socket, untried: [], refused: [a] });
  });

  it('is given up when every address failed, with a list of those that refused', async () => {
    const dialled = dial([a, b]).catch((error: unknown) => error);
    await transport.fail('a', true);
    await transport.fail('b', false);
    const error = (await dialled) as DialsFailed;
    expect(error).to.be.instanceOf(DialsFailed);
    expect(error.message).to.equal('a failed; b failed');
    expect(error.refused).to.deep.equal([a]);
    expect(await dial([]).catch((none: unknown) => none)).to.be.instanceOf(DialsFailed);
  });

  it('is waited for at a slow address after the last one failed', async () => {
    const dialled = dial([a, b]);
    clock.increment(250);
    await transport.fail('b', true);
    const socket = await transport.answer('a');
    expect(await dialled).to.deep.equal({ socket, untried: [], refused: [b] });
  });

  it('is not dialled any more when the dial is cancelled', async () => {
    const reason = new Error('enough');
    const dialled = dial([a, b, c]).catch((error: unknown) => error);
    clock.increment(250);
    controller.abort(reason);
    expect(await dialled).to.equal(reason);
    expect(transport.ended).to.deep.equal(['a', 'b']);
    clock.increment(10_000);
    await transport.fail('a', true);
    expect(transport.dialled).to.deep.equal(['a', 'b']);
    expect(await dial([a]).catch((error: unknown) => error)).to.equal(reason);
  });
});
