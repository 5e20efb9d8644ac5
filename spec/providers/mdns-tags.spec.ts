import { expect } from 'chai';
import { SimulatedClock } from 'xstate';

import { HintTags } from '../../src/providers/hint-tags.ts';
import { MdnsProvider } from '../../src/providers/mdns/mdns.ts';
import { writeGoodbye, writeQuery, writeResponse } from '../../src/providers/mdns/packet.ts';
import type { Resource } from '../../src/providers/mdns/packet.ts';
import { ownRecords, SERVICE } from '../../src/providers/mdns/records.ts';
import type { OwnRecords } from '../../src/providers/mdns/records.ts';
import type { Hint } from '../../src/providers/hint.ts';
import { deriveKeys, makeSecret } from '../../src/wire/handshake/secret.ts';
import { elapse, interfaceOf, Segment } from '../support/multicast.ts';

const liar = { address: '10.0.0.66', port: 5353 };
const honest = { address: '10.0.0.2', port: 5353 };

const all = ({ pointer, location, description, addresses }: OwnRecords): Resource[] => [
  pointer,
  location,
  description,
  ...addresses,
];

describe('the LAN provider with tags on its hints', () => {
  let clock: SimulatedClock;
  let segment: Segment;
  let provider: MdnsProvider;
  let tags: HintTags;
  let otherTags: HintTags;
  /** The present hints, by id. */
  let hints: Map<string, Hint>;
  let heard: string[];
  let dropped: Map<string, number>;
  let b: OwnRecords;

  before(async () => {
    tags = new HintTags((await deriveKeys(makeSecret())).hints!);
    otherTags = new HintTags((await deriveKeys(makeSecret())).hints!);
  });

  beforeEach(async () => {
    clock = new SimulatedClock();
    segment = new Segment(clock);
    hints = new Map();
    heard = [];
    dropped = new Map();
    b = ownRecords({ id: 'b', incarnation: 'b-1' }, 4000, ['10.0.0.2', 'fe80::2'], tags);
    provider = new MdnsProvider({
      host: '::',
      clock,
      random: () => 0.5,
      interfaces: () => ({ eth0: interfaceOf('10.0.0.1/24') }),
      open: segment.open,
    });
    const self = {
      id: 'a',
      incarnation: 'a-1',
      addresses: [{ host: '10.0.0.1', port: 1 }],
      world: () => '',
      tags,
    };
    await provider.start(self, {
      found: (hint) => {
        hints.set(hint.id, hint);
        heard.push(`found ${hint.id} ${hint.incarnation}${hint.isAnybodys ? ' perhaps' : ''}`);
      },
      lost: (id) => {
        hints.delete(id);
        heard.push(`lost ${id}`);
      },
      scanned: () => {},
      degraded: () => {},
      dropped: (lies) => {
        for (const [id, { count }] of lies) dropped.set(id, (dropped.get(id) ?? 0) + count);
      },
    });
    await elapse(clock, 500);
  });
  afterEach(() => provider.stop());

  const say = (...records: Resource[]): void => segment.say(writeResponse(records), liar);
  const where = (id: string): string[] => hints.get(id)?.addresses.map(({ host }) => host) ?? [];

  it('sends its own tags, and accepts hints with the tags of others', () => {
    const said = segment.sent.flatMap(({ packet }) => [...packet.answers, ...packet.additionals]);
    const strings = said.flatMap(({ type, data }) => (type === 'TXT' ? data : []));
    expect(strings.filter((each) => each.startsWith('at'))).to.include(
      `at1=10.0.0.1:1,${tags.sign({ id: 'a', incarnation: 'a-1' }, { host: '10.0.0.1', port: 1 }).tag}`,
    );
    segment.say(writeResponse(all(b)), honest);
    const address = tags.sign({ id: 'b', incarnation: 'b-1' }, { host: '10.0.0.2', port: 4000 });
    expect(hints.get('b')).to.deep.equal({ id: 'b', incarnation: 'b-1', addresses: [address] });
  });

  it('drops a hint with a wrong tag without reading the rest, and counts it', async () => {
    const lies = ownRecords({ id: 'b', incarnation: 'lie' }, 4000, ['10.0.0.66'], otherTags);
    for (let count = 0; count < 5_000; count += 1) say(...all(lies));
    expect(heard).to.deep.equal([]);
    await elapse(clock, 1_000);
    expect([...dropped]).to.deep.equal([['b', 5_000]]);
    // They have taken the room of nobody: one without tags is still heard.
    say(...all(ownRecords({ id: 'c', incarnation: 'c-1' }, 4000, ['10.0.0.66'])));
    expect(heard).to.deep.equal(['found c c-1 perhaps']);
  });

  it('accepts a valid tag during any flood, and from any sender', () => {
    for (let count = 0; count < 20_000; count += 1) {
      say(...all(ownRecords({ id: `x${count}`, incarnation: `y${count}` }, 4000, ['10.0.0.66'])));
    }
    expect(heard.every((each) => each.endsWith('perhaps'))).to.equal(true);
    segment.say(writeResponse(all(b)), liar);
    expect(heard.at(-1)).to.equal('found b b-1');
  }).timeout(120_000);

  it('prefers a tagged hint to untagged ones, before and after', () => {
    const lie = ownRecords({ id: 'b', incarnation: 'lie' }, 4000, ['10.0.0.66']);
    say(...all(lie));
    expect(where('b')).to.deep.equal(['10.0.0.66']);
    segment.say(writeResponse(all(b)), honest);
    expect(where('b')).to.deep.equal(['10.0.0.2']);
    say(...all(ownRecords({ id: 'b', incarnation: 'lie-2' }, 4000, ['10.0.0.66'])));
    expect(heard).to.deep.equal(['found b lie perhaps', 'found b b-1']);
  });

  it('lets nobody alter or withdraw a tagged hint: not with other records of its name, nor with a time to live of 0', async () => {
    segment.say(writeResponse(all(b)), honest);
    const { location, description, addresses, pointer } = b;
    for (let second = 0; second < 5; second += 1) {
      say({ ...(location as Resource & { type: 'SRV' }), data: { port: 9, target: 'evil.local' } });
      say({ ...description, data: ['txtvers=1', 'id=evil', 'life=b-1'] });
      say({ ...(addresses[0] as Resource & { type: 'A' }), data: '10.0.0.66' });
      segment.say(writeGoodbye(all(b)), liar);
      segment.say(writeGoodbye([pointer]), liar);
      await elapse(clock, 1_000);
    }
    expect(heard).to.deep.equal(['found b b-1']);
    expect(where('b')).to.deep.equal(['10.0.0.2']);
    const goodbye = all(b).map((each) => (each === description ? b.farewell : each));
    segment.say(writeGoodbye(goodbye), honest);
    await elapse(clock, 2_500);
    expect(heard).to.deep.equal(['found b b-1', 'lost b']);
  });

  it('does not accept the tag of one name for another, nor a second tag beside a valid one', () => {
    const other = ownRecords({ id: 'b', incarnation: 'b-2' }, 4000, ['10.0.0.66'], otherTags);
    const [, , , , stolen = ''] = b.description.data;
    const mixed = [...other.description.data.slice(0, 4), stolen];
    say({ ...other.description, data: mixed });
    const foreign = other.description.data[4]!;
    say({
      ...b.description,
      data: [...b.description.data.slice(0, 4), stolen, foreign.replace('at1', 'at2')],
    });
    expect(where('b')).to.deep.equal(['10.0.0.2']);
    expect(hints.get('b')?.incarnation).to.equal('b-1');
  });

  it('forgets a tagged hint that was not repeated for two minutes', async () => {
    segment.say(writeResponse(all(b)), honest);
    await elapse(clock, 119_000);
    expect(heard).to.deep.equal(['found b b-1']);
    await elapse(clock, 3_000);
    expect(heard).to.deep.equal(['found b b-1', 'lost b']);
  }).timeout(120_000);

  it('repeats its own questions, however often others ask them', async () => {
    const [query] = writeQuery([{ name: SERVICE, type: 'PTR' }], []);
    const since = segment.sent.length;
    for (let tenth = 0; tenth < 300; tenth += 1) {
      segment.say(query!, liar);
      await elapse(clock, 100);
    }
    const own = segment.sent
      .slice(since)
      .filter(({ packet, from }) => packet.kind === 'query' && from === '10.0.0.1');
    expect(own.length).to.be.within(2, 10);
  });
});

