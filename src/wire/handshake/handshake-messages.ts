import type {
  AcceptMessage,
  DescribeMessage,
  HandshakeMessage,
  HelloMessage,
  ProofMessage,
  TakenMessage,
  WelcomeMessage,
} from '../frames.ts';
import { isLimits } from '../guards.ts';
import { LONGEST_PASS } from './pass.ts';
import { isFields, isPeerId, isString, isTagList } from '../shapes.ts';
import { isPresence, LONGEST_NAME } from '../presence-frames.ts';

/** Writes the messages of a handshake as text, and reads and checks them. */

/** The handshake failed. Only this side sees the reason; the other side is told nothing. */
export class HandshakeFailed extends Error {}

/** The hello came from this side itself, which dialled one of its own addresses. */
export class OwnHello extends HandshakeFailed {
  readonly nonce: string;
  constructor(nonce: string) {
    super('the other side is this peer itself, or another peer with the same id');
    this.nonce = nonce;
  }
}

/** The connection is not needed: the peer that answered is already connected. Its identity is not proved. */
export class HandshakeNeedless extends HandshakeFailed {
  readonly id: string;
  constructor(id: string) {
    super('the peer that answered is already connected');
    this.id = id;
  }
}

/** A different peer answered at the address than the one that was dialled. Neither identity is proved. */
export class WrongPeer extends HandshakeFailed {
  constructor(meant: string, answered: string) {
    super(
      `wrong peer at this address: ${answered} answered instead of ${meant}. ` +
        `Either the announcement of ${meant} is out of date, or both share one port`,
    );
  }
}

/** The other side does not seem to have the same secret. */
export class OtherSecret extends HandshakeFailed {}

/** The other side did not accept the pass of this one. */
export class PassRefused extends HandshakeFailed {}

/** The acceptor has proved itself, and reports that another process has the dialler's id. */
export class IdTaken extends HandshakeFailed {}

const NONCE = /^[A-Za-z0-9_-]{43}$/;
const MOST_VERSIONS = 64;
const LONGEST_TAG = 1024;

export function write(message: HandshakeMessage): string {
  return JSON.stringify(message);
}

function read(text: string, ...types: HandshakeMessage['type'][]): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Handled like a wrong shape, below.
  }
  if (isFields(value) && types.some((type) => value['type'] === type)) return value;
  throw new HandshakeFailed(`expected a message of type ${types.join(' or ')}, but received something else`);
}

export function readHello(text: string): HelloMessage {
  const value = read(text, 'hello');
  const { to, generation = 0, pass = '' } = value;
  const counted = Number.isSafeInteger(generation) && (generation as number) >= 0;
  const isRight = (to === '' || isPeerId(to)) && counted && isString(pass, LONGEST_PASS);
  if (!isIntroduction(value) || !isRight) {
    throw new HandshakeFailed('the hello message has a wrong shape');
  }
  return value as unknown as HelloMessage;
}

export function readWelcome(text: string): WelcomeMessage {
  const value = read(text, 'welcome');
  if (!isIntroduction(value) || !Number.isSafeInteger(value['version'])) {
    throw new HandshakeFailed('the welcome message has a wrong shape');
  }
  return value as unknown as WelcomeMessage;
}

function isIntroduction(value: Record<string, unknown>): boolean {
  const { versions, id, incarnation, nonce, limits } = value;
  return (
    Array.isArray(versions) &&
    versions.length <= MOST_VERSIONS &&
    versions.every((version) => Number.isSafeInteger(version)) &&
    isPeerId(id) &&
    isPeerId(incarnation) &&
    typeof nonce === 'string' &&
    NONCE.test(nonce) &&
    isLimits(limits)
  );
}

export function readProof(text: string): ProofMessage {
  const value = read(text, 'proof');
  if (!isString(value['proof'], 64)) throw new HandshakeFailed('the proof message has a wrong shape');
  return value as unknown as ProofMessage;
}

/** The answer to the dialler's proof. */
export function readAnswer(text: string): AcceptMessage | TakenMessage {
  const value = read(text, 'accept', 'taken');
  if (!isString(value['proof'], 64) || !(value['type'] === 'taken' || isDescription(value))) {
    throw new HandshakeFailed('the answer to the proof has a wrong shape');
  }
  return value as unknown as AcceptMessage | TakenMessage;
}

export function readDescribe(text: string): DescribeMessage {
  const value = read(text, 'describe');
  if (!isDescription(value)) throw new HandshakeFailed('the describe message has a wrong shape');
  return value as unknown as DescribeMessage;
}

function isDescription(value: Record<string, unknown>): boolean {
  return (
    isString(value['name'], LONGEST_NAME) &&
    isString(value['group'], LONGEST_NAME) &&
    typeof value['hub'] === 'boolean' &&
    Number.isSafeInteger(value['pid']) &&
    isString(value['host'], LONGEST_NAME) &&
    isTagList(value['functions'], LONGEST_TAG) &&
    isPresence(value)
  );
}
