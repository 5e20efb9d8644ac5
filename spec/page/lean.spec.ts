import { expect } from 'chai';

import { NetError } from '../../src/base/errors.ts';
import { hint } from '../../src/base/near.ts';
import { peerLine } from '../../src/base/peer-line.ts';
import * as leanRefusals from '../../src/page/lean/not-serializable.ts';
import { hint as leanHint } from '../../src/page/lean/near.ts';
import { peerLine as leanPeerLine } from '../../src/page/lean/peer-line.ts';
import * as lean from '../../src/page/lean/error-classes.ts';
import { whenAborted } from '../../src/page/lean/when-aborted.ts';
import * as whole from '../../src/wire/values/error-classes.ts';
import * as refusals from '../../src/wire/values/not-serializable.ts';
import type { ErrorParts } from '../../src/wire/values/error-classes.ts';

class OutOfInk extends RangeError {}
class Named extends Error {}
class Deep extends OutOfInk {}

describe('what a page has in the place of larger files', () => {
  before(() => {
    for (const { registerError } of [lean, whole]) {
      registerError(OutOfInk);
      registerError(Named, 'Called');
    }
  });

  it('names the classes of errors in the same way', () => {
    const errors = [
      ...[new Error('a'), new OutOfInk('b'), new Named('c'), new Deep('d'), new NetError('REFUSED', 'e')],
      ...[new AggregateError([]), new DOMException('f', 'AbortError'), new (class extends Error {})()],
      ...[
        Object.create(null) as Error,
        { name: 'Error' },
        Object.create({ constructor: { name: 5 } }) as Error,
      ],
    ];
    for (const error of errors) {
      expect(lean.classNames(error)).to.deep.equal(whole.classNames(error));
      expect(lean.isError(error)).to.equal(whole.isError(error));
    }
  });

  it('puts errors together in the same way', () => {
    const all: ErrorParts[] = [
      { name: 'TypeError', message: 'a' },
      { name: 'Mine', message: 'b', classes: ['Mine', 'RangeError'] },
      { name: 'OutOfInk', message: 'c', properties: { tray: 1 }, code: 'E_PAPER' },
      { name: 'Called', message: 'd', classes: ['Called', 'Error'], cause: undefined },
      { name: 'AggregateError', message: 'e', errors: [1] },
      { name: 'AbortError', message: 'f', classes: ['DOMException'] },
      { name: 'toString', message: 'g' },
      { name: 'NetError', message: 'h', code: 'REFUSED', properties: { ran: 'no', retriable: true } },
      { name: 'NetError', message: 'i', code: 'ALIEN', properties: { ran: 'no' } },
    ];
    for (const parts of all) {
      const [here, there] = [lean.assembleError(parts), whole.assembleError(parts)];
      expect(Object.getPrototypeOf(here), parts.message).to.equal(Object.getPrototypeOf(there));
      for (const key of [
        ...Object.keys(there),
        'name',
        'message',
        'code',
        'cause',
        'errors',
      ] as (keyof Error)[])
        expect(here[key], `${parts.message}.${key}`).to.deep.equal(there[key]);
      expect(Object.keys(here)).to.have.members(Object.keys(there));
      expect('cause' in here).to.equal('cause' in there);
    }
  });

  it('refuses the same classes', () => {
    const wrong: [unknown, string?][] = [
      [undefined],
      [class {}],
      [class extends Error {}],
      [Named, 'TypeError'],
    ];
    for (const { registerError } of [lean, whole]) {
      for (const [given, name] of wrong)
        expect(() => registerError(given as typeof Error, name)).to.throw(TypeError, 'registerError');
      expect(() => registerError(Deep, 'Called')).to.throw('another class');
      registerError(Named, 'Called');
    }
  });

  it('refuses a name that a minifier may have made, unless it was given', () => {
    class Ab extends Error {}
    expect(() => lean.registerError(Ab)).to.throw(TypeError, "give another name than 'Ab'");
    lean.registerError(Ab, 'Ab');
  });

  it('says in the same way what cannot be sent, and of whom it speaks', () => {
    for (const [path, what] of [
      ['args[0].save', 'a function'],
      ['p'.repeat(2_000), 'w'.repeat(2_000)],
    ] as const) {
      const cause = new Error('boom');
      const here = new leanRefusals.NotSerializable(path, what, { cause });
      const there = new refusals.NotSerializable(path, what, { cause });
      expect([here.message, here.cause]).to.deep.equal([there.message, there.cause]);
    }
    const throwing = Object.defineProperty({}, 'message', {
      get: () => {
        throw new Error('boom');
      },
    });
    for (const cause of [new Error('x'.repeat(200)), new Error(''), 5, undefined, throwing])
      expect(leanRefusals.reasonOf(cause)).to.equal(refusals.reasonOf(cause));
    for (const name of ['render-1', 'a "b"', '\n'])
      expect(leanPeerLine({ name, id: 'x' })).to.equal(peerLine({ name, id: 'x' }));
    expect(leanHint()).to.equal(hint('nothing like it', ['deadline']));
  });

  it('calls back once when a signal is aborted, and not after the watch has ended', () => {
    const controller = new AbortController();
    const heard: unknown[] = [];
    whenAborted(controller.signal, (reason) => heard.push(reason));
    whenAborted(controller.signal, (reason) => heard.push(reason))();
    controller.abort('enough');
    expect(heard).to.deep.equal(['enough']);
  });
});
