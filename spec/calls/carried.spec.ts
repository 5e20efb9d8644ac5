import { expect } from 'chai';

import { registerError } from '../../src/index.ts';
import type { Peer, RemotePeer } from '../../src/index.ts';
import { MemoryNetwork } from '../../src/testing.ts';
import { makeSecret } from '../../src/wire/handshake/secret.ts';
import { eventually } from '../support/eventually.ts';
import { befriend } from '../support/friend.ts';
import type { Friend } from '../support/friend.ts';
import { Stage, failure, meet, portOf } from '../support/peers.ts';

class OutOfPaper extends Error {
  override name = 'OutOfPaper';
  tray = new Set<number>();
}
registerError(OutOfPaper);

const networks: [name: string, options: (stage: Stage) => Promise<object>][] = [
  ['memory', () => Promise.resolve({ network: new MemoryNetwork() })],
  ['sockets', async (stage) => ({ runtimeDir: await stage.folder() })],
];

for (const [name, options] of networks) {
  describe(`values that a call carries over ${name}`, () => {
    const stage = new Stage();
    let a: Peer;
    let b: Peer;
    let toB: RemotePeer;

    beforeEach(async () => {
      ({ a, b, toB } = await stage.pair(await options(stage)));
    });
    afterEach(() => stage.clear());

    it('arrive unchanged as arguments and as results', async () => {
      const seen: unknown[] = [];
      b.connect('echo', (...args: unknown[]) => {
        seen.push(args);
        return args;
      });
      const args = [
        undefined,
        { when: new Date(5), tags: new Set(['a']), by: new Map([[1, { big: 2n ** 70n }]]) },
        [NaN, -0, Infinity],
        /a/g,
        new URL('http://localhost/'),
        { bytes: Uint8Array.of(1, 2, 3), floats: new Float64Array([0.5, -0]), text: Buffer.from('text') },
        new BigInt64Array([-1n]).buffer,
      ];
      expect(await toB.call('echo', args)).to.deep.equal(args);
      expect(seen).to.deep.equal([args]);
      const [buffer, bytes] = (await toB.call('echo', [Buffer.from('b'), new Uint8Array(1)])) as unknown[];
      expect([Buffer.isBuffer(buffer), Buffer.isBuffer(bytes)]).to.deep.equal([true, false]);
    });

    it('may be errors, which keep class, message, cause and properties', async () => {
      b.connect('settle', () => [
        Object.assign(new OutOfPaper('tray 2', { cause: new RangeError('none') }), { tray: new Set([2]) }),
      ]);
      const [error] = (await toB.call('settle')) as [OutOfPaper];
      expect(error).to.be.instanceOf(OutOfPaper);
      expect([error.name, error.message, error.tray]).to.deep.equal(['OutOfPaper', 'tray 2', new Set([2])]);
      expect(error.cause).to.be.instanceOf(RangeError).with.property('message', 'none');
      expect(error.stack).to.include('carried.spec');
    });

    it('may be properties of a thrown error, even bytes', async () => {
      b.connect('fail', () => {
        throw Object.assign(new Error('no'), { at: new Date(7), dump: Uint8Array.of(1) });
      });
      const error = await failure(toB.call('fail'));
      expect(error).to.have.deep.property('at', new Date(7));
      expect(error).to.have.deep.property('dump', Uint8Array.of(1));
    });

    it('may be yielded and returned by an async generator, and sent as a stream', async () => {
      const count = b.connect('count', async function* count(from: AsyncIterable<Uint8Array>) {
        let sum = 0n;
        for await (const { byteLength } of from) yield { sum: (sum += BigInt(byteLength)) };
        return new Map([['sum', sum]]);
      });
      async function* pieces(): AsyncGenerator<Uint8Array> {
        for (const length of [1, 2, 300_000]) yield new Uint8Array(length);
      }
      const sums = count.on(toB)(pieces());
      const got: unknown[] = [];
      for (;;) {
        const { done, value } = await sums.next();
        got.push(value);
        if (done) break;
      }
      expect(got).to.deep.equal([{ sum: 1n }, { sum: 3n }, { sum: 300_003n }, new Map([['sum', 300_003n]])]);
    });

    it('keep their order among calls that carry no bytes', async () => {
      const order: number[] = [];
      b.connect('note', (index: number, _bytes?: Uint8Array) => void order.push(index));
      const calls = Array.from({ length: 60 }, (_, index) =>
        toB.call('note', index % 3 === 0 ? [index, new Uint8Array(index * 100)] : [index]),
      );
      await Promise.all(calls);
      expect(order).to.deep.equal(calls.map((_, index) => index));
    });

    it('may be four megabytes in a thousand pieces, each with its own memory', async () => {
      const large = Array.from({ length: 1_000 }, (_, index) => new Uint8Array(4_096).fill(index));
      b.connect('same', (pieces: Uint8Array[]) => pieces);
      const back = (await toB.call('same', [large])) as Uint8Array[];
      expect(Buffer.concat(back).equals(Buffer.concat(large))).to.equal(true);
      for (const { buffer, byteLength } of back) expect(buffer.byteLength).to.be.below(2 * byteLength + 1);
    });

    it('are copies: changes there do not show here', async () => {
      b.connect('fill', (bytes: Uint8Array) => void bytes.fill(9));
      const bytes = Uint8Array.of(1, 2, 3);
      await toB.call('fill', [bytes]);
      expect([...bytes]).to.deep.equal([1, 2, 3]);
    });

    it('are TOO_LARGE when text and bytes together exceed the limit of the receiver', async () => {
      const network = name === 'memory' ? new MemoryNetwork() : undefined;
      const small = {
        limits: { message: 65_536 },
        network,
        ...(network ? {} : { runtimeDir: await stage.folder() }),
      };
      const { b: other, toB: toOther } = await stage.pair(small);
      other.connect('sizes', (...pieces: Uint8Array[]) => pieces.map(({ byteLength }) => byteLength));
      other.connect('make', (length: number) => [new Uint8Array(length), new Uint8Array(length)]);
      const half = new Uint8Array(32_768);
      expect(await failure(toOther.call('sizes', [half, half]))).to.include({ code: 'TOO_LARGE', ran: 'no' });
      expect(await toOther.call('sizes', [half, half.subarray(500)])).to.deep.equal([32_768, 32_268]);
      expect(await failure(toOther.call('make', [32_768]))).to.include({ code: 'TOO_LARGE', ran: 'yes' });
      expect(await toOther.call('make', [10_000])).to.have.length(2);
    });

    it('are sent as they are at the moment of sending, and may be reused after the answer', async () => {
      b.connect('sum', (bytes: Uint8Array) => bytes.reduce((sum, each) => sum + each, 0));
      const bytes = new Uint8Array(100_000);
      for (let round = 1; round <= 5; round += 1) {
        bytes.fill(round);
        expect(await toB.call('sum', [bytes])).to.equal(round * 100_000);
      }
      expect(a.actor.system.get('caller').getSnapshot().context.pending).to.equal(0);
    });
  });
}

