import { expect } from 'chai';

import { flushAtEnd, hasToWait } from '../../src/connection/link/tick.ts';

/** Sends frames as a `Link` does, and counts how often it writes. */
class FakeLink {
  writes = 0;
  #waiting = 0;

  send(): void {
    if (hasToWait(this)) {
      if (this.#waiting === 0) flushAtEnd(this);
      this.#waiting += 1;
    } else {
      this.writes += 1;
    }
  }

  flush(): void {
    expect(this.#waiting, 'frames that are flushed').to.be.above(0);
    this.#waiting = 0;
    this.writes += 1;
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve));
const tick = () => new Promise<void>((resolve) => process.nextTick(resolve));

/** The time of these specs, in ms. It stands still but for `work()`, so that they do the same on a slow machine. */
let now = 0;

/** Keeps the event loop busy, as far as the clock says. */
function work(milliseconds: number): void {
  now += milliseconds;
}

describe('frames that wait', () => {
  const realNow = performance.now;
  before(() => {
    performance.now = () => now;
  });
  after(() => {
    performance.now = realNow;
  });

  let links: FakeLink[];
  const writes = () => links.reduce((sum, link) => sum + link.writes, 0);
  /** How many writes this takes, until the end of the turn. */
  const counted = async (send: () => Promise<void> | void): Promise<number> => {
    const before = writes();
    await send();
    await turn();
    await turn();
    return writes() - before;
  };
  /** The fewest writes that this takes, in many turns. Where the processor is taken away in a turn, there are more. */
  const fewest = async (wanted: number, send: () => Promise<void> | void): Promise<number> => {
    let least = Infinity;
    for (let i = 0; i < 2_000 && least > wanted; i += 1) least = Math.min(least, await counted(send));
    return least;
  };
  /** One frame to each link, each in a tick of its own, as answers arrive; and so on, as often as wanted. */
  const around = async (times: number): Promise<void> => {
    for (let time = 0; time < times; time += 1) {
      for (const link of links) {
        link.send();
        await tick();
      }
    }
  };
  /** One frame in a turn, until there is little to send. The limit of attempts in vain is on the way. */
  const calm = async (): Promise<void> => {
    for (let i = 0; i < 200; i += 1) await counted(() => links[0]!.send());
  };
  /** Much to send, until frames wait for the turn. */
  const busy = async (): Promise<void> => {
    expect(await fewest(links.length, () => around(2))).to.equal(links.length);
  };

  beforeEach(async () => {
    links = Array.from({ length: 32 }, () => new FakeLink());
    await calm();
  });
  after(calm);

  it('do not exist where one frame is sent at a time', async () => {
    for (const link of [links[0]!, links[0]!, links[1]!, links[2]!]) {
      link.send();
      expect(link.writes).to.be.above(0);
      const before = writes();
      await turn();
      expect(writes()).to.equal(before);
    }
  });

  it('are written at the end of their tick, when there is little to send', async () => {
    const [link] = links as [FakeLink];
    const before = link.writes;
    for (let i = 0; i < 3; i += 1) link.send();
    expect(link.writes, 'the first one').to.equal(before + 1);
    await tick();
    expect(link.writes, 'the others, together').to.equal(before + 2);
  });

  it('are written at the end of the turn, when there is much to send on many links', async () => {
    // Frames in ticks of their own: 64 at first, and then 160.
    expect(await fewest(32, () => around(2))).to.equal(32);
    expect(await fewest(32, () => around(5))).to.equal(32);
  });

  it('are written at the end of the turn, when there is much to send on one link', async () => {
    links = links.slice(0, 1);
    const burst = async (): Promise<void> => {
      for (let i = 0; i < 4; i += 1) {
        links[0]!.send();
        links[0]!.send();
        await tick();
      }
    };
    expect(await fewest(1, burst)).to.equal(1);
  });

  /** Sends one frame, at the beginning of a turn. Whether it waits. */
  const waits = (): boolean => {
    const before = links[0]!.writes;
    links[0]!.send();
    return links[0]!.writes === before;
  };

  it('no longer wait for the turn once it saves nothing', async () => {
    await busy();
    // The window that is under way, and a whole one.
    for (let i = 0; i < 2 * 64; i += 1) await counted(() => links[0]!.send());
    expect(waits()).to.equal(false);
    await turn();
  });

  it('are not kept for a turn that goes on for long', async () => {
    // Where the processor is often taken away, frames may leave with their tick before they are looked at.
    do {
      await turn();
      await busy();
    } while (!waits());
    await tick();
    const before = writes();
    work(2);
    links[1]!.send();
    await tick();
    expect(writes()).to.equal(before + 2);
    await turn();
  });

  it('no longer wait for turns that have other work in them', async () => {
    await busy();
    let left = 200;
    while (waits()) {
      left -= 1;
      expect(left, 'long turns').to.be.above(0);
      await around(2);
      // Somebody else's work, after the last frame of this turn.
      work(3);
      await turn();
      await turn();
    }
    await turn();
  });
});
