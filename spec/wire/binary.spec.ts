import { expect } from 'chai';
import * as fc from 'fast-check';

import { Arrivals, binaryKind, bytesOf, reversed, viewOf } from '../../src/wire/binary.ts';
import { bytes } from '../support/rich.ts';

const contentOf = (value: ArrayBuffer | ArrayBufferView): number[] => [...bytesOf(value)];

describe('bytes', () => {
  it('are the given memory itself, and not a copy', () => {
    const memory = new ArrayBuffer(64);
    const view = new Float64Array(memory, 16, 2);
    const sent = bytesOf(view);
    expect([sent.buffer, sent.byteOffset, sent.byteLength]).to.deep.equal([memory, 16, 16]);
    expect(bytesOf(memory).buffer).to.equal(memory);
  });

  it('become a view in place when that is possible', () => {
    const memory = new ArrayBuffer(64);
    const aligned = viewOf('Float64Array', new Uint8Array(memory, 16, 16)) as Float64Array;
    expect([aligned.buffer, aligned.byteOffset, aligned.length]).to.deep.equal([memory, 16, 2]);
    const unaligned = viewOf('Float64Array', new Uint8Array(memory, 17, 16)) as Float64Array;
    expect([unaligned.buffer === memory, unaligned.buffer.byteLength]).to.deep.equal([false, 16]);
    expect(viewOf('ArrayBuffer', new Uint8Array(memory))).to.equal(memory);
    expect((viewOf('ArrayBuffer', new Uint8Array(memory, 8, 8)) as ArrayBuffer).byteLength).to.equal(8);
    expect(viewOf('Uint8Array', new Uint8Array(memory, 3, 5))).to.include({ buffer: memory, byteOffset: 3 });
  });

  it('come back as the same kind, at any alignment', () => {
    fc.assert(
      fc.property(bytes, fc.nat(9), (value, offset) => {
        const sent = bytesOf(value);
        const arrived = new Uint8Array(sent.byteLength + offset);
        arrived.set(sent, offset);
        const back = viewOf(binaryKind(value)!, arrived.subarray(offset))!;
        expect(Object.getPrototypeOf(back)).to.equal(Object.getPrototypeOf(value));
        expect(contentOf(back)).to.deep.equal(contentOf(value));
      }),
    );
  });

  it('are reversed element by element on processors with the other byte order', () => {
    const given = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
    expect([...reversed(given, 2)]).to.deep.equal([2, 1, 4, 3, 6, 5, 8, 7]);
    expect([...reversed(given, 4)]).to.deep.equal([4, 3, 2, 1, 8, 7, 6, 5]);
    expect([...reversed(given, 8)]).to.deep.equal([8, 7, 6, 5, 4, 3, 2, 1]);
    expect([...given]).to.deep.equal([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('are copied when they came in one piece with much else, and not when they have most of its memory', () => {
    const chunk = new ArrayBuffer(65_536);
    const small = new Uint8Array(chunk, 100, 1_000);
    const large = new Uint8Array(chunk, 8, 60_000);
    const arrivals = new Arrivals(100_000);
    arrivals.add(small);
    arrivals.add(large);
    const [first, second] = arrivals.take(2);
    expect(first!.buffer.byteLength).to.equal(1_000);
    expect(second).to.equal(large);
  });

  it('wait for the frame that they belong to, and are dropped with it', () => {
    const arrivals = new Arrivals(100);
    for (let round = 0; round < 10; round += 1) {
      arrivals.add(new Uint8Array(60));
      arrivals.add(new Uint8Array(20));
      arrivals.begin('{}');
      expect(arrivals.take(1)).to.have.length(1);
      expect(arrivals.take(1)).to.have.length(1);
      arrivals.end();
    }
  });
});
