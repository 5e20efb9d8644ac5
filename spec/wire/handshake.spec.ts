import { createHash, createHmac } from 'node:crypto';

import { expect } from 'chai';

import { HANDSHAKE_BYTES } from '../../src/wire/handshake/handshake.ts';
import { isPeerId } from '../../src/wire/shapes.ts';
import { HandshakeFailed } from '../../src/wire/handshake/handshake-messages.ts';
import {
  acceptor,
  binding,
  description,
  dialler,
  exchange,
  keys,
  only,
  options,
  untold,
} from '../support/handshake.ts';
import { edit } from '../support/edit.ts';

describe('a handshake', () => {
  it('tells each side the identity of the other', () => {
    const done = exchange();
    expect(done.dialler.party).to.deep.equal({
      ...description('acceptor'),
      ...untold,
      id: 'acceptor',
      incarnation: 'acceptor-1',
      newestVersion: 1,
      limits: { message: 65_536, calls: 8, subscriptions: 8 },
    });
    expect(done.acceptor.party).to.deep.equal({
      ...description('dialler'),
      ...untold,
      id: 'dialler',
      incarnation: 'dialler-1',
      newestVersion: 1,
      limits: { message: 65_536, calls: 7, subscriptions: 7 },
    });
  });

  it('carries the functions of each side', () => {
    const done = exchange(dialler({}, description('dialler', ['a'])));
    expect(done.dialler.told).to.deep.equal(['a']);
    expect(done.acceptor.told).to.deep.equal(['one', 'two']);
  });

  it('tells each side what the other says of its own presence', () => {
    const addresses = [{ host: '10.0.0.7', port: 41_873, tag: 'x'.repeat(22) }];
    const presence = { started: 1_790_000_000_000, version: 4, addresses, digest: 'Jl5Y3cXqC0tWm9aE' };
    const done = exchange(dialler({}, { ...description('dialler'), ...presence }));
    expect(done.acceptor.party).to.deep.include(presence);
    expect(done.dialler.party).to.deep.include(untold);
    expect([done.dialler.toldVersion, done.acceptor.toldVersion]).to.deep.equal([4, 1]);
  });

  it('treats a missing limit of subscriptions as none allowed', () => {
    const silent = dialler({ self: { ...options('dialler').self, limits: { message: 65_536, calls: 1 } } });
    expect(exchange(silent).acceptor.party.limits.subscriptions).to.equal(0);
  });

  it('reveals only ids, versions and limits before the proofs', () => {
    const { M1, M2, M3 } = exchange().texts;
    for (const text of [M1, M2, M3]) expect(text).not.to.match(/one|two|main|here|pid/);
  });

  it('succeeds when the dialler knows the peer that it dials', () => {
    expect(exchange(dialler({ to: 'acceptor' })).dialler.party.id).to.equal('acceptor');
  });

  it('works with a client that was written from the protocol alone', () => {
    const lp = (data: Uint8Array | string): Buffer => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(Buffer.byteLength(data));
      return Buffer.concat([length, Buffer.from(data as string)]);
    };
    const to = acceptor();
    // A space, as other languages write JSON; the proofs are over the bytes, not over what they mean.
    const m1 = edit(dialler().hello(), { versions: [1, 9, 4] }).replace('{', '{ ');
    const m2 = to.receive(m1).send!;
    const bound = Buffer.concat([lp(binding.kind), lp(binding.data)]);
    const transcript = [lp('app-net.v1'), lp(bound), lp(m1), lp(m2)];
    const t = createHash('sha256').update(Buffer.concat(transcript)).digest();
    const m3 = `{ "proof": "${createHmac('sha256', keys.dialler).update(t).digest('base64url')}", "type": "proof" }`;
    const m4 = JSON.parse(to.receive(m3).send!) as { proof: string };
    expect(m4.proof).to.equal(createHmac('sha256', keys.acceptor).update(t).update(m3).digest('base64url'));
    const { party } = to.receive(JSON.stringify({ type: 'describe', ...description('other') })).done!;
    expect(party).to.deep.include({ name: 'other', id: 'dialler', newestVersion: 9 });
  });

  it('ignores unknown fields', () => {
    const from = dialler();
    const told = edit(exchange().texts.M5, { colour: 'blue' });
    const to = acceptor();
    const m4 = to.receive(from.receive(to.receive(from.hello()).send!).send!).send!;
    from.receive(m4);
    expect(to.receive(told).done!.party).not.to.have.property('colour');
  });
});

