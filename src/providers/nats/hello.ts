import { isPeerId } from '../../wire/shapes.ts';

/** What peers tell each other on the subject of announcements, each in a box. */
export type Word =
  /** A peer is there. */
  | {
      type: 'hello';
      id: string;
      incarnation: string;
      /** Grows with each announcement of a life, so that a repeated one is recognised. */
      version: number;
      /** The connection of the peer: the id of its server, and the number that the server gave it. */
      server: string;
      client: number;
    }
  /** Somebody looks for peers: each answers with a `hello` to the subject. */
  | { type: 'who'; reply: string }
  /** A peer has left. */
  | { type: 'bye'; id: string; incarnation: string }
  /** The server said once that nobody is at this life. Everybody asks by themselves. */
  | { type: 'doubt'; id: string; incarnation: string };

export type Hello = Extract<Word, { type: 'hello' }>;

export function writeWord(word: Word): Buffer {
  return Buffer.from(JSON.stringify(word), 'utf8');
}

/** Undefined for what this version does not know. */
export function readWord(content: Buffer): Word | undefined {
  let word: unknown;
  try {
    word = JSON.parse(content.toString('utf8'));
  } catch {
    return undefined;
  }
  if (typeof word !== 'object' || word === null) return undefined;
  const { type, id, incarnation, version, server, client, reply } = word as Record<string, unknown>;
  if (type === 'who') return isSubject(reply) ? { type, reply } : undefined;
  if (!isPeerId(id) || !isPeerId(incarnation)) return undefined;
  if (type === 'bye' || type === 'doubt') return { type, id, incarnation };
  if (type !== 'hello' || !isCount(version) || !isCount(client)) return undefined;
  return typeof server === 'string' ? { type, id, incarnation, version, server, client } : undefined;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** A subject that one may publish to: no wildcard, no space. */
function isSubject(value: unknown): value is string {
  return typeof value === 'string' && /^net\.[\w.-]{1,200}$/.test(value);
}
