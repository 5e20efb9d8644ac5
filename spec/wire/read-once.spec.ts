import { runInNewContext } from 'node:vm';

import { expect } from 'chai';

import { registerError } from '../../src/wire/values/error-classes.ts';
import { encodeRequest, encodeResult, encodeThrown } from '../../src/wire/codec.ts';
import { reviveThrown } from '../../src/wire/values/failure.ts';
import type { ErrorFrame, ResultFrame } from '../../src/wire/frames.ts';
import { NotSerializable } from '../../src/wire/values/not-serializable.ts';
import { fits } from '../../src/wire/outgoing.ts';
import { TooLarge } from '../../src/wire/too-large.ts';
import { receive } from '../support/codec.ts';

/** Bytes. */
const MOST = 65_536;

const carry = (value: unknown): unknown => {
  const [frame] = receive(encodeResult(1, value, false, MOST));
  return (frame as ResultFrame).value;
};
const throwAcross = (thrown: unknown, most = MOST): unknown => {
  const frame = encodeThrown(1, thrown, true, most);
  expect(fits(frame, most), 'it fits').to.equal(true);
  return reviveThrown(receive(frame)[0] as ErrorFrame, { name: 'there', id: 'x' }, '');
};
const hidden = (object: object, key: PropertyKey, value: unknown): object =>
  Object.defineProperty(object, key, { value });

describe('the checked value is the sent value', () => {
  it('without calling a `toJSON`, which is not data', () => {
    const bent = (): string => 'bent';
    expect(carry(hidden([1, 2], 'toJSON', bent))).to.deep.equal([1, 2]);
    expect(carry(Object.assign([1, 2], { toJSON: bent }))).to.deep.equal([1, 2]);
    expect(carry(hidden({ a: 1 }, 'toJSON', bent))).to.deep.equal({ a: 1 });
    expect(carry([new Date(0), hidden({ a: 1 }, 'toJSON', bent)])).to.deep.equal([new Date(0), { a: 1 }]);
    expect(() => carry({ toJSON: bent })).to.throw(NotSerializable, 'result.toJSON is a function');
  });

  it('when a getter or a proxy gives every reader something else', () => {
    let reads = 0;
    const fickle = {
      get at() {
        reads += 1;
        return reads > 1 ? new Date(0) : 1;
      },
    };
    expect(carry(fickle)).to.deep.equal({ at: 1 });
    let asked = 0;
    const proxy = new Proxy(
      { at: 1 },
      { get: (_, key) => (key === 'at' ? [1, NaN, () => {}][asked++ % 3] : undefined) },
    );
    expect(carry(proxy)).to.deep.equal({ at: 1 });
    // A value that is not plain is read anew, and the new reading is sent. The second one is NaN, the third a function.
    expect(() => carry([proxy])).to.throw(NotSerializable, 'result[0].at is a function');
  });

  it('when objects of the engine have properties that hide their kind', () => {
    const date = hidden(new Date(0), Symbol.toPrimitive, () => NaN);
    const pattern = hidden(/a/g, 'source', 'b');
    const set = hidden(new Set([1]), Symbol.iterator, function* () {
      yield 2;
    });
    const bytes = hidden(Uint8Array.of(1, 2), 'byteLength', 1);
    expect(carry([date, pattern, set, bytes])).to.deep.equal([
      new Date(0),
      /a/g,
      new Set([1]),
      Uint8Array.of(1, 2),
    ]);
  });

  for (const [what, value] of [
    ['a URL', new URL('http://a/')],
    ['a Buffer', Buffer.alloc(100)],
    ['an empty Uint8Array', new Uint8Array(0)],
    ['a Float64Array', new Float64Array(3)],
    ['a DataView', new DataView(new ArrayBuffer(1))],
    ['an ArrayBuffer', new ArrayBuffer(1)],
    ['a RegExp', /a/],
    ['a Map', new Map()],
  ] as const) {
    it(`and refuses added properties that would be lost: ${what}`, () => {
      expect(() => carry(value)).not.to.throw();
      expect(() => carry(Object.assign(value, { extra: 1 }))).to.throw(
        NotSerializable,
        'added property (extra)',
      );
    });
  }

  it('even while a getter sends something itself', () => {
    const nested = {
      get inner() {
        expect(() => carry('x'.repeat(MOST))).to.throw();
        receive(encodeRequest(5, 'inner', [{ a: 1 }], 7));
        return 1;
      },
    };
    const [frame] = receive(encodeRequest(1, 'outer', [nested], undefined));
    expect(frame).to.include({ id: 1, tag: 'outer' }).and.not.to.have.property('deadline');
  });
});

