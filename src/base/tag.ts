/** The longest tag that is accepted, in characters. */
export const LONGEST_TAG = 1024;

/** The prefix of the tags of the library's own functions. Users' tags must not begin with it. */
export const RESERVED = 'net.';

/** The tags of the functions that every peer has. */
export const DEFAULT_TAGS = {
  /** Returns what the peer knows about itself. */
  info: `${RESERVED}info`,
  /** Returns the peer's numbers. */
  metrics: `${RESERVED}metrics`,
  /** Returns nothing, at once. */
  ping: `${RESERVED}ping`,
  /** Returns its arguments. */
  passThrough: `${RESERVED}passThrough`,
  /** Returns a stream of what the peer does. */
  watch: `${RESERVED}watch`,
} as const;

export function isDefaultTag(tag: string): boolean {
  return Object.values<string>(DEFAULT_TAGS).includes(tag);
}

/** The form of a decoded derived tag: `my-app/math.multiplyValues`. */
const DERIVED = /^.+\.[^.]+$/u;

/** The base64 (URL alphabet) of `<module>.<name>`. */
export function encodeTag(module: string, name: string): string {
  return Buffer.from(`${module}.${name}`, 'utf8').toString('base64url');
}

/** A tag in readable form: `my-app/math.multiplyValues` for a derived tag; a tag given by hand stays as it is. */
export function readableTag(tag: string): string {
  if (!/^[\w-]{8,}$/.test(tag)) return tag;
  const text = Buffer.from(tag, 'base64url').toString('utf8');
  const canonical = Buffer.from(text, 'utf8').toString('base64url') === tag;
  // eslint-disable-next-line no-control-regex -- control characters are what must not pass
  return canonical && DERIVED.test(text) && !/[\u0000-\u001f\u007f\ufffd]/.test(text) ? text : tag;
}

/** A tag as shown to a caller that asked for another one. If both read the same, the raw tag is added. */
export function nameFor(tag: string, wanted: string): string {
  const name = readableTag(tag);
  return name === wanted && tag !== wanted ? `${name}, whose tag is ${tag}` : name;
}

/** The function's own name. People mistype that, not the module. */
export function nameIn(tag: string): string {
  return readableTag(tag).replace(/^.*[./]/, '');
}
