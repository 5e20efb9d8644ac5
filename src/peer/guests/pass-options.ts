import { NetError } from '../../base/errors.ts';
import { hint } from '../../base/near.ts';
import { refuseUnknown, strings, text } from '../../base/option-checks.ts';
import { tagOf } from '../../functions/connected.ts';
import type { AnyFunction } from '../../base/function-types.ts';
import { DEFAULT_TAGS, RESERVED } from '../../base/tag.ts';
import { LONGEST_PASS, LONGEST_PATTERN, Patterns } from '../../wire/handshake/pass.ts';
import type { PassClaims } from '../../wire/handshake/pass.ts';

/**
 * The rights of a pass. Whatever it does not name does not exist for the peer that has it.
 *
 * @example
 * const own = createPeer();
 * const pass = await own.pass({ may: [resize, 'chat.*'], hear: ['job.*'], expires: '8h', origins: ['https://app.example'] });
 */
export interface PassOptions {
  /**
   * What it may call: connected functions, and tags in which `*` stands for any characters. Tags that begin with `net.` are only
   * meant by patterns that begin so. Default: nothing.
   */
  may?: readonly (AnyFunction | string)[] | undefined;
  /** The events that it may hear: names in which `*` stands for any characters. `*` alone allows to subscribe to every event. Default: none. */
  hear?: readonly string[] | undefined;
  /** Tags that it may connect and names of events that it may emit. `*` stands for any characters. Default: none. */
  offers?: readonly string[] | undefined;
  /**
   * The origins of the web pages that may use it, such as `https://app.example`. Default: none; then only programs can use it,
   * which send no `Origin`.
   */
  origins?: readonly string[] | undefined;
  /** How long it is valid: a number of ms, or a text such as `30s`, `15m`, `8h` or `7d`. At most 366 days. Default: `8h`. */
  expires?: number | string | undefined;
  /** What others see as the name of the peer that has it. 1 to 256 characters. Default: `guest`. */
  name?: string | undefined;
}

const KNOWN: Record<keyof PassOptions, true> = {
  may: true,
  hear: true,
  offers: true,
  origins: true,
  expires: true,
  name: true,
};

const UNITS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const LONGEST = 366 * UNITS['d']!;

/**
 * What the pass says, but for the secret and its own name.
 * @throws TypeError that names the option
 */
export function claimsOf(options: PassOptions): Omit<PassClaims, 'v' | 'kid' | 'id'> {
  refuseUnknown('option of a pass', options, KNOWN);
  const { may = [], hear, offers, origins, expires, name } = options;
  if (!Array.isArray(may))
    throw new TypeError("may: give a list of functions and tags, such as [resize, 'chat.*']");
  const lists = {
    may: [...may].map(tagFrom),
    hear: patterns('hear', hear, 'job.*'),
    offers: patterns('offers', offers, 'page.*'),
    origins: strings('origins', origins, 'https://app.example').map(checkOrigin),
  };
  // Absent fields say the same, and a page need not load them.
  const given = Object.fromEntries(Object.entries(lists).filter(([, list]) => list.length > 0));
  // Rounded up: a pass is valid for as long as was said.
  const exp = Math.ceil((Date.now() + timeOf(expires)) / 1_000);
  return { exp, ...given, ...(name !== undefined && { name: text('name', name, '') }) };
}

/** @throws TypeError for a pass that is too long for a hello */
export function checkLength(shown: string): string {
  if (shown.length <= LONGEST_PASS) return shown;
  throw new TypeError(
    `the pass would have ${shown.length} characters, and can have ${LONGEST_PASS}; use fewer names, or patterns with *`,
  );
}

function tagFrom(what: AnyFunction | string): string {
  if (typeof what === 'string') return callable(pattern('may', what));
  const tag = typeof what === 'function' ? tagOf(what) : undefined;
  if (tag !== undefined) return tag;
  throw new TypeError('may: give connected functions, and tags as strings; connect the function first');
}

/** Nobody can connect a tag that begins with `net.`, so one that no peer has from the start stands for nothing. */
function callable(given: string): string {
  if (!given.startsWith(RESERVED)) return given;
  const [own, meant] = [Object.values<string>(DEFAULT_TAGS), new Patterns([given])];
  if (own.some((tag) => meant.includeTag(tag))) return given;
  throw new TypeError(
    `may: no peer can have a function ${JSON.stringify(given)}; ${hint(given, own)} functions whose tags begin with ${RESERVED} ` +
      `are ${own.join(', ')}`,
  );
}

function patterns(option: string, given: readonly string[] | undefined, such: string): string[] {
  return strings(option, given, such).map((each) => pattern(option, each));
}

function pattern(option: string, given: string): string {
  if (given !== '' && given.length <= LONGEST_PATTERN) return given;
  throw new TypeError(`${option}: give strings of 1 to ${LONGEST_PATTERN} characters`);
}

function checkOrigin(origin: string): string {
  if (URL.canParse(origin) && new URL(origin).origin === origin) return origin;
  throw new TypeError(
    `origins: ${JSON.stringify(origin)} is no origin; give scheme, host and port, such as https://app.example`,
  );
}

function timeOf(expires: number | string = '8h'): number {
  const [, count, unit = ''] = /^(\d+)(ms|s|m|h|d)$/.exec(String(expires)) ?? [];
  const time = typeof expires === 'number' ? expires : Number(count) * (UNITS[unit] ?? NaN);
  if (time > 0 && time <= LONGEST) return time;
  throw new TypeError('expires: give a number of ms, or a text such as 30s, 15m, 8h or 7d; at most 366 days');
}

/** @throws NetError INSECURE for a secret that cannot make passes */
export function noPasses(): NetError {
  return new NetError(
    'INSECURE',
    'passes need a made secret (net1_…): whoever has a pass could try passphrases for as long as they like. Make one with ' +
      'npx app-net secret',
  );
}