describe('a description', () => {
  it('is cut to the room in a handshake, and says how much it holds', () => {
    const functions = Array.from({ length: 5_000 }, (_, index) => `function-${index}-${'\u0001'.repeat(20)}`);
    // The longest names there may be, of characters that JSON writes as six bytes.
    const long = { name: '\u0001'.repeat(256), group: '\u0002'.repeat(256), host: '\u0003'.repeat(256) };
    const addresses = Array.from({ length: 16 }, () => ({
      ...{ host: 'fd00:1111:2222:3333:4444:5555:6666:7777', port: 65_535 },
      tag: 'x'.repeat(22),
    }));
    const presence = { started: 1_790_000_000_000, version: 2 ** 53 - 1, addresses, digest: 'x'.repeat(64) };
    const full = { ...description('x', functions), ...long, ...presence };
    const done = exchange(dialler({}, full), acceptor({}, full));
    for (const text of Object.values(done.texts))
      expect(Buffer.byteLength(text)).to.be.at.most(HANDSHAKE_BYTES);
    expect(done.dialler.party.functions.length).to.be.within(20, 4_999);
    expect(done.dialler.party.functions).to.deep.equal(
      functions.slice(0, done.dialler.party.functions.length),
    );
    expect(done.acceptor.told).to.deep.equal(done.dialler.party.functions);
    expect(done.dialler.told).to.deep.equal(done.acceptor.party.functions);
  });

  it('is sent whole when it fits', () => {
    const functions = Array.from({ length: 100 }, (_, index) => `function-${index}`);
    expect(exchange(dialler({}, description('x', functions))).acceptor.party.functions).to.deep.equal(
      functions,
    );
  });

  for (const [field, value] of [
    ['name', 'x'.repeat(257)],
    ['group', 5],
    ['hub', 'true'],
    ['pid', '7'],
    ['host', undefined],
    ['functions', ['']],
    ['functions', ['x'.repeat(1025)]],
    ['functions', { length: 0 }],
    ['started', -1],
    ['started', '2026'],
    ['version', 0.5],
    ['version', null],
    ['addresses', '10.0.0.7:1'],
    ['addresses', [{ host: '10.0.0.7', port: 0 }]],
    ['addresses', [{ host: '10.0.0.7', port: 1, tag: 'short' }]],
    ['addresses', Array.from({ length: 17 }, () => ({ host: '10.0.0.7', port: 1 }))],
    ['digest', 5],
    ['digest', 'x'.repeat(65)],
  ] as const) {
    it(`is refused when its ${field} is ${JSON.stringify(value)?.slice(0, 50) ?? 'missing'}`, () => {
      for (const name of ['M4', 'M5'] as const) {
        const change = only(name, (text) => edit(text, { [field]: value }));
        expect(() => exchange(dialler(), acceptor(), change)).to.throw(HandshakeFailed, 'a wrong shape');
      }
    });
  }
});

describe('the id of a peer', () => {
  it('is 1 to 64 characters that are safe in file names and addresses', () => {
    expect(['a', 'A-z_9', 'x'.repeat(64)].every((id) => isPeerId(id))).to.equal(true);
    const wrong = ['', 'x'.repeat(65), '../x', 'a b', 'a\n', 'é', 5, null, ['a']];
    expect(wrong.filter((id) => isPeerId(id))).to.deep.equal([]);
  });
});
