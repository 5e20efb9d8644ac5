import { expect } from 'chai';
import { decode, encode } from 'dns-packet';
import * as fc from 'fast-check';

import {
  readPacket,
  writeGoodbye,
  writeLegacyResponse,
  writeQuery,
  writeResponse,
} from '../../src/providers/mdns/packet.ts';
import type { Packet, Resource } from '../../src/providers/mdns/packet.ts';
import { ownRecords, SERVICE } from '../../src/providers/mdns/records.ts';

const records = ownRecords({ id: 'Peer_1', incarnation: 'Life-1' }, 4000, ['10.0.0.1', 'fe80::1']);
const { pointer, location, description, addresses } = records;
const everything = [pointer, location, description, ...addresses];

const anyName = fc.constantFrom(SERVICE, `one.${SERVICE}`, 'host.local', 'a.b.c.local');
const base = { name: anyName, ttl: fc.nat(2 ** 31), unique: fc.boolean() };
const resource: fc.Arbitrary<Resource> = fc.oneof(
  fc.record({ ...base, type: fc.constant('PTR' as const), data: anyName }),
  fc.record({
    ...base,
    type: fc.constant('SRV' as const),
    data: fc.record({ port: fc.integer({ min: 1, max: 65_535 }), target: anyName }),
  }),
  fc.record({
    ...base,
    type: fc.constant('TXT' as const),
    data: fc.array(fc.string({ minLength: 1, maxLength: 60 }), { minLength: 1, maxLength: 6 }),
  }),
  fc.record({ ...base, type: fc.constant('A' as const), data: fc.ipV4() }),
  fc.record({ ...base, type: fc.constant('AAAA' as const), data: fc.constantFrom('fe80::1', 'fd00::2') }),
);

/** Valid packets, some bytes of which are others now. */
const damaged = fc
  .tuple(
    fc.array(resource, { minLength: 1, maxLength: 12 }),
    fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 12 }),
    fc.nat(),
  )
  .map(([answers, changes, cut]) => {
    const bytes = writeResponse(answers);
    for (const [at, value] of changes) bytes[at % bytes.length] = value;
    return cut % 3 === 0 ? bytes.subarray(0, cut % bytes.length) : bytes;
  });

/** A header that says so many records follow, of each kind, and what follows. */
function lying(counts: readonly number[], rest: Uint8Array = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt16BE(0x8400, 2);
  for (const [index, count] of counts.entries()) header.writeUInt16BE(count, 4 + 2 * index);
  return Buffer.concat([header, rest]);
}

/** Processor time, in ms: other processes of a busy machine do not count. */
function busyTime(work: () => void): number {
  const before = process.cpuUsage();
  work();
  return process.cpuUsage(before).user / 1_000;
}

/** A name that is a pointer to what is at this offset. */
const pointerTo = (offset: number): number[] => [0xc0 | (offset >> 8), offset & 0xff];

describe('a packet of multicast DNS', () => {
  it('survives writing and reading unchanged', () => {
    fc.assert(
      fc.property(
        fc.array(resource, { maxLength: 8 }),
        fc.array(resource, { maxLength: 4 }),
        (answers, additionals) => {
          fc.pre(answers.length + additionals.length > 0);
          const packet = readPacket(writeResponse(answers, additionals));
          expect(packet).to.deep.equal({
            kind: 'response',
            id: 0,
            truncated: false,
            questions: [],
            answers,
            additionals,
          });
        },
      ),
    );
  });

  it('never throws, whatever bytes arrive', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 512 }), (bytes) => void readPacket(bytes)),
      { numRuns: 2_000 },
    );
    fc.assert(
      fc.property(damaged, (bytes) => void readPacket(bytes)),
      { numRuns: 2_000 },
    );
    fc.assert(
      fc.property(fc.array(fc.nat(20), { minLength: 4, maxLength: 4 }), fc.uint8Array(), (counts, rest) => {
        readPacket(lying(counts, rest));
      }),
      { numRuns: 2_000 },
    );
  });

  it('is read where it concerns peers, and skipped elsewhere', () => {
    const foreign = encode({
      type: 'response',
      answers: [
        { type: 'HINFO', name: 'x.local', data: { cpu: 'a', os: 'b' } },
        { type: 'A', name: 'x.local', class: 'CH', data: '10.0.0.1' },
        { type: 'SRV', name: 'x.local', data: { port: 0, target: 'y.local' } },
        { type: 'PTR', name: '_App-Net._TCP.Local', data: 'One._app-net._tcp.local' },
      ],
    });
    expect(readPacket(foreign)?.answers).to.deep.equal([
      { type: 'PTR', name: SERVICE, ttl: 0, unique: false, data: `one.${SERVICE}` },
    ]);
  });

  it('is ignored unless it is a plain query or response', () => {
    const bytes = writeResponse(everything);
    bytes[2]! |= 0b0001_0000; // Another operation.
    expect(readPacket(bytes)).to.equal(undefined);
    const other = writeResponse(everything);
    other[3]! |= 3; // An error.
    expect(readPacket(other)).to.equal(undefined);
  });

  it('is refused at once when its names point at themselves or ahead', () => {
    const type = [0, 12, 0, 1];
    expect(readPacket(lying([1, 0, 0, 0], Uint8Array.from([...pointerTo(12), ...type])))).to.equal(undefined);
    expect(readPacket(lying([1, 0, 0, 0], Uint8Array.from([...pointerTo(14), ...type])))).to.equal(undefined);
    expect(readPacket(lying([1, 0, 0, 0], Uint8Array.from([1, 97, ...pointerTo(12), ...type])))).to.equal(
      undefined,
    );
  });

  it('costs nothing when it promises more records than it can hold', () => {
    const bytes = lying([65_535, 65_535, 65_535, 65_535]);
    const spent = busyTime(() => {
      for (let round = 0; round < 10_000; round += 1) expect(readPacket(bytes)).to.equal(undefined);
    });
    // With room made for them it is 20 s.
    expect(spent).to.be.below(4_000);
  });

  it('does not take long even when it is built to', () => {
    // In a record that nobody reads 3,500 pointers, each at the one before; then names that begin at the last of them.
    const data: number[] = [0, 0];
    const start = 12 + 11;
    for (let at = start + 2; at < start + 7_000; at += 2)
      data.push(...pointerTo(at === start + 2 ? start : at - 2));
    const holder = [0, 0, 10, 0, 1, 0, 0, 0, 0, data.length >> 8, data.length & 0xff, ...data];
    const answer = [...pointerTo(start + data.length - 2), 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 10, 0, 0, 1];
    const bytes = lying(
      [0, 120, 0, 0],
      Uint8Array.from([...holder, ...Array.from({ length: 119 }, () => answer).flat()]),
    );
    expect(readPacket(bytes)?.answers).to.have.length(119);
    expect(bytes.length).to.be.below(9_001);
    const spent = busyTime(() => {
      for (let round = 0; round < 20; round += 1) readPacket(bytes);
    });
    // The flood gate lets three of such size through in a second.
    expect(spent / 20).to.be.below(150);
    expect(readPacket(Buffer.concat([bytes, Buffer.alloc(9_000)]))).to.equal(undefined);
  });
});

