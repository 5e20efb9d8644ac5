import { expect } from 'chai';
import { SimulatedClock } from 'xstate';

import { HintTags } from '../../src/providers/hint-tags.ts';
import { MdnsProvider } from '../../src/providers/mdns/mdns.ts';
import { writeResponse } from '../../src/providers/mdns/packet.ts';
import { ownRecords } from '../../src/providers/mdns/records.ts';
import type { OwnRecords } from '../../src/providers/mdns/records.ts';
import { hintsOf } from '../../src/providers/peer-list.ts';
import { ToldProvider } from '../../src/providers/told.ts';
import { deriveKeys, makeSecret } from '../../src/wire/secret.ts';
import { receive } from '../support/codec.ts';
import { liesOf } from '../support/multicast-lies.ts';
import { elapse, interfaceOf, Segment } from '../support/multicast.ts';
import { seeded } from '../support/random.ts';

const SEED = Number(process.env['FUZZ_SEED'] ?? Date.now() % 1e9);

/** Packets, and lists. */
const CASES = 20_000;
const LISTS = 10_000;

/** The longest that one packet or list may keep the event loop, in ms of processor time: other work must not count. */
const LONGEST = 200;

/** Bytes that may be kept of all of it: 1,024 endpoints of each kind and what they say. */
const MOST_KEPT = 64 * 2 ** 20;

