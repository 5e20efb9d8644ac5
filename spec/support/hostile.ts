import { KINDS, NASTY_KEYS } from './annotations.ts';

/** Messages of somebody who has the secret and means harm: right frames, wrong ones, and everything in between. */

export interface HostileMessage {
  text: string;
  binaries: Uint8Array[];
}

const TAGS = [
  'echo',
  'numbers',
  'sum',
  'throws',
  'slow',
  'net.info',
  'net.passThrough',
  'ecko',
  '__proto__',
  '',
];
const NUMBERS = [0, 1, 2, 31, 32, 33, -1, 1.5, 2 ** 31, 2 ** 32, 2 ** 53 - 1, 2 ** 53, 1e308, -0];
const BYTES = ['Buffer', 'Uint8Array', 'Float64Array', 'DataView', 'ArrayBuffer', 'constructor', '__proto__'];
const STRINGS = [
  ...NASTY_KEYS,
  ...[
    '',
    'a',
    'tick',
    '*',
    'stopped',
    'duplicate',
    'cause',
    'errors',
    'properties',
    'stack',
    'message',
    'name',
  ],
  ...['\u0000', '\u202e', '\ud800', '0', '-1', 'NaN', '/a/g', '/(/', '/\\p{L}/vi', '/\\p{RGI_Emoji}/v'],
  ...['http://x/', 'http://xn--a', '2020-01-01T00:00:00.000Z', 'NetError', 'AggregateError', 'DOMException'],
  ...['x'.repeat(300), 'y'.repeat(70_000), '9'.repeat(20_000), `http://${'a.'.repeat(5_000)}`],
];

const VALUE_PATHS = ['args.0', 'args.1', 'value', 'value.0', 'kwargs.a'];
const ERROR_PATHS = ['cause', 'cause.error', 'cause.value', 'code', 'errors', 'errors.0', 'errors.0.error']
  .concat(['properties', 'properties.a', 'classes', 'message', 'stack', 'cause.error.cause'])
  .map((path) => `error.${path}`)
  .concat('thrown.value');

/** Little text, and much work for one who makes a value of it. */
const COSTLY: readonly [kind: string, json: unknown][] = [
  ['regexp', `/${'[\\p{RGI_Emoji}&&\\p{RGI_Emoji}]'.repeat(200)}/v`],
  ['regexp', `/${'\\p{L}'.repeat(3_000)}/u`],
  ['regexp', `/${'(?:'.repeat(3_000)}a${'){9}'.repeat(3_000)}/`],
  ['URL', `http://a${'\u0300\u0323'.repeat(60_000)}`],
  ['URL', `http://xn--${'a'.repeat(60_000)}`],
  ['bigint', '9'.repeat(200_000)],
  ['bigint', '9'.repeat(16_384)],
  ['Date', '2'.repeat(60_000)],
  ['set', Array.from({ length: 5_000 }, (_, index) => index * 2 ** 20)],
  ['map', Array.from({ length: 5_000 }, (_, index) => [index * 2 ** 20, index])],
];

export class HostileMessages {
  readonly #random: () => number;
  /** The id of the last request, so that most ids are higher than the one before. */
  #id = 0;

  constructor(random: () => number) {
    this.#random = random;
  }

