import { inspect, types } from 'node:util';
import { runInNewContext } from 'node:vm';

import { expect } from 'chai';

import { NetError } from '../../src/base/errors.ts';
import { encodeThrown } from '../../src/wire/codec.ts';
import { registerError } from '../../src/wire/values/error-classes.ts';
import { peerLine } from '../../src/base/peer-line.ts';
import { reviveThrown } from '../../src/wire/values/failure.ts';
import type { ErrorFrame } from '../../src/wire/frames.ts';
import { receive, textOf } from '../support/codec.ts';

const origin = { name: 'render-1', id: 'V1StGXR8_Z5jdHi6B-myT' };

/** From one process to another: described, written, read by the guards, put together. */
function carry(thrown: unknown, { stacks = true, site = '    at local (/app/main.ts:1:1)' } = {}): unknown {
  const [frame] = receive(encodeThrown(1, thrown, stacks));
  return reviveThrown(frame as ErrorFrame, origin, site);
}

const carryError = <E extends Error>(error: E): E => carry(error) as E;

class Overdrawn extends Error {
  override name = 'Overdrawn';
  balance = -5;
  get short(): number {
    return -this.balance;
  }
}
class DeepOverdrawn extends Overdrawn {}
class Renamed extends Error {}
registerError(Overdrawn);
registerError(Renamed, 'shop.Renamed');

describe('an error that is sent', () => {
  const builtIn = [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError];
  for (const Class of builtIn) {
    it(`arrives as the ${Class.name} that it was`, () => {
      const error = carryError(new Class('no'));
      expect(error).to.be.instanceOf(Class);
      expect(Object.getPrototypeOf(error)).to.equal(Class.prototype);
      expect([error.name, error.message, String(error)]).to.deep.equal([
        Class.name,
        'no',
        `${Class.name}: no`,
      ]);
      expect(types.isNativeError(error)).to.equal(true);
      expect(Object.keys(error)).to.deep.equal([]);
    });
  }

  it('includes the errors of an AggregateError, of any kind', () => {
    const error = carryError(new AggregateError([new TypeError('a'), 'b', undefined, null], 'several'));
    expect(error).to.be.instanceOf(AggregateError);
    expect(error.message).to.equal('several');
    expect(error.errors[0]).to.be.instanceOf(TypeError).with.property('message', 'a');
    expect(error.errors.slice(1)).to.deep.equal(['b', undefined, null]);
  });

  for (const name of ['AbortError', 'TimeoutError', 'DataCloneError']) {
    it(`arrives as a DOMException of its name: ${name}`, () => {
      const thrown = new DOMException('no', name);
      const error = carry(thrown) as DOMException;
      expect(error).to.be.instanceOf(DOMException).and.instanceOf(Error);
      expect([error.name, error.message, error.code]).to.deep.equal([name, 'no', thrown.code]);
    });
  }

  it('arrives as its registered class, without running its constructor', () => {
    const error = carryError(Object.assign(new Overdrawn('too much'), { balance: -7 }));
    expect(Object.getPrototypeOf(error)).to.equal(Overdrawn.prototype);
    expect([error.name, error.message, error.balance, error.short]).to.deep.equal([
      'Overdrawn',
      'too much',
      -7,
      7,
    ]);
  });

  it('arrives as a class that was registered by another name', () => {
    expect(Object.getPrototypeOf(carry(new Renamed('x')))).to.equal(Renamed.prototype);
  });

  it('arrives as the nearest registered base class', () => {
    expect(Object.getPrototypeOf(carry(new DeepOverdrawn('x')))).to.equal(Overdrawn.prototype);
  });

  it('arrives as the nearest built-in class, with its name, when its class is not registered', () => {
    class OutOfStock extends RangeError {
      override name = 'OutOfStock';
    }
    const error = carryError(new OutOfStock('none left'));
    expect(Object.getPrototypeOf(error)).to.equal(RangeError.prototype);
    expect([error.name, String(error)]).to.deep.equal(['OutOfStock', 'OutOfStock: none left']);
    expect(Object.keys(error)).not.to.include('name');
  });

  it('arrives as the nearest built-in class, however long the chain to it', () => {
    let Class = class extends RangeError {};
    for (let level = 0; level < 12; level += 1) Class = class Level extends Class {};
    expect(carry(new Class('deep'))).to.be.instanceOf(RangeError);
  });

  it('includes its own enumerable properties where they can be sent, and its code', () => {
    const thrown = Object.assign(new Error('x'), {
      code: 'ENOENT',
      errno: -2,
      detail: { list: [null] },
      when: new Date(0),
      bytes: Uint8Array.of(1, 2),
      inner: new TypeError('within'),
      retry() {},
      nothing: undefined,
    });
    const { inner, ...rest } = Object.fromEntries(Object.entries(carryError(thrown)));
    expect(rest).to.deep.equal({
      code: 'ENOENT',
      errno: -2,
      detail: { list: [null] },
      when: new Date(0),
      bytes: Uint8Array.of(1, 2),
    });
    expect(inner).to.be.instanceOf(TypeError).with.property('message', 'within');
  });

  it('keeps a falsy code', () => {
    for (const code of [0, '', null, false]) {
      expect(carry(Object.assign(new Error('x'), { code }))).to.have.property('code', code);
    }
  });

  it('cannot set a prototype or constructor with its properties', () => {
    const thrown = new Error('x');
    for (const key of ['__proto__', 'constructor']) {
      Object.defineProperty(thrown, key, { value: { polluted: true }, enumerable: true });
    }
    const error = carry(thrown) as Error & { polluted?: unknown };
    expect(error).to.be.instanceOf(Error);
    expect([error.polluted, error.constructor]).to.deep.equal([undefined, Error]);
  });

  it('sends a code once, and not again among the properties', () => {
    const thrown = Object.assign(new Error('x'), { code: 5, errno: -2 });
    expect(textOf(encodeThrown(1, thrown, false))).to.equal(
      '{"type":"error","id":1,"error":{"name":"Error","message":"x","code":5,"properties":{"errno":-2}}}',
    );
  });

  it('takes no name, stack or prototype from properties that a stranger sends', () => {
    const properties = JSON.parse(
      '{"__proto__":{"polluted":1},"name":"N","stack":"S","message":"M","fine":1}',
    ) as Record<string, never>;
    const error = reviveThrown({ error: { name: 'Error', message: 'm', properties } }, origin, '') as Error;
    expect(Object.getPrototypeOf(error)).to.equal(Error.prototype);
    expect(Object.keys(error)).to.deep.equal(['fine']);
    expect([error.name, error.message, error.stack?.startsWith('Error: m\n')]).to.deep.equal([
      'Error',
      'm',
      true,
    ]);
  });

  it('includes its chain of causes', () => {
    const thrown = new Error('a', { cause: new TypeError('b', { cause: { why: 'c' } }) });
    const { cause } = carryError(thrown);
    expect(cause).to.be.instanceOf(TypeError).with.property('message', 'b');
    expect((cause as Error).cause).to.deep.equal({ why: 'c' });
  });

  it('tells a cause of undefined apart from no cause', () => {
    expect(Object.hasOwn(carryError(new Error('x', { cause: undefined })), 'cause')).to.equal(true);
    expect(Object.hasOwn(carryError(new Error('x')), 'cause')).to.equal(false);
  });

  it('ends when it is its own cause', () => {
    const thrown = new Error('round');
    thrown.cause = new Error('and round', { cause: thrown });
    let length = 0;
    for (let at: unknown = carry(thrown); at instanceof Error; at = at.cause) length += 1;
    expect(length).to.be.within(3, 20);
  });

  it('stays small when errors of an AggregateError have it as their cause', () => {
    const thrown = new AggregateError([], 'all failed');
    thrown.errors = [1, 2, 3, 4].map((each) => new Error(`part ${each}`, { cause: thrown }));
    expect(textOf(encodeThrown(1, thrown, false)).length).to.be.below(1_000_000);
  });

  it('tells for a NetError of a call that the function made that the function ran', () => {
    const thrown = new NetError('OVERLOADED', 'full', { peer: 'p', tag: 't' });
    expect([thrown.ran, thrown.retriable]).to.deep.equal(['no', true]);
    const error = carryError(thrown);
    expect(error).to.be.instanceOf(NetError);
    expect(Object.fromEntries(Object.entries(error))).to.deep.equal({
      code: 'OVERLOADED',
      ran: 'yes',
      retriable: false,
      peer: 'p',
      tag: 't',
    });
    expect(error.name).to.equal('NetError');
    const within = carryError(new Error('x', { cause: thrown })).cause as NetError;
    expect([within.ran, within.retriable]).to.deep.equal(['yes', false]);
  });
});