describe('a query', () => {
  it('has the question and the known answers', () => {
    const [bytes, ...more] = writeQuery([{ name: SERVICE, type: 'PTR' }], [pointer]);
    expect(more).to.deep.equal([]);
    expect(readPacket(bytes!)).to.deep.include({
      kind: 'query',
      questions: [{ name: SERVICE, type: 'PTR', unicast: false }],
      answers: [pointer],
      truncated: false,
    });
  });

  it('can ask for a unicast answer', () => {
    const [bytes] = writeQuery([{ name: SERVICE, type: 'PTR' }], []);
    bytes!.writeUInt16BE(0x8001, bytes!.length - 2);
    expect(readPacket(bytes!)?.questions).to.deep.equal([{ name: SERVICE, type: 'PTR', unicast: true }]);
  });

  it('with many known answers goes out in several packets, each small enough for an Ethernet frame', () => {
    const known = Array.from({ length: 60 }, (_, index): Resource => {
      return { name: SERVICE, type: 'PTR', ttl: 100, unique: false, data: `number-${index}.${SERVICE}` };
    });
    const packets = writeQuery([{ name: SERVICE, type: 'PTR' }], known);
    const read = packets.map((each) => readPacket(each)!);
    expect(Math.max(...packets.map(({ length }) => length))).to.be.below(1_440);
    expect(read.map(({ questions }) => questions.length)).to.deep.equal([1, ...read.slice(1).map(() => 0)]);
    expect(read.map(({ truncated }) => truncated)).to.deep.equal([...read.slice(1).map(() => true), false]);
    expect(read.flatMap(({ answers }) => answers)).to.deep.equal(known);
  });
});

describe('a response', () => {
  it('is authoritative, and marks unique records', () => {
    const packet = decode(writeResponse(everything, records.absences));
    expect(packet.flag_aa).to.equal(true);
    const answers = (packet.answers ?? []) as { type: string; flush?: boolean }[];
    expect(answers.map(({ type, flush }) => [type, flush])).to.deep.equal([
      ['PTR', false],
      ['SRV', true],
      ['TXT', true],
      ['A', true],
      ['AAAA', true],
    ]);
    expect((packet.additionals ?? []).map((each) => 'data' in each && each.data)).to.deep.equal([
      { nextDomain: location.name, rrtypes: ['TXT', 'SRV'] },
      { nextDomain: addresses[0]!.name, rrtypes: ['A', 'AAAA'] },
    ]);
  });

  it('with a goodbye has a time to live of 0', () => {
    const { answers } = readPacket(writeGoodbye(everything))!;
    expect(answers.map(({ ttl }) => ttl)).to.deep.equal([0, 0, 0, 0, 0]);
    expect(answers.map(({ data }) => data)).to.deep.equal(everything.map(({ data }) => data));
  });

  it('to a client of plain DNS is plain DNS', () => {
    const question: Packet = {
      kind: 'query',
      id: 77,
      truncated: false,
      questions: [{ name: SERVICE, type: 'PTR', unicast: false }],
      answers: [],
      additionals: [],
    };
    const packet = decode(writeLegacyResponse(question, [pointer], [location]));
    expect(packet.id).to.equal(77);
    expect(packet.questions).to.deep.equal([{ name: SERVICE, type: 'PTR', class: 'IN' }]);
    expect(packet.answers?.[0]).to.deep.include({ type: 'PTR', ttl: 10, flush: false });
    expect(packet.additionals?.[0]).to.deep.include({ type: 'SRV', ttl: 10, flush: false });
  });

  it('tells the identity and the addresses of the peer, and nothing else', () => {
    const said = writeResponse([...everything, records.existence, ...records.absences]).toString('latin1');
    expect(description.data).to.deep.equal(['txtvers=1', 'id=Peer_1', 'life=Life-1', 'versions=1']);
    expect(said).not.to.match(/secret|group|name=|pid/);
    expect(location.name).to.equal(`life-1.${SERVICE}`);
    // RFC 952: letters, digits, hyphens.
    expect(addresses[0]!.name).to.match(/^app-net-[0-9a-f]{20}\.local$/);
  });
});