describe('a value that is too large', () => {
  const huge = 'x'.repeat(2 ** 25);
  const tree = (depth: number): unknown => {
    let node: unknown = 1;
    for (let level = 0; level < depth; level += 1) node = [node, node];
    return node;
  };
  const cases: [string, unknown][] = [
    ['text longer than the engine can write', '\u0000'.repeat(2 ** 27)],
    ['one text at many places', Array.from({ length: 100_000 }, () => huge)],
    ['one text under many keys of what is rich', { at: NaN, a: huge, b: huge }],
    ['one array at many places', tree(200)],
    ['one array at many places, with a Date in it', [new Date(), tree(200)]],
    ['a sparse array', Object.assign([], { length: 2 ** 32 - 1 })],
    [
      'many annotations below a long key',
      { ['k'.repeat(2 ** 14)]: Array.from({ length: 10_000 }, () => NaN) },
    ],
    ['bytes', new Uint8Array(2 ** 27)],
  ];
  for (const [what, value] of cases) {
    it(`is refused before it is written: ${what}`, () => {
      const before = process.cpuUsage();
      expect(() => encodeResult(1, value, true, MOST)).to.satisfy((run: () => void) => {
        try {
          run();
          return false;
        } catch (error) {
          return TooLarge.is(error) || NotSerializable.is(error);
        }
      });
      expect(() => encodeRequest(1, 'tag', [value], undefined, true, undefined, MOST)).to.throw();
      expect(process.cpuUsage(before).user / 1_000).to.be.below(500);
    });
  }

  class Oversized extends Error {
    override name = 'Oversized';
  }
  registerError(Oversized);

  it('is cut when it is thrown, and arrives as what it is', () => {
    for (const thrown of [
      new Oversized(huge),
      Object.assign(new Oversized('no'), { detail: huge, code: 'E' }),
      Object.assign(new Oversized('no'), { code: huge, list: tree(200) }),
      new Oversized('no', { cause: new Error('\u0000'.repeat(2 ** 27)) }),
      Object.assign(
        new Oversized('no'),
        Object.fromEntries(Array.from({ length: 2_000 }, (_, at) => [`p${at}`, tree(200)])),
      ),
    ]) {
      const error = throwAcross(thrown);
      expect(error).to.be.instanceOf(Oversized);
      expect((error as Error).message.slice(0, 2)).to.equal(thrown.message.slice(0, 2));
    }
    expect((throwAcross(new Oversized(huge)) as Error).message).to.contain('(cut: it was too large)');
    expect(throwAcross(huge)).to.be.instanceOf(Error).with.property('message').that.contains('too large');
  });

  it('is whole when it is thrown and fits', () => {
    const thrown = Object.assign(new Oversized('m'.repeat(10_000)), { detail: ['d'.repeat(10_000)] });
    expect(throwAcross(thrown))
      .to.include({ message: thrown.message })
      .and.deep.include({ detail: thrown.detail });
  });
});

describe('a value from another realm', () => {
  const make = (code: string): unknown => runInNewContext(code);

  it('is sent as what it is', () => {
    const value = make(
      '({ d: new Date(0), m: new Map([[1, new Set([2])]]), r: /a/g, b: new Uint8Array([1]), v: new DataView(new ArrayBuffer(1)), a: new ArrayBuffer(1), n: NaN, l: [1n] })',
    );
    expect(carry(value)).to.deep.equal({
      d: new Date(0),
      m: new Map([[1, new Set([2])]]),
      r: /a/g,
      b: Uint8Array.of(1),
      v: new DataView(new ArrayBuffer(1)),
      a: new ArrayBuffer(1),
      n: NaN,
      l: [1n],
    });
  });

  it('may be an error, which keeps its class, its cause and its errors', () => {
    const error = throwAcross(
      make('new AggregateError([new RangeError("a"), 1], "m", { cause: new TypeError("c") })'),
    ) as AggregateError;
    expect(error).to.be.instanceOf(AggregateError);
    expect(error.errors[0]).to.be.instanceOf(RangeError);
    expect(error.errors[1]).to.equal(1);
    expect(error.cause).to.be.instanceOf(TypeError);
    expect(carry(make('[new AggregateError([1], "m")]'))).to.have.nested.property('[0].errors[0]', 1);
  });

  it('may be a class of errors that is registered', () => {
    const Foreign = make('class Foreign extends RangeError {}; Foreign') as new (message: string) => Error;
    registerError(Foreign);
    expect(throwAcross(new Foreign('f'))).to.be.instanceOf(Foreign);
  });
});

describe('a hostile registered error class', () => {
  class Hostile extends Error {
    constructor() {
      super('hostile');
      if (Hostile.armed) throw new Error('the constructor was run');
    }
    static armed = false;
  }
  registerError(Hostile);
  const error = new Hostile();

  it('does not have its constructor run, and arrives as an Error when its getters throw', () => {
    Hostile.armed = true;
    expect(throwAcross(error)).to.be.instanceOf(Hostile).with.property('message', 'hostile');
    const frame = encodeThrown(1, error, true);
    Object.defineProperty(Hostile.prototype, 'name', {
      get() {
        throw new Error('name');
      },
    });
    expect(reviveThrown(receive(frame)[0] as ErrorFrame, { name: 'n', id: 'i' }, '')).to.be.instanceOf(Error);
    expect(throwAcross(new Error('x', { cause: error }))).to.have.nested.property('cause.message', 'hostile');
  });
});
