import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { expect } from 'chai';

import * as ours from '../../src/index.ts';
import { MemoryNetwork } from '../../src/testing.ts';
import { Stage, failure, meet } from '../support/peers.ts';

/** The built one has variables and classes of its own, as a bundle or a second version of the package has. */
const built = new URL('../../dist/', import.meta.url);
const other = (await import(new URL('index.js', built).href)) as typeof ours;
const { MemoryNetwork: OtherNetwork } = (await import(new URL('testing.js', built).href)) as {
  MemoryNetwork: typeof MemoryNetwork;
};

describe('two copies of the library in one process', () => {
  const stage = new Stage();
  afterEach(() => stage.clear());

  it('are separate', () => {
    expect(other.NetError).not.to.equal(ours.NetError);
  });

  it('recognize the NetErrors of each other, and no others', () => {
    const error = new other.NetError('REFUSED', 'no');
    class Derived extends ours.NetError {}
    expect(error).to.be.instanceOf(ours.NetError);
    expect(new ours.NetError('REFUSED', 'no')).to.be.instanceOf(other.NetError);
    expect(new Derived('REFUSED', 'no')).to.be.instanceOf(Derived).and.instanceOf(other.NetError);
    expect(error).not.to.be.instanceOf(Derived);
    for (const value of [null, undefined, 1, {}, new Error('no'), Object.create(null)]) {
      expect(value instanceof ours.NetError).to.equal(false);
    }
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    expect(proxy instanceof ours.NetError).to.equal(false);
  });

  it('carry a NetError of the other copy as their own, and classes that were registered with it', async () => {
    class Drained extends Error {}
    other.registerError(Drained);
    const { b, toB } = await stage.pair({ network: new MemoryNetwork() });
    b.connect('refuse', () => {
      throw new other.NetError('REFUSED', 'no');
    });
    b.connect('draw', () => {
      throw new Drained('too much');
    });
    expect(await failure(toB.call('refuse')))
      .to.be.instanceOf(ours.NetError)
      .with.property('ran', 'yes');
    expect(await failure(toB.call('draw'))).to.be.instanceOf(Drained);
  });

  it('give a function the context of a call that the other copy runs', async () => {
    const { b, toB } = await stage.pair({ network: new MemoryNetwork() });
    b.connect('plain', () => other.current().tag);
    b.connect('waits', async () => {
      await new Promise((resolve) => setImmediate(resolve));
      return other.current().tag;
    });
    expect([await toB.call('plain'), await toB.call('waits')]).to.deep.equal(['plain', 'waits']);
  });

  it('connect one function, each to its own peer', async () => {
    const network = new MemoryNetwork();
    const [a, b] = [stage.make({ id: 'a', network }), stage.make({ id: 'b', network })];
    const elsewhere = other.createPeer({ id: 'c', network: new OtherNetwork() });
    const add = (x: number, y: number): number => x + y;
    const connected = elsewhere.connect('add', add);
    expect(b.connect('add', add)).to.equal(connected);
    expect(other.connected(add)).to.equal(ours.connected(add));
    expect(() => b.connect('sum', add)).to.throw('already connected as add');
    await Promise.all([a.start(), b.start()]);
    const [toB] = await meet(a, 'b');
    expect(await connected.on(toB as never)(1, 2)).to.equal(3);
    expect(await a.getPeers({ has: ours.connected(add) })).to.have.length(1);
    await elsewhere.stop();
  });
});

describe('a process with frozen intrinsics', () => {
  it('connects, calls and fails as usual', async () => {
    const code = `
      const { NetError, createPeer } = await import(${JSON.stringify(new URL('index.js', built).href)});
      const { MemoryNetwork } = await import(${JSON.stringify(new URL('testing.js', built).href)});
      const network = new MemoryNetwork();
      const [a, b] = [createPeer({ id: 'a', network }), createPeer({ id: 'b', network })];
      b.connect('echo', (value) => value);
      b.connect('fail', () => { throw Object.assign(new RangeError('no'), { code: 'E' }); });
      await Promise.all([a.start(), b.start()]);
      await a.peers.ready(a.remote('echo'));
      const echo = a.remote('echo').on('b');
      const [date, map] = await echo([new Date(5), new Map([[1, NaN]])]);
      const thrown = await a.remote('fail').on('b')().catch((error) => error);
      const refused = await echo(() => 1).catch((error) => error);
      process.stdout.write(JSON.stringify([
        date.getTime(), map.size, thrown instanceof RangeError, thrown.code, refused instanceof NetError, refused.code,
      ]));
      await a.stop();
      await b.stop();`;
    const args = ['--frozen-intrinsics', '--no-warnings', '--input-type=module', '--eval', code];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    expect(JSON.parse(stdout)).to.deep.equal([5, 1, true, 'E', true, 'NOT_SERIALIZABLE']);
  }).timeout(120_000);
});
