import { expect } from 'chai';
import { SimulatedClock } from 'xstate';

import { HintTags } from '../../src/providers/hint-tags.ts';
import { MdnsProvider } from '../../src/providers/mdns/mdns.ts';
import { writeResponse } from '../../src/providers/mdns/packet.ts';
import { ownRecords } from '../../src/providers/mdns/records.ts';
import type { OwnRecords } from '../../src/providers/mdns/records.ts';
import type { HintedAddress } from '../../src/providers/hint.ts';
import type { Link } from '../../src/connection/link/link.ts';
import { FunctionLists } from '../../src/presence/exchange/function-lists.ts';
import { Intake } from '../../src/presence/exchange/intake.ts';
import type { Scope } from '../../src/transport/scope.ts';
import { BadFrame } from '../../src/wire/bad-frame.ts';
import type { PresenceFrame } from '../../src/wire/presence-frames.ts';
import { deriveKeys, makeSecret } from '../../src/wire/handshake/secret.ts';
import { receive } from '../support/codec.ts';
import { liesOf } from '../support/multicast-lies.ts';
import { elapse, interfaceOf, Segment } from '../support/multicast.ts';
import { seeded } from '../support/random.ts';

const SEED = Number(process.env['FUZZ_SEED'] ?? Date.now() % 1e9);

/** Packets, and frames of peers. */
const CASES = 20_000;
const LISTS = 10_000;

/** The longest that one packet or frame may keep the event loop, in ms of processor time: other work must not count. */
const LONGEST = 200;

/** Bytes that may be kept of all of it: 1,024 endpoints of each kind and what they say. */
const MOST_KEPT = 64 * 2 ** 20;

