import { RESERVED } from '../../base/tag.ts';
import { PASS_NAME } from '../revoked-frame.ts';
import { isFields, isListOf, isString } from '../shapes.ts';

/**
 * Passes: what a peer with few rights has in place of the secret. A pass is `<public part>.<key>`, both base64url. The public part
 * is the text of its `PassClaims`, as JSON. The key is an HMAC of the public part, with a key that only holders of the secret have.
 * The peer sends the public part in its hello, and proves that it has the key. `docs/protocol.md` describes the same.
 */

/** What a pass says. */
export interface PassClaims {
  /** The version of passes. */
  v: 1;
  /** The name of the secret that made it: its `world`. */
  kid: string;
  /** The name of this pass, by which it is revoked: 12 random bytes, base64url. */
  id: string;
  /** When it expires, in seconds since 1970. */
  exp: number;
  /** Patterns of the tags that it may call. Absent: none. */
  may?: string[];
  /** Patterns of the events that it may hear. Absent: none. */
  hear?: string[];
  /** Patterns of the tags that it may connect, and of the events that it may emit. Absent: none. */
  offers?: string[];
  /** The origins of the web pages that may use it. Absent: no web page may, but any client that sends no `Origin`. */
  origins?: string[];
  /** What others see as its name. */
  name?: string;
}

/** Characters of the public part, at most. */
export const LONGEST_PASS = 4_096;

/** The longest pattern, in characters: that of a tag. */
export const LONGEST_PATTERN = 1_024;

const LONGEST_NAME = 256;
const WHOLE = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{43})$/;

/** The two parts of a pass, as they are written in it; undefined for anything else. */
export function splitPass(pass: unknown): { shown: string; key: string } | undefined {
  const [, shown, key] = (typeof pass === 'string' && WHOLE.exec(pass)) || [];
  if (shown === undefined || key === undefined || shown.length > LONGEST_PASS) return undefined;
  return { shown, key };
}

/** Reads the text of a public part. Undefined if it is none of this version. */
export function readClaims(text: string): PassClaims | undefined {
  let claims: unknown;
  try {
    claims = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isFields(claims)) return undefined;
  const { v, kid, id, exp, may, hear, offers, origins, name } = claims;
  const isRight =
    v === 1 &&
    isName(kid) &&
    isName(id) &&
    Number.isSafeInteger(exp) &&
    [may, hear, offers, origins].every(
      (each) => each === undefined || isListOf(each, LONGEST_PASS, isPattern),
    ) &&
    (name === undefined || (isString(name, LONGEST_NAME) && name !== ''));
  return isRight ? (claims as unknown as PassClaims) : undefined;
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && PASS_NAME.test(value);
}

function isPattern(value: unknown): boolean {
  return isString(value, LONGEST_PATTERN) && value !== '';
}

/** The rights of a pass: what a link may do whose other side has shown it. */
export class Rights {
  /** What others see as the name of the peer. */
  readonly name: string;
  /** The name of the pass. */
  readonly pass: string;
  /** When it expires, in ms since 1970. */
  readonly expires: number;
  /** The patterns of each right, as they are in the pass. */
  readonly may: readonly string[];
  readonly hear: readonly string[];
  readonly offers: readonly string[];
  readonly #may: Patterns;
  readonly #hear: Patterns;
  readonly #offers: Patterns;

  constructor({ id, exp, may = [], hear = [], offers = [], name }: PassClaims) {
    this.pass = id;
    this.may = may;
    this.hear = hear;
    this.offers = offers;
    this.expires = exp * 1_000;
    this.name = name ?? 'guest';
    this.#may = new Patterns(may);
    this.#hear = new Patterns(hear);
    this.#offers = new Patterns(offers);
  }

  /** Whether it may call the function with this tag. */
  mayCall(tag: string): boolean {
    return this.#may.includeTag(tag);
  }

  /** Whether it may hear the events of this name. `*` stands for every event. */
  mayHear(name: string): boolean {
    return this.#hear.include(name);
  }

  /** Whether it may have a function with this tag. */
  mayConnect(tag: string): boolean {
    return this.#offers.includeTag(tag);
  }

  /** Whether it may emit the event of this name. */
  mayEmit(name: string): boolean {
    return this.#offers.include(name);
  }
}

/** Names and patterns. A `*` in a pattern stands for any characters, also for none. */
export class Patterns {
  readonly #exact: ReadonlySet<string>;
  /** The parts between the stars of each pattern. */
  readonly #globs: readonly string[][];

  constructor(patterns: readonly string[]) {
    this.#exact = new Set(patterns);
    this.#globs = patterns.flatMap((each) => (each.includes('*') ? [each.split('*')] : []));
  }

  include(name: string): boolean {
    return this.#exact.has(name) || this.#globs.some((parts) => isMatch(parts, name));
  }

  /** The same for a tag. The library's own tags need a pattern that begins like them: `*` does not stand for them. */
  includeTag(tag: string): boolean {
    if (!tag.startsWith(RESERVED)) return this.include(tag);
    return (
      this.#exact.has(tag) ||
      this.#globs.some((parts) => parts[0]!.startsWith(RESERVED) && isMatch(parts, tag))
    );
  }
}

/** Whether the parts occur in the name in this order, the first at its beginning and the last at its end. */
function isMatch(parts: readonly string[], name: string): boolean {
  const [first, last] = [parts[0]!, parts.at(-1)!];
  const end = name.length - last.length;
  if (first.length > end || !name.startsWith(first) || !name.endsWith(last)) return false;
  let at = first.length;
  for (const part of parts.slice(1, -1)) {
    const found = name.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= end;
}
