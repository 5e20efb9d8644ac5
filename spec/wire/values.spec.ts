import { deepStrictEqual } from 'node:assert/strict';
import { inspect } from 'node:util';

import { expect } from 'chai';
import * as fc from 'fast-check';

import { encodeThrown, encodeRequest, encodeResult } from '../../src/wire/codec.ts';
import { reviveThrown } from '../../src/wire/values/failure.ts';
import type { ErrorFrame, RequestFrame, ResultFrame } from '../../src/wire/frames.ts';
import { plainText } from '../../src/wire/values/plain.ts';
import { receive, textOf } from '../support/codec.ts';
import { rich } from '../support/rich.ts';

const isPlain = (value: unknown): boolean => plainText(value) !== undefined;

const whole = { depth: Infinity, maxArrayLength: null, maxStringLength: null, breakLength: Infinity };

/** Deeply, with prototypes, -0 and NaN; and as they are shown, since URLs and views are all alike to `deepStrictEqual`. */
function expectSame(actual: unknown, expected: unknown): void {
  deepStrictEqual(actual, expected);
  expect(inspect(actual, whole)).to.equal(inspect(expected, whole));
}

describe('any value', function () {
  // Some seconds of honest work; more where other work shares the machine.
  this.timeout(120_000);

  // It is shown with the whole of its memory otherwise, of which it is only a part.
  const { prototype } = DataView as { prototype: DataView & { [inspect.custom]?: () => string } };
  before(() => {
    prototype[inspect.custom] = function show(this: DataView): string {
      return `DataView ${Buffer.from(this.buffer, this.byteOffset, this.byteLength).toString('hex')}`;
    };
  });
  after(() => {
    delete prototype[inspect.custom];
  });

  it('returns unchanged as an argument and as a result', () => {
    let unplain = 0;
    fc.assert(
      fc.property(rich, (value) => {
        if (plainText(value) === undefined) unplain += 1;
        const [result] = receive(encodeResult(1, value)) as [ResultFrame];
        expectSame(result.value, value);
        const [request] = receive(encodeRequest(1, 'tag', [1, value], 5)) as [RequestFrame];
        expectSame(request.args, [1, value]);
      }),
      { numRuns: 1_500 },
    );
    expect(unplain).to.be.above(500);
  });

  it('returns unchanged when it is thrown, a property of a thrown error, or its cause', () => {
    fc.assert(
      fc.property(
        rich.filter((value) => value !== undefined && !(value instanceof Error)),
        (value) => {
          const carry = (thrown: unknown): unknown => {
            const [frame] = receive(encodeThrown(1, thrown, false));
            return reviveThrown(frame as ErrorFrame, { name: 'n', id: 'i' }, '');
          };
          deepStrictEqual(carry(value), value);
          const error = carry(Object.assign(new Error('x', { cause: value }), { detail: value })) as Error & {
            detail: unknown;
          };
          deepStrictEqual([error.cause, error.detail], [value, value]);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('is written as plain JSON, without any meta, when JSON can express it', () => {
    const plain = fc.jsonValue().filter((value) => isPlain(value));
    fc.assert(
      fc.property(plain, (value) => {
        const text = JSON.stringify(value);
        expect(textOf(encodeResult(1, value))).to.equal(`{"type":"result","id":1,"value":${text}}`);
        expect(textOf(encodeRequest(1, 't', [value], undefined))).to.equal(
          `{"type":"request","id":1,"tag":"t","args":[${text}],"kwargs":{}}`,
        );
      }),
      { numRuns: 1_000 },
    );
  });
});
