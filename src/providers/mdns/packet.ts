import { isIPv4, isIPv6 } from 'node:net';

import { AUTHORITATIVE_ANSWER, decode, encode, TRUNCATED_RESPONSE } from 'dns-packet';
import type { Answer, DecodedPacket } from 'dns-packet';

/**
 * Reads and writes packets of multicast DNS (RFC 6762). Only this file imports `dns-packet`. Reading never throws, whatever the
 * packet contains, and its work is bounded by the size of the packet.
 */

/** A name in the form in which multicast DNS compares names: ASCII letters in lower case, without the dot at the end. */
export type Name = string;

interface ResourceBase {
  name: Name;
  /** In seconds. */
  ttl: number;
  /** Nobody else has records of this name and type, so receivers forget older ones ("cache flush"). */
  unique: boolean;
}

export type Resource = ResourceBase &
  (
    | { type: 'PTR'; data: Name }
    | { type: 'SRV'; data: { port: number; target: Name } }
    | { type: 'TXT'; data: readonly string[] }
    | { type: 'A' | 'AAAA'; data: string }
    /** All types that the name has. This record is only sent, never read. */
    | { type: 'NSEC'; data: readonly ('SRV' | 'TXT' | 'A' | 'AAAA')[] }
  );

export interface Question {
  name: Name;
  /** Any type, even an unknown one. */
  type: string;
  /** The answer may go to the asker alone ("QU"). */
  unicast: boolean;
}

export interface Packet {
  kind: 'query' | 'response';
  /** Repeated in the answer to an asker that does not speak multicast DNS. Otherwise it has no meaning. */
  id: number;
  /** The rest follows at once in another packet. */
  truncated: boolean;
  questions: Question[];
  /** In a query: the answers that the asker already knows. */
  answers: Resource[];
  additionals: Resource[];
}

/** The largest packet that anybody may send (RFC 6762, section 17), in bytes. */
const LARGEST = 9_000;

/**
 * Records of one packet, at most. A full one of a peer with many interfaces has 40. Each costs at most a pass over the packet.
 */
const MOST_RESOURCES = 256;

/** A longer list is split into several packets. In bytes: the payload of an Ethernet frame, minus the headers. */
const ROOM = 1_400;

/** Packets about peers have one of these texts in some name. Most packets on a LAN do not, and are not parsed. */
const MARKS = /app-net|_services/i;

/** Whether the packet may be about peers. */
export function concernsPeers(bytes: Uint8Array): boolean {
  return MARKS.test(asBuffer(bytes).toString('latin1'));
}

/** Undefined for a packet that is malformed, or of another kind. */
export function readPacket(bytes: Uint8Array): Packet | undefined {
  try {
    const buffer = asBuffer(bytes);
    if (!isWorthReading(buffer)) return undefined;
    return digest(decode(buffer) as Decoded);
  } catch {
    return undefined;
  }
}

/** Whether the header says that the packet is a response, not a query. */
export function isResponse(bytes: Uint8Array): boolean {
  return (bytes[2]! & 0x80) !== 0;
}