describe('a thrown value that is not an error', () => {
  for (const thrown of [undefined, null, 0, '', false, 'text', 5, { why: 'because' }, [1], NaN, -0, 1n]) {
    it(`arrives as it was: ${inspect(thrown)}`, () => {
      expect(carry(thrown)).to.deep.equal(thrown);
    });
  }

  for (const [thrown, text] of [
    [Symbol('s'), 'a symbol'],
    [() => {}, 'a function'],
    [new WeakSet(), 'WeakSet'],
    [Object.create(null, { f: { value: () => {}, enumerable: true } }), 'a function (value)'],
  ] as const) {
    it(`arrives as an error that shows it when it cannot be sent: ${text}`, () => {
      expect(carry(thrown)).to.be.instanceOf(Error).with.property('message').that.includes(text);
    });
  }
});

describe('an error that is hard to read', () => {
  const boom = (): never => {
    throw new Error('read');
  };
  const getter = (key: string): Error =>
    Object.defineProperty(new Error('x'), key, { get: boom, enumerable: true });
  const revoked = Proxy.revocable(new Error('x'), {});
  revoked.revoke();
  const everyTrap = new Proxy(new Error('x'), { get: boom, has: boom, ownKeys: boom, getPrototypeOf: boom });
  class OddName extends Error {
    static override readonly name = 5 as unknown as string;
  }
  class MethodName extends Error {}
  Object.defineProperty(MethodName, 'name', { value: () => 'x' });
  const LongName = { ['L'.repeat(2_000)]: class extends Error {} }['L'.repeat(2_000)]!;

  const thrown: [what: string, thrown: unknown][] = [
    ...['name', 'message', 'stack', 'code', 'cause', 'detail', 'constructor'].map(
      (key): [string, unknown] => [`a getter of ${key} that throws`, getter(key)],
    ),
    ['a proxy that throws at every turn', everyTrap],
    ['a revoked proxy', revoked.proxy],
    ['a message that is no string', Object.assign(new Error('x'), { message: { toString: boom } })],
    ['a name that is a symbol', Object.assign(new Error('x'), { name: Symbol('s') })],
    ['an object whose toString throws', { toString: boom, [Symbol.toPrimitive]: boom }],
    ['a class whose name is a number', new OddName('x')],
    ['a class whose name is a method', new MethodName('x')],
    ['a class with a name of 2,000 characters', new LongName('x')],
  ];
  for (const [what, each] of thrown) {
    it(`arrives as an error in spite of ${what}`, () => {
      expect(carry(each)).to.be.instanceOf(Error);
    });
  }

  it('keeps the readable parts when one property cannot be read', () => {
    expect(carry(getter('detail'))).to.have.property('message', 'x');
  });

  it('is read through a transparent proxy', () => {
    const error = carry(new Proxy(new RangeError('seen'), {}));
    expect(error).to.be.instanceOf(RangeError).with.property('message', 'seen');
  });
});

