import { expect } from 'chai';
import * as fc from 'fast-check';

import { DiallerHandshake } from '../../src/wire/handshake/handshake.ts';
import { HandshakeFailed, WrongPeer } from '../../src/wire/handshake/handshake-messages.ts';
import type { Binding } from '../../src/wire/handshake/proof.ts';
import {
  acceptor,
  binding,
  description,
  dialler,
  exchange,
  keys,
  only,
  options,
  otherKeys,
} from '../support/handshake.ts';
import { edit } from '../support/edit.ts';
import type { Name } from '../support/handshake.ts';

describe('a handshake fails', function () {
  // Some seconds of honest work; more where other work shares the machine.
  this.timeout(120_000);

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

  it('when M1 and M3 of an earlier handshake are played again', () => {
    const { M1, M3 } = exchange().texts;
    const fresh = acceptor({ nonce: Buffer.alloc(32, 'fresh') });
    fresh.receive(M1);
    expect(() => fresh.receive(M3)).to.throw(HandshakeFailed, 'the proof is wrong');
  });

  it('when M2 and M4 of an earlier handshake are played again', () => {
    const { M2, M4 } = exchange().texts;
    const fresh = dialler({ nonce: Buffer.alloc(32, 'fresh') });
    fresh.receive(M2);
    expect(() => fresh.receive(M4)).to.throw(HandshakeFailed, 'the proof is wrong');
  });

  it('when the proof of the dialler comes back as the proof of the acceptor', () => {
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
      expect(() => acceptor().receive(hello)).to.throw(HandshakeFailed, 'this peer itself');
      const welcome = edit(dialler().hello(), { type: 'welcome', version: 1, ...fields });
      expect(() => dialler().receive(welcome)).to.throw(HandshakeFailed, 'this peer itself');
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

  it('at the acceptor when the dialler means another peer', () => {
    const to = acceptor();
    const from = dialler({ to: 'acceptor' });
    // The dialler is told who is there. One that goes on all the same gets no further.
    const hello = edit(from.hello(), { to: 'someone' });
    const { send: m3 } = from.receive(to.receive(hello).send!);
    expect(() => to.receive(m3!)).to.throw(WrongPeer, 'acceptor answered instead of someone');
  });

  it('at the dialler when another peer answers, even one with the secret', () => {
    const from = dialler({ to: 'someone' });
    const welcome = acceptor().receive(dialler().hello()).send!;
    expect(() => from.receive(welcome)).to.throw(
      WrongPeer,
      'wrong peer at this address: acceptor answered instead of someone',
    );
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

  it('when a version is removed from the hello on its way', () => {
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

  it('with HandshakeFailed only, for any input at any time', () => {
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
      { numRuns: 1_000 },
    );
    expect(() => dialler().receive('['.repeat(100_000))).to.throw(HandshakeFailed);
  });
});
