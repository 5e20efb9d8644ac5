/** The longest tag that is accepted, in characters. */
export const LONGEST_TAG = 1024;

/** What the tags of functions that the library itself brings begin with; no tag of a user's may. */
export const RESERVED = 'net.';

/** The functions that every peer has. */
export const DEFAULT_TAGS = {
  /** What the peer says about itself. */
  info: `${RESERVED}info`,
  /** Nothing, and soon. */
  ping: `${RESERVED}ping`,
  /** Gives its arguments back. */
  passThrough: `${RESERVED}passThrough`,
} as const;

export function isDefaultTag(tag: string): boolean {
  return tag === DEFAULT_TAGS.info || tag === DEFAULT_TAGS.ping || tag === DEFAULT_TAGS.passThrough;
}

/** What a derived tag says when it is read: `my-app/math.multiplyValues`. */
const DERIVED = /^.+\.[^.]+$/u;

/** The base64 (URL alphabet) of `<module>.<name>`. */
export function encodeTag(module: string, name: string): string {
  return Buffer.from(`${module}.${name}`, 'utf8').toString('base64url');
}

/** A tag as a person reads it: `my-app/math.multiplyValues` for a derived one, a given one as it is. */
export function readableTag(tag: string): string {
  if (!/^[\w-]{8,}$/.test(tag)) return tag;
  const text = Buffer.from(tag, 'base64url').toString('utf8');
  const canonical = Buffer.from(text, 'utf8').toString('base64url') === tag;
  // eslint-disable-next-line no-control-regex -- control characters are what must not pass
  return canonical && DERIVED.test(text) && !/[\u0000-\u001f\u007f\ufffd]/.test(text) ? text : tag;
}

/** A tag as it is shown to who asked for another: one that reads like what was asked for is told from it. */
export function nameFor(tag: string, wanted: string): string {
  const name = readableTag(tag);
  return name === wanted && tag !== wanted ? `${name}, whose tag is ${tag}` : name;
}

/** The function's own name: people mistype that, not the module. */
export function nameIn(tag: string): string {
  return readableTag(tag).replace(/^.*[./]/, '');
}
