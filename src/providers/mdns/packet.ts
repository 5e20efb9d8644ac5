import { isIPv4, isIPv6 } from 'node:net';

import { AUTHORITATIVE_ANSWER, decode, encode, TRUNCATED_RESPONSE } from 'dns-packet';
import type { Answer, DecodedPacket } from 'dns-packet';

/**
 * Packets of multicast DNS (RFC 6762), in and out. The only file that knows `dns-packet`. Whatever comes in, nothing
 * here throws, and the work for one packet is bounded by its size.
 */

/** As multicast DNS compares them: ASCII letters small. Without the dot at the end. */
export type Name = string;

interface ResourceBase {
  name: Name;
  /** In seconds. */
  ttl: number;
  /** Nobody else has other records of this name and type: they are to be forgotten ("cache flush"). */
  unique: boolean;
}

export type Resource = ResourceBase &
  (
    | { type: 'PTR'; data: Name }
    | { type: 'SRV'; data: { port: number; target: Name } }
    | { type: 'TXT'; data: readonly string[] }
    | { type: 'A' | 'AAAA'; data: string }
    /** The types that the name has; it has no others. Only ever sent. */
    | { type: 'NSEC'; data: readonly ('SRV' | 'TXT' | 'A' | 'AAAA')[] }
  );

export interface Question {
  name: Name;
  /** Of any kind, also such as nobody here knows. */
  type: string;
  /** The answer need only go to who asks ("QU"). */
  unicast: boolean;
}

export interface Packet {
  kind: 'query' | 'response';
  /** To be repeated in the answer to somebody who is not a multicast DNS querier; otherwise of no meaning. */
  id: number;
  /** More of the same follows at once. */
  truncated: boolean;
  questions: Question[];
  /** Of a query: what the one who asks knows already. */
  answers: Resource[];
  additionals: Resource[];
}

/** RFC 6762, section 17: the largest packet that anybody may send. In bytes. */
const LARGEST = 9_000;

/** Of one packet. A full one of a peer with many interfaces has 40; each costs at most a walk over the packet. */
const MOST_RESOURCES = 256;

/** Above this a list is split into several packets: what an Ethernet frame holds, less the headers. In bytes. */
const ROOM = 1_400;

/** Packets that concern somebody here have one of these in some name. Most of a LAN's have not: they are not taken apart. */
const MARKS = /app-net|_services/i;

/** Whether it may be about peers. */
export function concernsPeers(bytes: Uint8Array): boolean {
  return MARKS.test(asBuffer(bytes).toString('latin1'));
}

/** Undefined for whatever is malformed, or of another kind. */
export function readPacket(bytes: Uint8Array): Packet | undefined {
  try {
    const buffer = asBuffer(bytes);
    if (!isWorthReading(buffer)) return undefined;
    return digest(decode(buffer) as Decoded);
  } catch {
    return undefined;
  }
}

/** Told from its header: it says something, and does not ask. */
export function isResponse(bytes: Uint8Array): boolean {
  return (bytes[2]! & 0x80) !== 0;
}

export function asBuffer({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

/** The header says how many records follow, and the decoder makes room for so many before it looks. */
function isWorthReading(buffer: Buffer): boolean {
  if (buffer.length < 12 || buffer.length > LARGEST) return false;
  let resources = 0;
  for (let offset = 4; offset < 12; offset += 2) resources += buffer.readUInt16BE(offset);
  return resources > 0 && resources <= MOST_RESOURCES;
}

/** The types of dns-packet do not know everything that it tells. */
type Decoded = DecodedPacket & { opcode: string; rcode: string };

function digest(packet: Decoded): Packet | undefined {
  // What is neither a plain query nor a plain response is to be ignored (sections 18.3 and 18.11).
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

/** The highest bit of the class says QU, which dns-packet does not know: 0x8001 is IN with it, 0x80ff is ANY. */
const QUESTION_CLASSES: Record<string, { unicast: boolean } | undefined> = {
  IN: { unicast: false },
  ANY: { unicast: false },
  UNKNOWN_32769: { unicast: true },
  UNKNOWN_33023: { unicast: true },
};

/** Of what somebody else says; nothing for what is of no use here. */
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

/** A query, with what is known already; several packets when that is long. */
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

/** Makes a query with one question one of which the answer goes to the asker alone (RFC 6762, section 5.4). */
export function askPersonally(query: Buffer, name: Name): void {
  // The top bit of the class, for which the encoder has no word: behind the header; the name, which has a length before each
  // label and a zero at its end; and the type.
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

/** All of it is gone (section 10.1). */
export function writeGoodbye(answers: readonly Resource[]): Buffer {
  return encode({
    type: 'response',
    id: 0,
    flags: AUTHORITATIVE_ANSWER,
    answers: answers.map((each) => plain(each, { ttl: 0 })),
  });
}

/**
 * For who asks from another port, and so is no multicast DNS querier (section 6.7): a plain DNS answer, with the
 * question in it, a short time to live, and without the bit that plain DNS does not know.
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

/** In bytes, rather too much than too little. dns-packet writes names without compression. */
function sizeOf({ name, data }: Resource): number {
  return Buffer.byteLength(name) + Buffer.byteLength(JSON.stringify(data)) + 16;
}