describe('a peer that breaks the rules for values', () => {
  const stage = new Stage();
  const secret = makeSecret();
  let server: Peer;
  let port: number;

  beforeEach(async () => {
    server = stage.make({ runtimeDir: await stage.folder(), secret, limits: { message: 65_536 } });
    server.connect('echo', (x: unknown) => x);
    await server.start();
    port = portOf(server);
  });
  afterEach(() => stage.clear());

  async function arrived(frames: Friend['frames'], count: number): Promise<Friend['frames']> {
    await eventually(() => frames.length >= count);
    return frames;
  }

  const REQUEST = '"type":"request","id":1,"tag":"echo","args"';
  const bytes = new Uint8Array(40_000);

  const violations: [what: string, send: [text: string, before?: Uint8Array[]][]][] = [
    ['bytes that no frame takes', [[`{${REQUEST}:[1]}`, [bytes]]]],
    ['bytes before a message that is empty', [['', [bytes]]]],
    ['a frame whose bytes did not come', [[`{${REQUEST}:[0],"meta":{"values":{},"binary":1}}`]]],
    ['more bytes than a message may have', [['{', [bytes, bytes]]]],
    ['more text and bytes than a message may have', [[`{${REQUEST}:["${'x'.repeat(30_000)}"]}`, [bytes]]]],
    ['more pieces than a frame may have', [['{', Array.from({ length: 4_097 }, () => new Uint8Array(0))]]],
    ['a meta that is none', [[`{${REQUEST}:[1],"meta":1}`]]],
  ];
  for (const [what, messages] of violations) {
    it(`is cut off: ${what}`, async () => {
      const { socket, closed } = await befriend(port, secret);
      for (const [text, before] of messages) socket.send(text, before);
      expect(await closed).to.equal(4400);
    });
  }

  it('is answered BAD_REQUEST for an invalid value, and its next call runs', async () => {
    const { socket, frames } = await befriend(port, secret);
    socket.send(`{${REQUEST}:["/(/"],"meta":{"values":{"args.0":["regexp"]}}}`);
    const [first] = await arrived(frames, 1);
    expect(first).to.deep.include({ type: 'error', id: 1 });
    expect(first!.failure).to.include({ code: 'BAD_REQUEST', ran: 'no' });
    socket.send(`{${REQUEST.replace('1', '2')}:["/a/g"],"meta":{"values":{"args.0":["regexp"]}}}`);
    const [, second] = await arrived(frames, 2);
    const meta = { values: { value: ['regexp'] }, v: 1 };
    expect(second).to.deep.equal({ type: 'result', id: 2, meta, value: '/a/g' });
  });

  it('fails only the call whose answer is invalid', async () => {
    const caller = stage.make({ runtimeDir: await stage.folder(), secret });
    await caller.start();

    const { socket, frames } = await befriend(portOf(caller), secret);
    const [friend] = await meet(caller, 'someone');
    const call = failure(friend!.call('anything'));
    await arrived(frames, 1);
    socket.send('{"type":"result","id":1,"meta":{"values":{"value":["Temporal"]}},"value":"x"}');
    const error = await call;
    expect(error).to.include({ code: 'NOT_SERIALIZABLE', ran: 'yes' });
    expect((error as Error).message).to.include('its answer cannot be read: it has a Temporal');
    const next = friend!.call('anything');
    await arrived(frames, 2);
    socket.send('{"type":"result","id":2,"value":7}');
    expect(await next).to.equal(7);
  });
});
