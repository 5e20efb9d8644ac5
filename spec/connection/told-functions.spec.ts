import { expect } from 'chai';

import { makeSecret } from '../../src/wire/handshake/secret.ts';
import { MOST_FUNCTIONS, takeFunctionsFrame } from '../../src/wire/functions-frames.ts';
import type { FunctionsFrame } from '../../src/wire/frames.ts';
import { eventually } from '../support/eventually.ts';
import { befriend } from '../support/friend.ts';
import { portOf, Stage } from '../support/peers.ts';

describe('the functions that peers tell each other', function () {
  this.timeout(120_000);
  const stage = new Stage();
  const secret = makeSecret();

  afterEach(() => stage.clear());

  const tag = (index: number): string => `shop/service/module-${index}/function-with-a-usual-name-${index}`;

  it('may be far more than fit into one message: the peers join once, and know all of them', async () => {
    const runtimeDir = await stage.folder();
    const small = stage.make({ runtimeDir, secret, limits: { message: 65_536 } });
    const many = stage.make({ runtimeDir, secret });
    for (let index = 0; index < 5_000; index += 1) many.connect(tag(index), () => index);
    const seen: string[] = [];
    small.peers.on('join', () => seen.push('join')).on('leave', () => seen.push('leave'));
    await Promise.all([small.start(), many.start()]);
    await eventually(() => expect([...small.peers][0]?.functions).to.have.length(5_000));
    expect(await [...small.peers][0]!.call(tag(4_999))).to.equal(4_999);
    for (let index = 5_000; index < 7_000; index += 1) many.connect(tag(index), () => index);
    await eventually(() => expect([...small.peers][0]?.functions).to.have.length(7_000));
    expect(seen).to.deep.equal(['join']);
  });

  it('fit, frame by frame, into the limit of the receiver, and each is told once', () => {
    const untold = new Map<string, boolean>();
    for (let index = 0; index < 5_000; index += 1)
      untold.set(`${'\u{1f600}"'.repeat(index % 250)}${index}`, index % 3 > 0);
    const expected = new Map(untold);
    const told = new Map<string, boolean>();
    while (untold.size > 0) {
      const text = takeFunctionsFrame(untold, 65_536);
      expect(Buffer.byteLength(text)).to.be.at.most(65_536);
      const { added, removed } = JSON.parse(text) as FunctionsFrame;
      for (const each of added) told.set(each, true);
      for (const each of removed) told.set(each, false);
      expect(added.length + removed.length).to.be.above(0);
    }
    expect(told).to.deep.equal(expected);
  });

  it('end the connection when they exceed the limit of a peer', async () => {
    const peer = await stage.make({ runtimeDir: await stage.folder(), secret }).start();
    const count = { frames: 0 };
    const { socket, closed } = await befriend(portOf(peer), secret);
    let ended = false;
    void closed.then(() => (ended = true));
    while (!ended && count.frames < 100) {
      const added = Array.from({ length: 5_000 }, (_, index) => `t${count.frames}-${index}`);
      socket.send(JSON.stringify({ type: 'functions', added, removed: [] }));
      count.frames += 1;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await closed).to.equal(4400);
    await eventually(() => expect([...peer.peers]).to.deep.equal([]));
  });

  it('cannot be connected beyond that limit, so that no peer is cut off for it', async () => {
    const peer = stage.make({ runtimeDir: await stage.folder(), secret });
    const functions = (from: number, count: number): Record<string, () => number> =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`f${from + index}`, () => index]));
    peer.connect(functions(0, MOST_FUNCTIONS), { prefix: 'many' });
    expect(() => peer.connect('one more', () => 0)).to.throw(Error, 'at most 65536 functions');
  });
});
