import { expect } from 'chai';

import { NetError, registerError } from '../../src/index.ts';
import type { Peer, RemotePeer } from '../../src/index.ts';
import { MemoryNetwork } from '../../src/testing.ts';
import { failure, Stage } from '../support/peers.ts';

describe('a call whose function throws', () => {
  const stage = new Stage();
  let b: Peer;
  let toB: RemotePeer;

  beforeEach(async () => {
    ({ b, toB } = await stage.pair({ network: new MemoryNetwork() }));
  });

  afterEach(() => stage.clear());

  class QuotaError extends Error {
    override name = 'QuotaError';
    left: number;
    constructor(left: number, options?: ErrorOptions) {
      super(`only ${left} left`, options);
      this.left = left;
    }
  }
  registerError(QuotaError);

  it('fails with the same class, message, properties and cause', async () => {
    b.connect('fail', () => {
      throw new QuotaError(3, { cause: new RangeError('disk', { cause: 'full' }) });
    });
    const error = (await failure(toB.call('fail'))) as QuotaError & { cause: Error };
    expect(error).to.be.instanceOf(QuotaError);
    expect(error).to.include({ name: 'QuotaError', message: 'only 3 left', left: 3 });
    expect(error.cause).to.be.instanceOf(RangeError);
    expect(error.cause).to.include({ message: 'disk', cause: 'full' });
  });

  it('fails with the thrown value when that is not an error', async () => {
    const values = ['text', 0, null, undefined, { a: 1 }];
    b.connect('fail', (index: number) => {
      throw values[index];
    });
    for (const [index, value] of values.entries()) {
      expect(await failure(toB.call('fail', [index]))).to.deep.equal(value);
    }
  });

  it('shows the remote frames, the peer, and the local line of the call', async () => {
    b.connect('deep', function outer() {
      return (function innermost() {
        throw new TypeError('no');
      })();
    });
    async function theCaller(): Promise<unknown> {
      return await toB.call('deep');
    }
    // One after another: the first call in a while and those right after it find their call site differently.
    for (let count = 0; count < 5; count += 1) {
      const [first, ...frames] = ((await failure(theCaller())) as Error).stack!.split('\n');
      const at = (text: string): number => frames.findIndex((line) => line.includes(text));
      expect(first).to.equal('TypeError: no');
      expect(at('innermost')).to.equal(0);
      expect(at('outer')).to.equal(1);
      expect(at(`peer "b" (${b.id})`)).to.equal(2);
      expect(at('theCaller')).to.be.greaterThan(2);
      expect(frames.filter((line) => /\/src\/(?!index)/.test(line))).to.deep.equal([]);
    }
  });

  it('shows the local line of the call when the call itself fails', async () => {
    async function theCaller(): Promise<unknown> {
      return await toB.call('nothing');
    }
    const error = (await failure(theCaller())) as Error;
    expect(error.stack).to.match(/^NetError: no function is connected as "nothing".*\n(.*\n)*.*theCaller/);
  });

  it('leaves out remote stacks with the option `stacks: false`', async () => {
    const network = new MemoryNetwork();
    const quiet = await stage.pair({ network, stacks: false });
    quiet.b.connect('fail', function secretName() {
      throw new Error('no');
    });
    const error = (await failure(quiet.toB.call('fail'))) as Error;
    expect(error.stack).to.match(/^Error: no\n {4}at peer "b"/);
    expect(error.stack).not.to.include('secretName');
  });

  it('rejects, and does not throw, for an async function', async () => {
    b.connect('later', async () => {
      await Promise.resolve();
      throw new SyntaxError('later');
    });
    expect(await failure(toB.call('later'))).to.be.instanceOf(SyntaxError);
  });

  it('tells for a NetError of the remote function that the function ran', async () => {
    b.connect('gateway', () => {
      throw new NetError('NOT_SENT', 'inner');
    });
    const error = (await failure(toB.call('gateway'))) as NetError;
    expect(error).to.be.instanceOf(NetError);
    expect(error).to.include({ code: 'NOT_SENT', ran: 'yes', retriable: false });
  });
});
