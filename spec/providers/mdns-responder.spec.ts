import { expect } from 'chai';
import * as fc from 'fast-check';
import { SimulatedClock } from 'xstate';

import { readPacket } from '../../src/providers/mdns/packet.ts';
import type { Packet, Resource } from '../../src/providers/mdns/packet.ts';
import { ownRecords, SERVICE } from '../../src/providers/mdns/records.ts';
import { Responder } from '../../src/providers/mdns/responder.ts';
import type { Sender } from '../../src/providers/mdns/socket.ts';
import { elapse } from '../support/multicast.ts';

const records = ownRecords({ id: 'me', incarnation: 'life-1' }, 4000, ['10.0.0.1']);
const { pointer, location, description, existence, addresses } = records;
const everything = [pointer, location, description, ...addresses];
const ALL = '_services._dns-sd._udp.local';

const asker: Sender = { address: '10.0.0.7', port: 5353 };
const who = { name: SERVICE, type: 'PTR', unicast: false };

function query(questions: Packet['questions'], answers: Resource[] = [], truncated = false): Packet {
  return { kind: 'query', id: 9, truncated, questions, answers, additionals: [] };
}

const response = (...answers: Resource[]): Packet => ({ ...query([], answers), kind: 'response' });

describe('the responder of multicast DNS', () => {
  let clock: SimulatedClock;
  let responder: Responder;
  let random: number;
  let said: { at: number; packet: Packet; to: Sender | undefined }[];

  beforeEach(async () => {
    clock = new SimulatedClock();
    random = 0;
    said = [];
    responder = new Responder({
      records,
      clock,
      random: () => random,
      send: (bytes, to) => said.push({ at: clock.now(), packet: readPacket(bytes)!, to }),
    });
    // The announcements are over.
    await elapse(clock, 40_000);
    said.splice(0, 3);
  });
  afterEach(() => responder.close());

  /** The packets that are sent within this time, each with its delay in ms. */
  async function answers(milliseconds = 2_000): Promise<{ after: number; packet: Packet; to: unknown }[]> {
    const began = clock.now();
    await elapse(clock, milliseconds);
    return said.splice(0).map(({ at, packet, to }) => ({ after: at - began, packet, to }));
  }

  it('announces everything three times: at once, after one second, after three', async () => {
    const times: number[] = [];
    const fresh = new SimulatedClock();
    const other = new Responder({
      records,
      clock: fresh,
      random: () => 0,
      send: (bytes) => {
        times.push(fresh.now());
        expect(readPacket(bytes)?.answers).to.deep.equal(everything);
      },
    });
    await elapse(fresh, 60_000);
    other.close();
    expect(times.map((time) => Math.round(time / 100) / 10)).to.deep.equal([0, 1, 3]);
  });

  it('waits a random time before it answers a question that others may answer too', async () => {
    responder.asked(query([who]), asker);
    random = 0.999;
    const [first] = await answers();
    expect(first?.after).to.equal(20);
    responder.asked(query([who]), asker);
    const [second] = await answers();
    expect(second?.after).to.be.within(115, 125);
    expect(second?.packet.answers).to.deep.equal([pointer]);
    expect(second?.packet.additionals).to.deep.equal([location, description, ...addresses]);
    expect(second?.to).to.equal(undefined);
  });

  it('answers at once a question that only it can answer', async () => {
    responder.asked(query([{ name: location.name, type: 'SRV', unicast: false }]), asker);
    const [answer] = await answers();
    expect(answer?.after).to.be.below(10);
    expect(answer?.packet.answers).to.deep.equal([location]);
    expect(answer?.packet.additionals).to.deep.equal(addresses);
  });

  it('lists its services for a question about all services', async () => {
    responder.asked(query([{ name: ALL, type: 'PTR', unicast: false }]), asker);
    expect((await answers())[0]?.packet.answers).to.deep.equal([existence]);
  });

  it('tells which records its names do not have', async () => {
    const packets: Buffer[] = [];
    const other = new Responder({
      records,
      clock,
      random: () => 0,
      send: (bytes) => packets.push(Buffer.from(bytes)),
    });
    other.asked(query([{ name: addresses[0]!.name, type: 'AAAA', unicast: false }]), asker);
    clock.increment(10);
    other.close();
    // NSEC is type 47, and 1 is the number of A.
    expect(packets.at(-1)!.includes(Buffer.from([0, 47, 0x80, 1]))).to.equal(true);
  });

  it('is silent about all other names', async () => {
    const names = ['_http._tcp.local', `other.${SERVICE}`, 'local', ''];
    responder.asked(query(names.map((name) => ({ name, type: 'ANY', unicast: false }))), asker);
    responder.asked(query([{ name: SERVICE, type: 'SRV', unicast: false }]), asker);
    expect(await answers()).to.deep.equal([]);
  });

  it('does not repeat answers that the question lists, unless they are about to expire', async () => {
    responder.asked(query([who], [{ ...pointer, ttl: 60 }]), asker);
    expect(await answers()).to.deep.equal([]);
    responder.asked(query([who], [{ ...pointer, ttl: 59 }]), asker);
    expect(await answers()).to.have.length(1);
  });

  it('waits for the rest of the known answers', async () => {
    const rest = query([], [pointer]);
    responder.asked(query([who], [], true), asker);
    responder.asked(rest, { ...asker, address: '10.0.0.8' });
    const [unknown] = await answers();
    expect(unknown?.after).to.be.within(400, 510);
    responder.asked(query([who], [], true), asker);
    await elapse(clock, 50);
    responder.asked(rest, asker);
    expect(await answers()).to.deep.equal([]);
  });

  it('answers simultaneous questions with one response', async () => {
    responder.asked(query([who]), asker);
    responder.asked(query([{ name: ALL, type: 'PTR', unicast: false }]), { ...asker, address: '10.0.0.8' });
    responder.asked(query([who]), { ...asker, address: '10.0.0.9' });
    const all = await answers();
    expect(all.map(({ packet }) => packet.answers)).to.deep.equal([[pointer, existence]]);
  });

  it('does not repeat records that another peer has just sent', async () => {
    responder.asked(query([{ name: ALL, type: 'PTR', unicast: false }]), asker);
    responder.heard(response(existence));
    expect(await answers()).to.deep.equal([]);
  });

  it('sends its own records even when another sender has just sent them, perhaps to this peer alone', async () => {
    responder.asked(query([who]), asker);
    responder.heard(response(pointer));
    expect((await answers()).map(({ packet }) => packet.answers)).to.deep.equal([[pointer]]);
  });

  it('answers by unicast if that is wanted and the group has heard the record recently', async () => {
    const alone = query([{ ...who, unicast: true }]);
    responder.asked(alone, asker);
    expect((await answers()).map(({ to }) => to)).to.deep.equal([undefined]);
    responder.asked(alone, asker);
    expect((await answers()).map(({ to }) => to)).to.deep.equal([asker]);
    await elapse(clock, 30_000);
    responder.asked(alone, asker);
    expect((await answers()).map(({ to }) => to)).to.deep.equal([undefined]);
  });

  it('answers plain DNS with plain DNS', async () => {
    const from = { address: '10.0.0.7', port: 40_000 };
    responder.asked(query([who]), from);
    const [answer] = await answers();
    expect(answer).to.deep.include({ after: 0, to: from });
    expect(answer?.packet).to.deep.include({ id: 9, questions: [who] });
    expect(answer?.packet.answers).to.deep.equal([{ ...pointer, ttl: 10 }]);
  });

  it('corrects senders that contradict its records or say goodbye for it', async () => {
    const lies: Resource[] = [
      { ...location, type: 'SRV', data: { port: 1, target: 'elsewhere.local' } },
      { ...description, type: 'TXT', data: ['id=somebody'] },
      { ...pointer, ttl: 0 },
      { ...location, ttl: 1 },
    ];
    for (const lie of lies) {
      responder.heard(response(lie));
      const truth = await answers();
      expect(truth.map(({ packet }) => packet.answers)).to.deep.equal([everything]);
    }
    responder.heard(response({ ...pointer, type: 'PTR', data: `other.${SERVICE}` }, ...everything));
    expect(await answers()).to.deep.equal([]);
  });

  it('sends nothing to the group twice within a second, for any questions and lies', () => {
    const step = fc.record({
      after: fc.nat(700),
      from: fc.constantFrom('10.0.0.7', '10.0.0.8', '10.0.0.9'),
      port: fc.constantFrom(5353, 5353, 5353, 9),
      packet: fc.oneof(
        fc
          .record({
            name: fc.constantFrom(SERVICE, location.name, ALL),
            type: fc.constantFrom('PTR', 'SRV', 'ANY', 'A'),
            unicast: fc.boolean(),
            truncated: fc.boolean(),
          })
          .map(({ truncated, ...question }) => query([question], [], truncated)),
        fc.constant(query([], [pointer])),
        fc.constant(response({ ...location, ttl: 0 })),
      ),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), fc.double({ min: 0, max: 1 }), (steps, chance) => {
        const own = new SimulatedClock();
        const last = new Map<string, number>();
        const send = (bytes: Uint8Array, to?: Sender): void => {
          if (to) return;
          for (const each of readPacket(bytes)!.answers) {
            expect(
              own.now() - (last.get(JSON.stringify([each.name, each.data])) ?? -Infinity),
            ).to.be.at.least(1_000);
            last.set(JSON.stringify([each.name, each.data]), own.now());
          }
        };
        const other = new Responder({ records, clock: own, random: () => chance, send });
        for (const { after, from, port, packet } of steps) {
          for (let passed = 0; passed < after; passed += 10) own.increment(10);
          if (packet.kind === 'query') other.asked(packet, { address: from, port });
          else other.heard(packet);
        }
        for (let passed = 0; passed < 2_000; passed += 10) own.increment(10);
        other.close();
        // And what was asked for was said at last.
        if (steps.some(({ packet, port }) => packet.kind === 'query' && port === 5353)) {
          expect(last.size).to.be.above(0);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('says goodbye last, and sends nothing after it', async () => {
    responder.asked(query([who]), asker);
    responder.goodbye();
    const [goodbye, ...more] = await answers(60_000);
    expect(goodbye?.after).to.equal(0);
    expect(goodbye?.packet.answers.map(({ ttl }) => ttl)).to.deep.equal([0, 0, 0, 0]);
    expect(more).to.deep.equal([]);
  });
});