  next(): HostileMessage {
    const binaries = Array.from({ length: this.#chance(0.1) ? this.#below(4) : 0 }, () =>
      new Uint8Array(this.#below(100)).fill(7),
    );
    const lines = Array.from({ length: this.#chance(0.3) ? 1 + this.#below(20) : 1 }, () =>
      this.#line(binaries.length),
    );
    return { text: lines.join('\n'), binaries };
  }

  /** Any text with some of its characters changed, lost, doubled or put in. */
  mutated(text: string): string {
    let changed = text;
    for (let count = 1 + this.#below(3); count > 0; count -= 1) {
      const at = this.#below(changed.length + 1);
      const instead = this.#pick([
        '',
        '"',
        '{',
        '}',
        '[',
        ',',
        ':',
        '\\',
        '\n',
        '9',
        '-',
        'null',
        ...STRINGS,
      ]);
      changed = changed.slice(0, at) + instead + changed.slice(at + this.#below(4));
    }
    return changed;
  }

  #line(binaries: number): string {
    const text = JSON.stringify(this.#frame(binaries));
    return this.#chance(0.08) ? this.mutated(text) : text;
  }

  #frame(binaries: number): object {
    const id = this.#chance(0.9) ? 1 + this.#below(this.#id + 3) : this.#number();
    const name = this.#chance(0.8) ? `name ${this.#below(50)}` : this.#string();
    const arg = this.#chance(0.3) ? { arg: this.#below(3) } : {};
    const meta = this.#chance(0.3) ? { meta: this.#meta(binaries, VALUE_PATHS) } : {};
    // The other side's own calls have low ids.
    const answered = this.#chance(0.7) ? 1 + this.#below(8) : id;
    const value = this.#value();
    switch (this.#below(14)) {
      case 0:
      case 1:
      case 2:
        return this.#request(meta);
      case 3:
        return { type: 'result', id: answered, ...meta, value, ...(this.#chance(0.2) && { stream: true }) };
      case 4:
        return { type: 'error', id: answered, ...arg, ...this.#outcome(binaries) };
      case 5:
        return { type: 'next', id: answered, ...arg, ...meta, value };
      case 6:
        return { type: 'complete', id: answered, ...arg, ...meta, value };
      case 7:
        return { type: 'credit', id, ...arg, count: this.#number(), bytes: this.#number() };
      case 8:
        return { type: 'cancel', id, ...arg, ...(this.#chance(0.3) && { late: true }) };
      case 9:
        return { type: 'functions', added: this.#tags(), removed: this.#tags() };
      case 10:
        return { type: 'subscribe', id, name };
      case 11:
        return { type: 'unsubscribe', name };
      case 12:
        return this.#chance(0.5)
          ? { type: 'subscribed', id, sequence: this.#number() }
          : { type: 'event', name, sequence: this.#number(), ...meta, value };
      default:
        return this.#rare();
    }
  }

  #request(meta: object): object {
    this.#id += 1;
    if (this.#chance(0.1)) {
      const [kind, json] = this.#pick(COSTLY);
      const costly = { meta: { values: { 'args.0': [kind] }, v: 1 }, args: [json] };
      return { type: 'request', id: this.#id, tag: this.#pick(TAGS), ...costly };
    }
    const args = Array.from({ length: this.#below(4) }, () => this.#value());
    return {
      ...{ type: 'request', id: this.#chance(0.97) ? this.#id : this.#number(), tag: this.#pick(TAGS) },
      ...{ ...meta, args },
      ...(this.#chance(0.2) && { kwargs: this.#value() }),
      ...(this.#chance(0.2) && { streams: this.#pick([[], [0], [0, 1], [1, 0], [9], 1]) }),
      ...(this.#chance(0.3) && { deadline: this.#number() }),
    };
  }

  #outcome(binaries: number): object {
    if (this.#chance(0.2)) return { failure: { code: this.#string(), ran: 'no', message: this.#string() } };
    const meta = this.#chance(0.5) ? { meta: this.#meta(binaries, ERROR_PATHS) } : {};
    return this.#chance(0.2)
      ? { ...meta, thrown: { value: this.#value() } }
      : { ...meta, error: this.#error(0) };
  }

  #error(depth: number): object {
    const cause = (): object =>
      this.#chance(0.7) && depth < 6 ? { error: this.#error(depth + 1) } : { value: this.#value(depth) };
    return {
      ...{ name: this.#string(), message: this.#string() },
      ...(this.#chance(0.3) && { stack: this.#string() }),
      ...(this.#chance(0.3) && { classes: ['RangeError', 'Error'] }),
      ...(this.#chance(0.3) && { code: this.#value(depth) }),
      ...(this.#chance(0.3) && { properties: { a: this.#value(depth) } }),
      ...(this.#chance(0.4) && { cause: cause() }),
      ...(this.#chance(0.2) && { errors: [cause(), cause()] }),
    };
  }

  /** Messages that are sent at most once on a connection, or end it. */
  #rare(): object {
    return this.#pick<object>([
      this.#presence(),
      { type: 'goaway', last: this.#number(), reason: this.#string() },
      { type: 'revoked', passes: [{ id: this.#string(), exp: this.#number() }] },
      {
        ...{ type: 'load', tag: this.#pick(TAGS), running: this.#number(), waiting: this.#number() },
        ...{ yours: this.#number(), limit: this.#number() },
      },
      { type: this.#string(), id: 1 },
      { type: 'unreadable', id: 1, of: 'request', message: 'x' },
      [],
    ]);
  }

  /** Lies about who is present. */
  #presence(): object {
    const host = this.#pick(['127.0.0.1', '10.0.0.1', 'x', '::1']);
    const address = { host, port: this.#number(), tag: 'x'.repeat(22) };
    const peer = { id: 'liar', incarnation: 'x', started: this.#number(), version: this.#number() };
    const about = { name: '', group: '', hub: false, pid: 1, host, functions: this.#string() };
    const texts = [this.#string(), 'f'];
    return this.#pick<object>([
      { type: 'joined', members: [{ ...peer, addresses: [address], ...about }] },
      { type: 'left', peer, why: this.#pick(['lost', 'stopped', 'refused', 'x']) },
      { type: this.#pick(['accused', 'have']), peer, by: 'liar', turn: this.#number() },
      { type: 'digest', digest: this.#string() },
      { type: 'summary', fingerprints: texts, ...(this.#chance(0.5) && { more: true }) },
      { type: 'difference', offered: texts, wanted: texts },
      { type: this.#pick(['offered', 'wanted']), fingerprints: texts },
      { type: 'lists', digests: texts },
      { type: 'list', digest: 'f', tags: texts },
    ]);
  }

  #meta(binaries: number, paths: readonly string[]): object {
    const values: Record<string, unknown> = {};
    for (let count = 1 + this.#below(3); count > 0; count -= 1) {
      const path = this.#pick(paths) + (this.#chance(0.2) ? `.${this.#string().slice(0, 20)}` : '');
      const other = this.#chance(0.8) ? this.#pick(KINDS) : ['custom', this.#pick(BYTES)];
      const kind = this.#chance(0.4) ? 'undefined' : other;
      values[path] = this.#chance(0.2) ? [kind, { '0': [this.#pick(KINDS)] }] : [kind];
    }
    return { values, v: 1, ...(this.#chance(0.7) ? { binary: binaries } : { binary: this.#number() }) };
  }

  #value(depth = 0): unknown {
    switch (this.#below(depth > 4 ? 4 : 7)) {
      case 0:
        return this.#number();
      case 1:
      case 2:
        return this.#string();
      case 3:
        return this.#pick([null, true, false]);
      case 4:
        return Array.from({ length: this.#below(4) }, () => this.#value(depth + 1));
      case 5:
        return JSON.parse('['.repeat(depth === 0 ? 200 : 1) + ']'.repeat(depth === 0 ? 200 : 1));
      default:
        return Object.fromEntries(
          Array.from({ length: this.#below(4) }, () => [this.#string(), this.#value(depth + 1)]),
        );
    }
  }

  #tags(): string[] {
    return Array.from({ length: this.#below(20) }, () => `tag ${this.#below(1_000_000)}`);
  }

  #string(): string {
    // The long ones are rare.
    return this.#chance(0.03) ? this.#pick(STRINGS) : this.#pick(STRINGS.slice(0, -4));
  }

  #number(): number {
    return this.#chance(0.3) ? this.#below(100) : this.#pick(NUMBERS);
  }

  #chance(share: number): boolean {
    return this.#random() < share;
  }

  #below(count: number): number {
    return Math.floor(this.#random() * count);
  }

  #pick<T>(list: readonly T[]): T {
    return list[this.#below(list.length)]!;
  }
}