/** No linked peer has told its functions. */
const NOBODY = { of: () => undefined, find: () => {} };

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

  it('is no worse when peers pass it on as word of who is present', async () => {
    const random = seeded(SEED + 1);
    const below = (most: number): number => Math.floor(random() * most);
    const pick = <Item>(list: readonly Item[]): Item => list[below(list.length)]!;
    let dropped = 0;
    let breaches = 0;
    const lists = new FunctionLists();
    const functions = lists.keep(['a']);
    const reader = { tags, reachable: () => true, dropped: () => (dropped += 1) };
    const intake = new Intake(lists, reader, NOBODY);
    const linkFrom = (scope: Scope) => {
      const asked: string[] = [];
      const breach = () => (breaches += 1);
      const link = { socket: { scope }, send: (text: string) => asked.push(text), breach };
      return { link: link as unknown as Link, asked };
    };
    const links = (['host', 'lan', 'wan'] as const).map(linkFrom);
    const right = tags.sign({ id: 'honest', incarnation: 'h1' }, { host: '10.0.0.2', port: 4000 });
    const about = { name: 'n', group: 'main', hub: false, pid: 7, host: 'h', functions };
    const honest = { id: 'honest', incarnation: 'h1', started: 1, version: 1, addresses: [right], ...about };
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
        () => ({ host: `10.0.0.${below(300)}`, port: 1 + below(65_535), tag: right.tag }),
        () => ({ host: pick(odd), port: pick(odd), tag: pick(odd) }),
      ])();
    const member = (): unknown =>
      pick([
        () => honest,
        () => ({ ...honest, incarnation: 'lie', addresses: [{ ...right, host: '10.0.0.66' }] }),
        () => ({ ...honest, id: `x${below(1e6)}`, addresses: [{ host: `10.0.0.${below(256)}`, port: 1 }] }),
        () => ({ ...honest, id: `x${below(1e6)}`, addresses: Array.from({ length: below(17) }, address) }),
        () => ({ ...honest, [pick(Object.keys(honest))]: pick(odd) }),
        () => pick(odd),
      ])();
    const text = (): unknown => pick([functions, 'unknown', `l${below(50)}`, pick(odd)]);
    const words = (): unknown => Array.from({ length: below(4) }, text);
    const frame = (index: number): object =>
      pick([
        // Now and then as long as a frame may be.
        () => ({
          type: 'joined',
          members: Array.from({ length: index % 500 === 0 ? 1_024 : below(4) }, member),
        }),
        () => ({ type: 'left', peer: member(), why: pick(['lost', 'stopped', pick(odd)]) }),
        () => ({
          type: pick(['accused', 'have']),
          peer: member(),
          by: pick(['b', pick(odd)]),
          turn: below(9),
        }),
        () => ({ type: 'summary', fingerprints: words(), more: pick([undefined, true, pick(odd)]) }),
        () => ({ type: 'difference', offered: words(), wanted: words() }),
        () => ({ type: pick(['offered', 'wanted']), fingerprints: words() }),
        () => ({ type: 'lists', digests: words() }),
        () => ({ type: 'list', digest: text(), tags: words(), more: pick([undefined, true]) }),
      ])();
    let through = 0;
    const tell = ({ link, asked }: ReturnType<typeof linkFrom>, sent: object): void => {
      let frames: ReturnType<typeof receive> = [];
      try {
        frames = receive(JSON.stringify(sent));
      } catch (error) {
        // The connection ends, and nothing else.
        if (!(error instanceof BadFrame)) throw error;
      }
      for (const each of frames) {
        for (const known of intake.take(link, each as PresenceFrame)) {
          through += 1;
          if (known.type !== 'joined') continue;
          for (const { id, incarnation, addresses } of known.members) {
            for (const { tag, ...where } of addresses as readonly HintedAddress[])
              if (tag !== undefined)
                expect(tags.isRight({ id, incarnation }, { ...where, tag })).to.equal(true);
          }
        }
      }
      asked.length = 0;
    };
    const longest = longestOf(LISTS, (index) => {
      tell(pick(links), frame(index));
      // The connection may be another one afterwards.
      if (index % 100 === 0) intake.closed(pick(links).link);
    });
    expect(longest).to.be.below(LONGEST);
    expect(dropped).to.be.above(0);
    expect(through).to.be.above(LISTS / 50);
    expect(breaches).to.equal(0);

    // An honest peer still gets through, regardless of the lies before it.
    const { link } = linkFrom('lan');
    const took = intake.take(link, { type: 'joined', members: [honest] });
    expect(took).to.have.length(1);
    expect(took[0]).to.deep.include({ type: 'joined' });
    expect((took[0] as { members: readonly object[] }).members[0]).to.deep.include({
      ...{ id: 'honest', incarnation: 'h1' },
      addresses: [right],
    });

    // 1,024 peers with 16 wrong tags each: each is dropped at its first wrong tag, and counted.
    const members = Array.from({ length: 1_024 }, (_, index) => ({
      ...honest,
      ...{ id: `z${index}`, incarnation: 'i' },
      addresses: Array.from({ length: 16 }, (__, at) => ({ ...right, host: `10.0.0.${at + 3}`, port: 1 })),
    }));
    dropped = 0;
    expect(longestOf(1, () => intake.take(link, { type: 'joined', members }))).to.be.below(LONGEST);
    expect(dropped).to.equal(1_024);
  });

  it('ends the connection of a peer that tells without end and never of functions', () => {
    const breaches: string[] = [];
    const reader = { tags, reachable: () => true, dropped: () => {} };
    const intake = new Intake(new FunctionLists(), reader, NOBODY);
    const from = (): Link =>
      ({
        socket: { scope: 'lan' },
        send: () => {},
        breach: (reason: string) => breaches.push(reason),
      }) as unknown as Link;
    const stranger = {
      ...{ id: 'x', incarnation: 'i', started: 1, version: 1, addresses: [], functions: 'nobody-has-it' },
      ...{ name: 'n', group: 'main', hub: false, pid: 7, host: 'h' },
    };
    const silent = from();
    const joined: PresenceFrame = { type: 'joined', members: [stranger] };
    expect(intake.take(silent, joined)).to.deep.equal([]);
    for (let frame = 1; frame <= 4_096; frame += 1) intake.take(silent, { type: 'digest', digest: 'd' });
    expect(breaches).to.deep.equal(['it tells of peers, and not of their functions']);

    const endless = from();
    const fingerprints = Array.from({ length: 1_024 }, () => 'f');
    for (let frame = 0; frame <= 64; frame += 1)
      intake.take(endless, { type: 'summary', fingerprints, more: true });
    expect(breaches.slice(1)).to.deep.equal(['its summary is too long']);

    const full = from();
    intake.take(full, joined);
    const many = Array.from({ length: 20_000 }, (_, index) => `${index}`);
    for (let frame = 0; breaches.length === 2 && frame < 100; frame += 1)
      intake.take(full, { type: 'list', digest: 'nobody-has-it', tags: many, more: true });
    expect(breaches.slice(2)).to.deep.equal(['it tells of a peer with too many functions']);
  });
});
