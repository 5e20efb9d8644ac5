import { createHash, createHmac } from 'node:crypto';

import { expect } from 'chai';
import fc from 'fast-check';

import type { Description } from '../../src/wire/frames.ts';
import {
  AcceptorHandshake,
  DiallerHandshake,
  HANDSHAKE_BYTES,
  HandshakeFailed,
  isPeerId,
} from '../../src/wire/handshake.ts';
import type { Binding, HandshakeOptions, Result } from '../../src/wire/handshake.ts';
import { deriveKeys, makeSecret } from '../../src/wire/secret.ts';

type Options = HandshakeOptions & { to: string };
type Name = 'M1' | 'M2' | 'M3' | 'M4' | 'M5';
type Change = (text: string, name: Name) => string;

const keys = await deriveKeys(makeSecret());
const otherKeys = await deriveKeys(makeSecret());
const binding: Binding = { kind: 'loopback', data: Buffer.from('127.0.0.1:4000') };

const description = (name: string, functions = ['one', 'two']): Description => ({
  name,
  group: 'main',
  hub: false,
  pid: 7,
  host: 'here',
  functions,
});

/** The nonces are fixed, one for each id, so that a failure can be looked at twice. */
function options(id: string, changes: Partial<Options> = {}, told = description(id)): Options {
  const self = {
    id,
    incarnation: `${id}-1`,
    limits: { message: 65_536, calls: id.length },
    describe: () => told,
  };
  return { self, keys, binding, nonce: Buffer.alloc(32, id), to: '', ...changes };
}

const dialler = (...[changes, told]: [Partial<Options>?, Description?]): DiallerHandshake =>
  new DiallerHandshake(options('dialler', changes, told));
const acceptor = (...[changes, told]: [Partial<Options>?, Description?]): AcceptorHandshake =>
  new AcceptorHandshake(options('acceptor', changes, told));

interface Exchange {
  texts: Record<Name, string>;
  dialler: Result;
  acceptor: Result;
}

/** All five messages, each on its way through `change`. */
function exchange(from = dialler(), to = acceptor(), change: Change = (text) => text): Exchange {
  const M1 = change(from.hello(), 'M1');
  const M2 = change(to.receive(M1).send!, 'M2');
  const M3 = change(from.receive(M2).send!, 'M3');
  const M4 = change(to.receive(M3).send!, 'M4');
  const step = from.receive(M4);
  const M5 = change(step.send!, 'M5');
  return { texts: { M1, M2, M3, M4, M5 }, dialler: step.done!, acceptor: to.receive(M5).done! };
}

function edit(text: string, fields: Record<string, unknown>): string {
  return JSON.stringify({ ...(JSON.parse(text) as object), ...fields });
}

const only =
  (name: Name, change: (text: string) => string): Change =>
  (text, each) =>
    each === name ? change(text) : text;

