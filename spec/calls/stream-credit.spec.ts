import { expect } from 'chai';
import * as fc from 'fast-check';

import type { Link } from '../../src/connection/link/link.ts';
import { StreamReader } from '../../src/calls/streams/stream-reader.ts';
import { StreamSource } from '../../src/calls/streams/stream-source.ts';
import { StreamWriter } from '../../src/calls/streams/stream-writer.ts';
import { WINDOW } from '../../src/calls/streams/stream-reader.ts';
import { FIRST_BYTES, FIRST_CREDIT } from '../../src/wire/frames.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A stream whose values are their own sizes, over a wire that delivers when it is told to. */
class Crossing {
  /** Sizes sent and not yet read, wherever they are. */
  readonly unread: number[] = [];
  /** Most values, and most bytes without the last value, that were unread at a time. */
  most = { values: 0, bytes: 0 };
  /** Frames of credit. */
  credits = 0;
  refused = false;
  arrived = 0;
  read = 0;
  ended = false;
  readonly reader: StreamReader;
  readonly #wire: (() => void)[] = [];
  readonly #writer: StreamWriter;

  constructor(sizes: readonly number[]) {
    this.reader = new StreamReader({
      credit: (values, bytes) => {
        this.credits += 1;
        this.#wire.push(() => this.#writer.credit(values, bytes));
      },
      cancel: () => {},
      waiting: () => {},
    });
    async function* source(): AsyncGenerator<number> {
      yield* sizes;
    }
    const link = { socket: { bufferedAmount: 0 } } as unknown as Link;
    this.#writer = new StreamWriter(link, new StreamSource(source()), {
      next: (value) => this.#send(value as number),
      complete: () => void this.#wire.push(() => this.reader.complete(undefined)),
      failed: () => expect.fail('the source does not fail'),
      refused: (error) => expect.fail(String(error)),
      run: (step) => step(),
      ended: () => {},
    });
    this.#writer.start();
  }

  /** Values that can be read without waiting. */
  get readable(): number {
    return this.arrived - this.read;
  }

  /** Brings what is on its way, in both directions, and lets everybody act on it. */
  async deliver(): Promise<void> {
    await turn();
    for (const arrive of this.#wire.splice(0)) arrive();
    await turn();
  }

  async readOne(): Promise<void> {
    const { done } = await this.reader.next();
    if (done) {
      this.ended = true;
      return;
    }
    this.read += 1;
    this.unread.shift();
  }

  /** Everything is read; the end may wait for the credit of the last value, and then has to cross the wire itself. */
  async finish(): Promise<void> {
    const end = this.readOne();
    for (let n = 0; n < 3; n += 1) await this.deliver();
    expect(this.ended).to.equal(true);
    await end;
  }

  #send(size: number): number {
    const bytes = this.unread.reduce((sum, each) => sum + each, 0);
    this.unread.push(size);
    this.most = {
      values: Math.max(this.most.values, this.unread.length),
      bytes: Math.max(this.most.bytes, bytes),
    };
    this.#wire.push(() => {
      this.arrived += 1;
      if (!this.reader.push(size, size)) this.refused = true;
    });
    return size;
  }
}

const size = fc.oneof(
  fc.integer({ min: 20, max: 200 }),
  fc.integer({ min: 20, max: 2 * FIRST_BYTES }),
  fc.constantFrom(FIRST_BYTES - 1, FIRST_BYTES, FIRST_BYTES + 1, FIRST_BYTES / 2, 16 * FIRST_BYTES),
);

describe('the credit of a stream', () => {
  it('never lets more than the windows be unread, and never stops a stream that is read', async () => {
    const sizes = fc.array(size, { maxLength: 80 });
    // How many are read between two deliveries.
    const reads = fc.array(fc.nat({ max: 40 }), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(sizes, reads, async (values, pattern) => {
        const crossing = new Crossing(values);
        for (let round = 0; !crossing.ended; round += 1) {
          await crossing.deliver();
          // One read at least in each turn of the pattern, or nothing would ever have to happen.
          const count = Math.max(pattern[round % pattern.length]!, round % pattern.length === 0 ? 1 : 0);
          const { readable } = crossing;
          for (let n = 0; n < Math.min(count, readable); n += 1) await crossing.readOne();
          if (crossing.read === values.length) {
            await crossing.finish();
          } else if (crossing.unread.length === 0) {
            // Everything that was sent is read, so the next value must come.
            await crossing.deliver();
            expect(crossing.unread.length).to.be.above(0);
          }
        }
        expect(crossing.read).to.equal(values.length);
        expect(crossing.refused).to.equal(false);
        expect(crossing.most.values).to.be.at.most(FIRST_CREDIT);
        expect(crossing.most.bytes).to.be.below(WINDOW);
      }),
      { numRuns: 100 },
    );
  }).timeout(120_000);

  it('holds at most the first window and one value of a stream that nobody reads', async () => {
    const large = new Crossing(Array.from({ length: 40 }, () => 8_000_000));
    const small = new Crossing(Array.from({ length: 40 }, () => 100_000));
    for (let n = 0; n < 10; n += 1) {
      await large.deliver();
      await small.deliver();
    }
    expect(large.unread).to.have.length(1);
    expect(small.unread).to.have.length(11);
  });

  it('is given back in few frames', async () => {
    const crossing = new Crossing(Array.from({ length: 1_000 }, () => 100));
    while (!crossing.ended) {
      await crossing.deliver();
      while (crossing.readable > 0) await crossing.readOne();
      if (crossing.read === 1_000) {
        await crossing.finish();
      }
    }
    expect(crossing.credits).to.be.at.most(1_000 / (FIRST_CREDIT / 2));
  });

  it('is enforced against a sender that uses more than it has', () => {
    const reader = new StreamReader({ credit: () => {}, cancel: () => {}, waiting: () => {} });
    expect(reader.push('large', FIRST_BYTES)).to.equal(true);
    expect(reader.push('one more', 10)).to.equal(false);
  });
});
