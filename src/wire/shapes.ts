/** Checks of shapes that occur in many messages. Everything from the wire is `unknown` until it has been checked. */

export type Fields = Record<string, unknown>;

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isId(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0;
}

const PEER_ID = /^[A-Za-z0-9_-]{1,64}$/;

/** The tag of a hint: 16 bytes, base64url. */
export const HINT_TAG = /^[A-Za-z0-9_-]{22}$/;

export function isPeerId(value: unknown): value is string {
  return typeof value === 'string' && PEER_ID.test(value);
}

/** A whole number, 0 or more. */
export function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

export function isString(value: unknown, longest: number): value is string {
  return typeof value === 'string' && value.length <= longest;
}

export function isTagList(value: unknown, longestTag: number): value is string[] {
  return Array.isArray(value) && value.every((tag) => isString(tag, longestTag) && tag !== '');
}

/** The longest tag, in characters, that a frame may name. */
export const LONGEST_TAG = 1024;

/** Addresses of one peer, at most. */
export const MOST_ADDRESSES = 16;

/** The longest host of an address, in characters, which is that of a host name. */
const LONGEST_HOST = 255;
export function isListOf(value: unknown, most: number, isItem: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.length <= most && value.every((item) => isItem(item));
}

export function isAddressList(value: unknown): value is { host: string; port: number; tag?: string }[] {
  return isListOf(value, MOST_ADDRESSES, isAddress);
}

function isAddress(value: unknown): boolean {
  if (!isFields(value)) return false;
  const { host, port, tag } = value;
  const isTag = tag === undefined || (typeof tag === 'string' && HINT_TAG.test(tag));
  return isString(host, LONGEST_HOST) && host !== '' && isId(port) && port < 65_536 && isTag;
}
