/** How the suite and the drivers write values in their lines of JSON. README.md has the table. */

/** A value as JSON. What JSON cannot say is an object with the key `$`. */
export type Told = unknown;

export function tell(value: unknown): Told {
  if (value === undefined) return { $: 'undefined' };
  if (typeof value === 'bigint') return { $: 'bigint', text: String(value) };
  if (typeof value === 'number') {
    const isPlain = Number.isFinite(value) && !Object.is(value, -0);
    return isPlain ? value : { $: 'number', text: Object.is(value, -0) ? '-0' : String(value) };
  }
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(tell);
  if (value instanceof Date) {
    return { $: 'date', text: Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString() };
  }
  if (value instanceof RegExp) return { $: 'regexp', source: value.source, flags: value.flags };
  if (value instanceof URL) return { $: 'url', text: value.href };
  if (value instanceof Set) return { $: 'set', items: [...value].map(tell) };
  if (value instanceof Map)
    return { $: 'map', entries: [...value].map(([key, each]) => [tell(key), tell(each)]) };
  if (value instanceof Error) return { $: 'error', ...tellError(value) };
  const bytes = bytesOf(value);
  if (bytes) return { $: 'bytes', kind: kindOf(value), hex: toHex(bytes) };
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, tell(each)]));
}

/** Name, message, code, own properties and cause. Stacks differ, so that they are not told. */
export function tellError(error: Error): { [key: string]: Told } {
  const { name, message, code, cause } = error as Error & { code?: unknown };
  const known = new Set(['name', 'message', 'stack', 'code', 'cause', 'errors']);
  const properties = Object.entries(error).filter(([key]) => !known.has(key));
  return {
    name,
    message,
    ...(code === undefined ? {} : { code: tell(code) }),
    ...(properties.length === 0
      ? {}
      : { properties: Object.fromEntries(properties.map(([key, each]) => [key, tell(each)])) }),
    ...(cause === undefined ? {} : { cause: tell(cause) }),
  };
}

function bytesOf(value: object): Uint8Array | undefined {
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  return undefined;
}

function kindOf(value: object): string {
  // Browsers have no Buffer.
  if ((globalThis.Buffer as typeof Buffer | undefined)?.isBuffer(value)) return 'Buffer';
  return Object.prototype.toString.call(value).slice(8, -1);
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

interface Special {
  $: string;
  text: string;
  source: string;
  flags: string;
  items: Told[];
  entries: [Told, Told][];
  kind: string;
  hex: string;
  name: string;
  message: string;
  code?: Told;
  properties?: { [key: string]: Told };
  cause?: Told;
  count: number | null;
  fails?: string;
}

/** @param stream makes the stream that a `{"$":"stream"}` stands for */
export function understand(
  told: Told,
  stream: (count: number, fails?: string) => unknown = noStream,
): unknown {
  if (typeof told !== 'object' || told === null) return told;
  const inner = (each: Told): unknown => understand(each, stream);
  if (Array.isArray(told)) return told.map(inner);
  if (!('$' in told)) {
    return Object.fromEntries(Object.entries(told).map(([key, each]) => [key, inner(each)]));
  }
  const special = told as Special;
  switch (special.$) {
    case 'undefined':
      return undefined;
    case 'number':
      return Number(special.text);
    case 'bigint':
      return BigInt(special.text);
    case 'date':
      return new Date(special.text);
    case 'regexp':
      return new RegExp(special.source, special.flags);
    case 'url':
      return new URL(special.text);
    case 'set':
      return new Set(special.items.map(inner));
    case 'map':
      return new Map(special.entries.map(([key, each]) => [inner(key), inner(each)]));
    case 'bytes':
      return makeBytes(special.kind, special.hex);
    case 'error':
      return makeError(special, inner);
    case 'stream':
      return stream(special.count ?? Infinity, special.fails);
    default:
      throw new Error(`there is no value called ${special.$}`);
  }
}

function noStream(): never {
  throw new Error('a stream is a whole argument of a call, and nothing else');
}

function makeBytes(kind: string, hex: string): unknown {
  const bytes = Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
  if (kind === 'Buffer') return Buffer.from(bytes);
  const own = bytes.buffer;
  if (kind === 'ArrayBuffer') return own;
  const View = (globalThis as unknown as { [kind: string]: new (buffer: ArrayBuffer) => unknown })[kind];
  if (!View) throw new Error(`there is no ${kind} here`);
  return new View(own);
}

function makeError(told: Special, inner: (each: Told) => unknown): Error {
  const classes: { [name: string]: ErrorConstructor } = { RangeError, SyntaxError, TypeError };
  const options = 'cause' in told ? { cause: inner(told.cause) } : {};
  const error = new (classes[told.name] ?? Error)(told.message, options);
  const properties = Object.entries(told.properties ?? {}).map(([key, each]) => [key, inner(each)] as const);
  return Object.assign(
    error,
    Object.fromEntries(properties),
    'code' in told ? { code: inner(told.code) } : {},
  );
}

/** JSON in ASCII: some readers of lines take U+2028 for the end of one. */
export function toLine(told: object): string {
  return JSON.stringify(told).replaceAll(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
