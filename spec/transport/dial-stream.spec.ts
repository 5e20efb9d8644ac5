import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

import { expect } from 'chai';

import { SimulatedClock } from '../../src/testing.ts';
import { dialStream } from '../../src/transport/dial-stream.ts';
import { Tls } from '../../src/transport/tls.ts';
import { DialFailed } from '../../src/transport/transport.ts';
import { HANDSHAKE_TIME } from '../../src/wire/handshake/handshake.ts';

describe('a dial', () => {
  const tls = new Tls(() => undefined);
  const accepted: Socket[] = [];
  let server: Server;
  let port: number;

  beforeEach(async () => {
    server = createServer((socket) => accepted.push(socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    ({ port } = server.address() as AddressInfo);
  });

  afterEach(async () => {
    for (const socket of accepted.splice(0)) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });

  const dial = (host: string, look: () => Promise<string[]>, signal?: AbortSignal): Promise<unknown> =>
    dialStream({ host, port }, tls, signal, look).then(
      (stream) => {
        stream.destroy();
        return 'connected';
      },
      (error: unknown) => error,
    );

  it('resolves a name anew each time', async () => {
    const answers = [['127.0.0.1'], ['127.0.0.2'], ['127.0.0.1']];
    const look = (): Promise<string[]> => Promise.resolve(answers.shift()!);
    expect(await dial('moving.example', look)).to.equal('connected');
    expect(await dial('moving.example', look))
      .to.be.instanceOf(DialFailed)
      .and.include({ refused: true });
    expect(await dial('moving.example', look)).to.equal('connected');
  });

  it('tries each address of a name', async () => {
    expect(await dial('both.example', () => Promise.resolve(['::1', '127.0.0.1']))).to.equal('connected');
  });

  it('resolves no address', async () => {
    expect(await dial('127.0.0.1', () => Promise.reject(new Error('asked')))).to.equal('connected');
  });

  it('names a host name that cannot be resolved', async () => {
    const unknown = Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' });
    const error = await dial('nowhere.example', () => Promise.reject(unknown));
    expect(error).to.be.instanceOf(DialFailed).and.include({ refused: false });
    expect((error as Error).message).to.equal(`nowhere.example:${port}: getaddrinfo ENOTFOUND`);
  });

  it('can be cancelled while its name is being resolved', async () => {
    const reason = new Error('changed my mind');
    const controller = new AbortController();
    const dialled = dial('slow.example', () => new Promise(() => {}), controller.signal);
    controller.abort(reason);
    expect(await dialled).to.equal(reason);
  });

  it('ends in time when its name is never resolved', async () => {
    const clock = new SimulatedClock();
    const never = (): Promise<never> => new Promise(() => {});
    const dialled = dialStream({ host: 'slow.example', port }, tls, undefined, never, clock);
    const error = dialled.catch((reason: unknown) => reason);
    const now = (): Promise<unknown> =>
      Promise.race([error, new Promise((resolve) => setImmediate(resolve, 'waits'))]);
    // The time is counted in quarters.
    for (let quarter = 0; quarter < 4; quarter += 1) {
      expect(await now()).to.equal('waits');
      clock.increment(HANDSHAKE_TIME / 4);
    }
    expect(((await error) as Error).message).to.equal(`slow.example:${port}: no answer in time`);
  });
});
