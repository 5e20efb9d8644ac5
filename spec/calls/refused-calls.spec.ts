import { expect } from 'chai';

import type { NetError, Peer, RemotePeer } from '../../src/index.ts';
import { MemoryNetwork } from '../../src/testing.ts';
import { eventually } from '../support/eventually.ts';
import { failure, Stage } from '../support/peers.ts';

describe('a call that cannot be made', () => {
  const stage = new Stage();
  let a: Peer;
  let b: Peer;
  let toB: RemotePeer;

  beforeEach(async () => {
    ({ a, b, toB } = await stage.pair({ network: new MemoryNetwork() }));
  });

  afterEach(() => stage.clear());

  it('suggests similar tags when no peer has the tag', async () => {
    b.connect('multiplyValues', () => 1);
    const error = (await failure(toB.call('multiplyValue'))) as NetError;
    expect(error).to.include({ code: 'NO_SUCH_TAG', ran: 'no', peer: b.id, tag: 'multiplyValue' });
    expect(error.message).to.include('did you mean multiplyValues');
    // A derived tag is not the name that it encodes.
    const { tag: derived } = b.connect(function order() {});
    const name = Buffer.from(derived, 'base64url').toString();
    expect(((await failure(toB.call(name))) as NetError).message).to.include(
      `${name}, whose tag is ${derived}`,
    );
    for (const tag of ['__proto__', 'constructor', 'toString']) {
      expect(await failure(toB.call(tag))).to.include({ code: 'NO_SUCH_TAG' });
    }
  });

  it('is NOT_SENT to a peer that is absent or has left', async () => {
    b.connect('echo', (x: unknown) => x);
    const { tag } = b.connect('x', () => 1);
    expect(await failure(a.remote(tag).on('nobody')())).to.include({
      code: 'NOT_SENT',
      ran: 'no',
      peer: 'nobody',
    });
    await b.stop();
    await eventually(() => a.peers.size === 0);
    expect(await failure(toB.call('echo', [1]))).to.include({ code: 'NOT_SENT', ran: 'no', peer: b.id });
  });

  it('is STOPPED when this peer is', async () => {
    await a.stop();
    expect(await failure(toB.call('echo'))).to.include({ code: 'STOPPED', ran: 'no' });
  });

  it('is refused for invalid options', async () => {
    const fn = a.connect('fn', () => 1);
    expect(() => fn.on(undefined as never)).to.throw(TypeError, 'peer must be a peer');
    expect(() => toB.call('fn', [], { deadline: -1 })).to.throw(TypeError, 'deadline');
    expect(() => toB.call('fn', [], { signal: {} as AbortSignal })).to.throw(TypeError, 'AbortSignal');
    const misspelt = { deadlin: 1 } as never;
    for (const call of [
      () => toB.call('fn', [], misspelt),
      () => fn.on(toB, misspelt),
      () => fn.on(b.id, misspelt),
    ]) {
      expect(call).to.throw(
        TypeError,
        'there is no option deadlin; did you mean deadline? The options are deadline, signal',
      );
    }
    expect(() => fn.on(toB, 5 as never)).to.throw(TypeError, 'options must be an object');
    expect(() => a.remote('fn', { idempotnt: true } as never)).to.throw(
      TypeError,
      'there is no option idempotnt; did you mean idempotent? The options are',
    );
  });

  it('is refused here, without a connection, when its tag or arguments are invalid', async () => {
    const never = toB.call('never');
    b.connect('never', () => new Promise(() => {}));
    for (const tag of [5, null, {}, undefined]) {
      expect(() => toB.call(tag as never)).to.throw(TypeError, 'tag must be a string');
    }
    for (const args of [5, 'ab', { length: 1 }, null]) {
      expect(() => toB.call('never', args as never)).to.throw(TypeError, 'args must be an array');
    }
    expect(a.peers.size).to.equal(1);
    await a.stop();
    await failure(never);
  });
});