describe('the LAN provider of a guest, which can check no tags', () => {
  for (const isGuest of [true, false]) {
    it(`${isGuest ? 'reads' : 'is the only one that reads'} descriptions with tags like those without`, async () => {
      const clock = new SimulatedClock();
      const segment = new Segment(clock);
      const interfaces = () => ({ eth0: interfaceOf('10.0.0.1/24') });
      const provider = new MdnsProvider({
        host: '::',
        clock,
        random: () => 0.5,
        interfaces,
        open: segment.open,
      });
      const found: Hint[] = [];
      const ignore = (): void => {};
      await provider.start(
        { id: 'a', incarnation: 'a-1', addresses: [], world: () => '', isGuest },
        {
          found: (hint) => found.push(hint),
          lost: ignore,
          scanned: ignore,
          degraded: ignore,
          dropped: ignore,
        },
      );
      await elapse(clock, 500);
      const tags = new HintTags((await deriveKeys(makeSecret())).hints!);
      const peer = ownRecords({ id: 'b', incarnation: 'b-1' }, 4000, ['10.0.0.2'], tags);
      segment.say(writeResponse(all(peer)), honest);
      const addresses = [{ host: '10.0.0.2', port: 4000 }];
      expect(found).to.deep.equal(
        isGuest ? [{ id: 'b', incarnation: 'b-1', addresses, isAnybodys: true }] : [],
      );
      await provider.stop();
    });
  }
});