export function asBuffer({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

/** Checks the number of records in the header, because the decoder allocates room for that many before it reads any. */
function isWorthReading(buffer: Buffer): boolean {
  if (buffer.length < 12 || buffer.length > LARGEST) return false;
  let resources = 0;
  for (let offset = 4; offset < 12; offset += 2) resources += buffer.readUInt16BE(offset);
  return resources > 0 && resources <= MOST_RESOURCES;
}

/** Fields that `dns-packet` returns, but that are missing in its types. */
type Decoded = DecodedPacket & { opcode: string; rcode: string };

function digest(packet: Decoded): Packet | undefined {
  // Ignore everything but plain queries and plain responses (sections 18.3 and 18.11).
  if (packet.opcode !== 'QUERY' || packet.rcode !== 'NOERROR') return undefined;
  return {
    kind: packet.type === 'response' ? 'response' : 'query',
    id: packet.id ?? 0,
    truncated: packet.flag_tc,
    questions: (packet.questions ?? []).flatMap(({ name, type, class: given }) => {
      const asked = QUESTION_CLASSES[String(given)];
      return asked ? [{ name: canonical(name), type, unicast: asked.unicast }] : [];
    }),
    answers: (packet.answers ?? []).flatMap(digestResource),
    additionals: (packet.additionals ?? []).flatMap(digestResource),
  };
}

/** The highest bit of the class means QU, which `dns-packet` does not know: 0x8001 is IN with that bit, 0x80ff is ANY. */
const QUESTION_CLASSES: Record<string, { unicast: boolean } | undefined> = {
  IN: { unicast: false },
  ANY: { unicast: false },
  UNKNOWN_32769: { unicast: true },
  UNKNOWN_33023: { unicast: true },
};

/** The record of another host; an empty list for a record that is not used here. */
function digestResource(answer: Answer): Resource[] {
  if (answer.type === 'OPT' || !('class' in answer) || answer.class !== 'IN') return [];
  const { ttl = 0, flush: unique = false } = answer;
  const name = canonical(answer.name);
  switch (answer.type) {
    case 'PTR':
      return [{ name, ttl, unique, type: 'PTR', data: canonical(answer.data) }];
    case 'SRV': {
      const { port, target } = answer.data;
      return port > 0 ? [{ name, ttl, unique, type: 'SRV', data: { port, target: canonical(target) } }] : [];
    }
    case 'TXT': {
      const strings = [answer.data].flat();
      return [{ name, ttl, unique, type: 'TXT', data: strings.map((each) => each.toString()) }];
    }
    case 'A':
      return isIPv4(answer.data) ? [{ name, ttl, unique, type: 'A', data: answer.data }] : [];
    case 'AAAA':
      return isIPv6(answer.data) ? [{ name, ttl, unique, type: 'AAAA', data: answer.data }] : [];
    default:
      return [];
  }
}

function canonical(name: string): Name {
  return /[A-Z]/.test(name) ? name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase()) : name;
}

/** A query with the known answers, in several packets if the list is long. */
export function writeQuery(
  questions: readonly Pick<Question, 'name' | 'type'>[],
  known: readonly Resource[],
): Buffer[] {
  const packets: Buffer[] = [];
  const rest = [...known];
  let asked = questions.map(({ name, type }) => ({ name, type }) as AskedQuestion);
  do {
    const answers: Resource[] = [];
    let size = asked.reduce((sum, { name }) => sum + name.length + 6, 12);
    for (let next = rest[0]; next && (answers.length === 0 || size + sizeOf(next) <= ROOM); next = rest[0]) {
      answers.push(next);
      rest.shift();
      size += sizeOf(next);
    }
    const flags = rest.length > 0 ? TRUNCATED_RESPONSE : 0;
    packets.push(
      encode({ type: 'query', id: 0, flags, questions: asked, answers: answers.map((each) => plain(each)) }),
    );
    asked = [];
  } while (rest.length > 0);
  return packets;
}

/** Changes a query with one question so that its answer goes to the asker alone (RFC 6762, section 5.4). */
export function askPersonally(query: Buffer, name: Name): void {
  // Set the top bit of the class, which the encoder cannot do. The class comes after the header (12 bytes), the name (a length
  // before each label and a zero at the end), and the type.
  query[12 + name.length + 2 + 2]! |= 0x80;
}

type AskedQuestion = Parameters<typeof encode>[0]['questions'] extends (infer Q)[] | undefined ? Q : never;

export function writeResponse(answers: readonly Resource[], additionals: readonly Resource[] = []): Buffer {
  return encode({
    type: 'response',
    id: 0,
    flags: AUTHORITATIVE_ANSWER,
    answers: answers.map((each) => plain(each)),
    additionals: additionals.map((each) => plain(each)),
  });
}

/** A response that withdraws all these records (section 10.1). */
export function writeGoodbye(answers: readonly Resource[]): Buffer {
  return encode({
    type: 'response',
    id: 0,
    flags: AUTHORITATIVE_ANSWER,
    answers: answers.map((each) => plain(each, { ttl: 0 })),
  });
}

/**
 * The answer to an asker on another port, which does not speak multicast DNS (section 6.7): a plain DNS answer that contains the
 * question, has a short time to live, and lacks the cache-flush bit, which plain DNS does not know.
 */
export function writeLegacyResponse(
  { id, questions }: Packet,
  answers: readonly Resource[],
  additionals: readonly Resource[],
): Buffer {
  return encode({
    type: 'response',
    id,
    flags: AUTHORITATIVE_ANSWER,
    questions: questions.map(({ name, type }) => ({ name, type }) as AskedQuestion),
    answers: answers.map((each) => plain(each, { ttl: Math.min(each.ttl, 10), flush: false })),
    additionals: additionals.map((each) => plain(each, { ttl: Math.min(each.ttl, 10), flush: false })),
  });
}

function plain(resource: Resource, changes: { ttl?: number; flush?: boolean } = {}): Answer {
  const { name, ttl, unique } = resource;
  const base = { name, ttl, flush: unique, class: 'IN' as const, ...changes };
  switch (resource.type) {
    case 'SRV':
      return { ...base, type: 'SRV', data: { priority: 0, weight: 0, ...resource.data } };
    case 'TXT':
      return { ...base, type: 'TXT', data: resource.data.map((each) => Buffer.from(each)) };
    case 'NSEC':
      return { ...base, type: 'NSEC', data: { nextDomain: name, rrtypes: [...resource.data] } };
    case 'PTR':
      return { ...base, type: 'PTR', data: resource.data };
    default:
      return { ...base, type: resource.type, data: resource.data };
  }
}

/** The size in bytes, rather too large than too small. `dns-packet` writes names without compression. */
function sizeOf({ name, data }: Resource): number {
  return Buffer.byteLength(name) + Buffer.byteLength(JSON.stringify(data)) + 16;
}