describe(`hostile multicast (FUZZ_SEED=${SEED})`, function () {
  this.timeout(120_000);
  let tags: HintTags;
  before(async () => {
    tags = new HintTags((await deriveKeys(makeSecret())).hints!);
  });

  /** How long the longest of them took, in ms of processor time. */
  function longestOf(count: number, work: (index: number) => void): number {
    let longest = 0;
    for (let index = 0; index < count; index += 1) {
      const began = process.cpuUsage();
      work(index);
      const { user, system } = process.cpuUsage(began);
      longest = Math.max(longest, (user + system) / 1_000);
    }
    return longest;
  }

  it('ends, fills and delays no peer; honest peers are found, and answer questions', async () => {
    const random = seeded(SEED);
    const clock = new SimulatedClock();
    const segment = new Segment(clock);
    const honest = (life: number): OwnRecords =>
      ownRecords({ id: 'honest', incarnation: `honest-${life}` }, 4000, ['10.0.0.2', 'fd00::2'], tags);
    const victim = ownRecords({ id: 'victim', incarnation: 'victim-1' }, 1, ['10.0.0.1'], tags);
    const provider = new MdnsProvider({
      host: '::',
      clock,
      random,
      interfaces: () => ({ eth0: interfaceOf('10.0.0.1/24', 'fd00::1/64') }),
      open: segment.open,
    });
    const addresses = [{ host: '10.0.0.1', port: 1 }];
    const found = new Map<string, string>();
    await provider.start(
      { id: 'victim', incarnation: 'victim-1', addresses, world: () => '', tags },
      {
        found: ({ id, incarnation, isAnybodys }) => found.set(id, isAnybodys ? 'perhaps' : incarnation),
        lost: (id) => found.delete(id),
        scanned: () => {},
        degraded: () => {},
      },
    );
    await elapse(clock, 500);
    const before = process.memoryUsage().rss;
    let life = 0;
    let lies = liesOf(random, [honest(0), victim]);
    for (let round = 0; round < 20; round += 1) {
      const longest = longestOf(CASES / 20, () => {
        const from = {
          address: `10.0.0.${3 + Math.floor(random() * 200)}`,
          port: random() < 0.9 ? 5353 : 40_000,
        };
        segment.say(lies[Math.floor(random() * lies.length)]!(), from);
      });
      expect(longest).to.be.below(LONGEST);
      // In the midst of it a new life of the honest peer begins.
      life += 1;
      segment.say(writeResponse([honest(life).description]), { address: '10.0.0.2', port: 5353 });
      expect(found.get('honest'), `round ${round}`).to.equal(`honest-${life}`);
      expect(found.size).to.be.below(2_100);
      lies = liesOf(random, [honest(life), victim]);
      segment.sent.length = 0;
      await elapse(clock, 1_000);
    }
    // Every question is answered once the flood is over.
    await elapse(clock, 3_000);
    const since = segment.sent.length;
    const looking = new MdnsProvider({
      host: '::',
      clock,
      random,
      interfaces: () => ({ eth0: interfaceOf('10.0.0.9/24') }),
      open: segment.open,
    });
    let isSeen = false;
    await looking.start(
      { id: 'looking', incarnation: 'l', addresses: [], world: () => '', tags },
      {
        found: ({ id, isAnybodys }) => (isSeen ||= id === 'victim' && !isAnybodys),
        lost: () => {},
        scanned: () => {},
        degraded: () => {},
      },
    );
    await elapse(clock, 1_500);
    expect(segment.sent.length).to.be.above(since);
    expect(isSeen).to.equal(true);
    expect(process.memoryUsage().rss - before).to.be.below(MOST_KEPT * 3);
    await Promise.all([provider.stop(), looking.stop()]);
  });

  it('is no worse when peers pass it on in told lists', async () => {
    const random = seeded(SEED + 1);
    const below = (most: number): number => Math.floor(random() * most);
    const pick = <Item>(list: readonly Item[]): Item => list[below(list.length)]!;
    const provider = new ToldProvider(new SimulatedClock(), () => true);
    const found = new Map<string, string>();
    let dropped = 0;
    await provider.start(
      { tags },
      {
        found: ({ id, incarnation, isAnybodys }) => found.set(id, isAnybodys ? 'perhaps' : incarnation),
        lost: (id) => found.delete(id),
        dropped: (lies) => lies.forEach(({ count }) => (dropped += count)),
        scanned: () => {},
        degraded: () => {},
      },
    );
    const right = tags.sign({ id: 'honest', incarnation: 'h1' }, { host: '10.0.0.2', port: 4000 });
    const odd: readonly unknown[] = [
      ...[undefined, null, 0, -1, 1e9, true, '', 'x'.repeat(300), [], {}, '\u0000', '__proto__', 'evil.test'],
      ...[
        '127.0.0.1',
        '::ffff:127.0.0.1',
        '10.0.0.66',
        'fe80::1%eth0',
        right.tag,
        `${right.tag}=`,
        right.tag.slice(1),
      ],
    ];
    const address = (): unknown =>
      pick([
        () => ({ ...right }),
        () => ({ host: '10.0.0.66', port: 1 + below(65_535) }),
        () => ({ host: `10.0.0.${below(300)}`, port: below(70_000), tag: right.tag }),
        () => ({ host: pick(odd), port: pick(odd), tag: pick(odd) }),
        () => pick(odd),
      ])();
    const peer = (): unknown =>
      pick([
        () => ({ id: 'honest', incarnation: 'h1', addresses: [right] }),
        () => ({ id: 'honest', incarnation: 'lie', addresses: [{ host: '10.0.0.66', port: 1 }] }),
        () => ({
          id: `x${below(1e6)}`,
          incarnation: 'i',
          addresses: Array.from({ length: below(18) }, address),
        }),
        () => ({ id: pick(odd), incarnation: pick(odd), addresses: pick([odd, [address()], pick(odd)]) }),
        () => pick(odd),
      ])();
    provider.tell(hintsOf([{ id: 'honest', incarnation: 'h1', addresses: [right] }], 'lan'));
    const longest = longestOf(LISTS, (index) => {
      // Now and then as long as a frame may be.
      const peers = Array.from({ length: index % 500 === 0 ? 1_024 : below(4) }, peer);
      const text = JSON.stringify({ type: 'peers', peers });
      let frames: ReturnType<typeof receive> = [];
      try {
        frames = receive(text);
      } catch {
        // The connection ends, and nothing else.
        return;
      }
      for (const frame of frames) {
        if (frame.type === 'peers')
          provider.tell(hintsOf(frame.peers, pick(['host', 'lan', 'wan'] as const)));
      }
    });
    expect(longest).to.be.below(LONGEST);
    expect(dropped).to.be.above(0);
    expect(found.size).to.be.within(2, 1_024);
    // A hint that comes by itself still gets through, regardless of the lies before it.
    provider.tell(hintsOf([{ id: 'honest', incarnation: 'h1', addresses: [right] }], 'lan'));
    expect(found.get('honest')).to.equal('h1');
    // 1,024 peers with 16 wrong tags each.
    const lies = Array.from({ length: 1_024 }, (_, index) => ({
      ...{ id: `z${index}`, incarnation: 'i' },
      addresses: Array.from({ length: 16 }, (__, at) => ({
        host: `10.0.0.${at + 3}`,
        port: 1,
        tag: right.tag,
      })),
    }));
    expect(longestOf(1, () => provider.tell(hintsOf(lies, 'lan')))).to.be.below(LONGEST);
  });
});