describe('the stack of an error that was sent', () => {
  it('has the remote frames, then the peer, then the local call', () => {
    const thrown = new RangeError('no');
    thrown.stack = 'RangeError: no\n    at remote (/there/math.ts:9:9)';
    expect((carry(thrown) as Error).stack?.split('\n')).to.deep.equal([
      'RangeError: no',
      '    at remote (/there/math.ts:9:9)',
      '    at peer "render-1" (V1StGXR8_Z5jdHi6B-myT)',
      '    at local (/app/main.ts:1:1)',
    ]);
  });

  it('has no remote frames, even in causes, when the peer hides stacks', () => {
    const thrown = new Error('a', { cause: new Error('b') });
    const error = carry(Object.assign(thrown, { errors: [new Error('c')] }), { stacks: false }) as Error;
    const frames = ['    at peer "render-1" (V1StGXR8_Z5jdHi6B-myT)', '    at local (/app/main.ts:1:1)'];
    expect(error.stack?.split('\n')).to.deep.equal(['Error: a', ...frames]);
    expect((error.cause as Error).stack?.split('\n')).to.deep.equal(['Error: b', frames[0]]);
  });

  it('does not show up in the message of a thrown non-error when the peer hides stacks', () => {
    const foreign: unknown = runInNewContext('new RangeError("x")');
    for (const thrown of [foreign, { failed: new Error('x'), retry() {} }, new Map([[1, new Error('x')]])]) {
      const described = textOf(encodeThrown(1, thrown, false));
      expect(described).not.to.match(/\bat .*:\d+:\d+/);
    }
  });

  it('ends with the peer when the local call is unknown', () => {
    const error = carry(new Error('x'), { stacks: false, site: '' }) as Error;
    expect(error.stack).to.equal('Error: x\n    at peer "render-1" (V1StGXR8_Z5jdHi6B-myT)');
  });

  it('is not enumerable, as in other errors', () => {
    expect(Object.keys(carry(new Error('x')) as Error)).to.deep.equal([]);
  });

  it('shows names from the wire escaped and cut', () => {
    const line = peerLine({ name: `a\n\u001b[31m"${'x'.repeat(300)}`, id: 'id' });
    expect(line).to.match(/^peer "a\\n\\u001b\[31m\\"x+" \(id\)$/);
    expect(line.length).to.be.below(100);
  });
});

describe('registerError', () => {
  it('may be called twice for one class', () => {
    registerError(Overdrawn);
    expect(carry(new Overdrawn('x'))).to.be.instanceOf(Overdrawn);
  });

  it('refuses a second class with one name, and accepts it under another', () => {
    const Other = { Overdrawn: class extends Error {} }.Overdrawn;
    expect(() => registerError(Other)).to.throw(Error, 'already registered as Overdrawn');
    registerError(Other, 'Overdrawn2');
    expect(carry(new Other('x'))).to.be.instanceOf(Other);
  });

  for (const name of ['Error', 'RangeError', 'NetError', 'AggregateError']) {
    it(`refuses the name of a built-in error: ${name}`, () => {
      expect(() => registerError(class extends Error {}, name)).to.throw(TypeError, 'built-in');
    });
  }

  it('refuses a class that is not an error class, and a class without a name', () => {
    for (const wrong of [Map, () => {}, null, 'Error', Array]) {
      expect(() => registerError(wrong as never)).to.throw(TypeError);
    }
    expect(() => registerError((() => class extends Error {})())).to.throw(TypeError, 'no name');
    for (const name of [5, {}, 'x'.repeat(257)])
      expect(() => registerError(Overdrawn, name as string)).to.throw(TypeError, 'give a name of 1 to 256');
  });
});