describe('a handshake', () => {
  it('tells each side who the other is', () => {
    const done = exchange();
    expect(done.dialler.party).to.deep.equal({
      ...description('acceptor'),
      id: 'acceptor',
      incarnation: 'acceptor-1',
      newestVersion: 1,
      limits: { message: 65_536, calls: 8 },
    });
    expect(done.acceptor.party).to.deep.equal({
      ...description('dialler'),
      id: 'dialler',
      incarnation: 'dialler-1',
      newestVersion: 1,
      limits: { message: 65_536, calls: 7 },
    });
  });

  it('remembers which functions each side told of', () => {
    const done = exchange(dialler({}, description('dialler', ['a'])));
    expect(done.dialler.told).to.deep.equal(['a']);
    expect(done.acceptor.told).to.deep.equal(['one', 'two']);
  });

  it('tells nothing but ids, versions and limits before the proofs', () => {
    const { M1, M2, M3 } = exchange().texts;
    for (const text of [M1, M2, M3]) expect(text).not.to.match(/one|two|main|here|pid/);
  });

  it('passes when the dialler knows whom it dials', () => {
    expect(exchange(dialler({ to: 'acceptor' })).dialler.party.id).to.equal('acceptor');
  });

  it('can be had with a client that was written from the protocol alone', () => {
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

  it('passes over fields that it does not know', () => {
    const from = dialler();
    const told = edit(exchange().texts.M5, { colour: 'blue' });
    const to = acceptor();
    const m4 = to.receive(from.receive(to.receive(from.hello()).send!).send!).send!;
    from.receive(m4);
    expect(to.receive(told).done!.party).not.to.have.property('colour');
  });
});

describe('a handshake fails', () => {
  it('at the acceptor when the dialler has another secret', () => {
    const to = acceptor();
    const from = dialler({ keys: otherKeys });
    const m3 = from.receive(to.receive(from.hello()).send!).send!;
    expect(() => to.receive(m3)).to.throw(HandshakeFailed, 'the proof is wrong');
  });

  it('at the dialler when the acceptor has another secret', () => {
    // An acceptor that knows only the dialler's half takes every proof, and still cannot make its own.
    const half = { dialler: keys.dialler, acceptor: otherKeys.acceptor };
    const from = dialler();
    const to = acceptor({ keys: half });
    const m4 = to.receive(from.receive(to.receive(from.hello()).send!).send!).send!;
    expect(() => from.receive(m4)).to.throw(HandshakeFailed, 'the proof is wrong');
  });

  it('when M1 and M3 of an earlier one are played again', () => {
    const { M1, M3 } = exchange().texts;
    const fresh = acceptor({ nonce: Buffer.alloc(32, 'fresh') });
    fresh.receive(M1);
    expect(() => fresh.receive(M3)).to.throw(HandshakeFailed, 'the proof is wrong');
  });

  it('when M2 and M4 of an earlier one are played again', () => {
    const { M2, M4 } = exchange().texts;
    const fresh = dialler({ nonce: Buffer.alloc(32, 'fresh') });
    fresh.receive(M2);
    expect(() => fresh.receive(M4)).to.throw(HandshakeFailed, 'the proof is wrong');
  });

  it('when the proof of the dialler comes back as that of the acceptor', () => {
    const from = dialler();
    const m3 = from.receive(acceptor().receive(from.hello()).send!).send!;
    const m4 = edit(m3, { type: 'accept', ...description('mirror') });
    expect(() => from.receive(m4)).to.throw(HandshakeFailed, 'the proof is wrong');
  });

  for (const [what, fields] of [
    ['id', {}],
    ['nonce', { id: 'other', incarnation: 'other-1' }],
  ] as const) {
    it(`when a side meets its own ${what}`, () => {
      const hello = edit(new DiallerHandshake(options('acceptor')).hello(), fields);
      expect(() => acceptor().receive(hello)).to.throw(HandshakeFailed, 'by itself');
      const welcome = edit(dialler().hello(), { type: 'welcome', version: 1, ...fields });
      expect(() => dialler().receive(welcome)).to.throw(HandshakeFailed, 'by itself');
    });
  }

  const bindings: [what: string, binding: Binding][] = [
    ['to another address', { kind: 'loopback', data: Buffer.from('127.0.0.1:4001') }],
    ['in another way', { kind: 'tls-exporter', data: binding.data }],
    ['to the same bytes, divided differently', { kind: 'loopback1', data: binding.data.subarray(1) }],
    ['to nothing', { kind: '', data: new Uint8Array() }],
  ];
  for (const [what, other] of bindings) {
    it(`when one end is bound ${what}`, () => {
      expect(() => exchange(dialler({ binding: other }))).to.throw(HandshakeFailed, 'the proof is wrong');
      expect(() => exchange(dialler(), acceptor({ binding: other }))).to.throw(
        HandshakeFailed,
        'the proof is wrong',
      );
    });
  }

  it('at the acceptor when another peer is meant', () => {
    expect(() => acceptor().receive(dialler({ to: 'someone' }).hello())).to.throw(
      HandshakeFailed,
      'another peer was meant',
    );
  });

  it('at the dialler when another peer answers, though it has the secret', () => {
    const from = dialler({ to: 'someone' });
    const welcome = acceptor().receive(dialler().hello()).send!;
    expect(() => from.receive(welcome)).to.throw(HandshakeFailed, 'another peer answered');
  });

  it('when there is no common version', () => {
    for (const versions of [[], [2], [0, 3]]) {
      const hello = edit(dialler().hello(), { versions });
      expect(() => acceptor().receive(hello)).to.throw(HandshakeFailed, 'no common version');
    }
    const from = dialler();
    const welcome = edit(acceptor().receive(from.hello()).send!, { version: 2 });
    expect(() => from.receive(welcome)).to.throw(HandshakeFailed, 'no common version');
  });

  it('when a version is taken out of the hello on its way', () => {
    const less = only('M1', (text) => edit(text, { versions: [1, 2] }));
    expect(() => exchange(dialler(), acceptor(), less)).to.throw(HandshakeFailed, 'the proof is wrong');
  });

  for (const name of ['M3', 'M4'] as const) {
    for (const bytes of [0, 1, 16, 31, 33, 48]) {
      it(`when the proof of ${name} has ${bytes} bytes`, () => {
        const cut = only(name, (text) => {
          const whole = Buffer.from((JSON.parse(text) as { proof: string }).proof, 'base64url');
          return edit(text, {
            proof: Buffer.concat([whole, whole]).subarray(0, bytes).toString('base64url'),
          });
        });
        expect(() => exchange(dialler(), acceptor(), cut)).to.throw(HandshakeFailed);
      });
    }
  }

  /** Each byte in turn becomes another one: its neighbour in the code, or one that is drawn. */
  function everyByteMatters(name: Name, within: (text: string) => [from: number, to: number]): void {
    const honest = exchange().texts[name];
    const [from, to] = within(honest);
    const instead = fc.oneof(
      fc.constant(''),
      fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 1 }),
    );
    const tried = (at: number, character: string): void => {
      if (honest[at] === character) return;
      const change = only(name, (text) => text.slice(0, at) + character + text.slice(at + 1));
      expect(() => exchange(dialler(), acceptor(), change), `${character} at ${at} of ${honest}`).to.throw(
        HandshakeFailed,
      );
    };
    for (let at = from; at < to; at += 1) {
      tried(at, String.fromCharCode(honest.charCodeAt(at) ^ 1));
      tried(at, String.fromCharCode(honest.charCodeAt(at) + 1));
    }
    fc.assert(fc.property(fc.integer({ min: from, max: to - 1 }), instead, tried), { numRuns: 300 });
  }

  for (const name of ['M1', 'M2', 'M3'] as const) {
    it(`when any byte of ${name} is changed on its way`, () => {
      everyByteMatters(name, (text) => [0, text.length]);
    });
  }

  it('when any byte of the proof in M4 is changed on its way', () => {
    everyByteMatters('M4', (text) => {
      const { proof } = JSON.parse(text) as { proof: string };
      return [text.indexOf(proof), text.indexOf(proof) + proof.length];
    });
  });

  it('with nothing but HandshakeFailed, whatever comes at whatever time', () => {
    const { M1, M2, M3, M4, M5 } = exchange().texts;
    const known = fc.constantFrom(M1, M2, M3, M4, M5);
    const changed = fc
      .tuple(
        known,
        fc.dictionary(
          fc.constantFrom(
            ...Object.keys(JSON.parse(M4) as object),
            'type',
            'limits',
            'versions',
            'id',
            'nonce',
            'to',
            '__proto__',
          ),
          fc.jsonValue(),
          { maxKeys: 3 },
        ),
      )
      .map(([text, fields]) => edit(text, fields));
    const anything = fc.oneof(fc.string({ unit: 'binary' }), fc.json(), known, changed);
    fc.assert(
      fc.property(fc.array(anything, { minLength: 1, maxLength: 4 }), fc.nat(2), (texts, honest) => {
        for (const [side, before] of [
          [dialler(), [M2]],
          [acceptor(), [M1, M3]],
        ] as const) {
          for (const text of before.slice(0, honest)) side.receive(text);
          for (const text of texts) {
            try {
              side.receive(text);
            } catch (error) {
              if (!(error instanceof HandshakeFailed)) throw error;
            }
          }
        }
      }),
      { numRuns: 1_500 },
    );
    expect(() => dialler().receive('['.repeat(100_000))).to.throw(HandshakeFailed);
  });
});

describe('a description', () => {
  it('is cut to the room that a handshake has, and says what it told', () => {
    const functions = Array.from({ length: 5_000 }, (_, index) => `function-${index}-${'\u0001'.repeat(20)}`);
    // The longest names there may be, of characters that JSON writes as six bytes.
    const long = { name: '\u0001'.repeat(256), group: '\u0002'.repeat(256), host: '\u0003'.repeat(256) };
    const full = { ...description('x', functions), ...long };
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

  it('is told whole when it fits', () => {
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
  ] as const) {
    it(`is refused when its ${field} is ${JSON.stringify(value)?.slice(0, 20) ?? 'missing'}`, () => {
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
