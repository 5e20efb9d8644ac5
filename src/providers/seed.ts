import { isIP, isIPv4, isIPv6 } from 'node:net';

import { NetError } from '../base/errors.ts';
import { addressText, isLoopback } from '../transport/address.ts';
import type { Address } from '../transport/address.ts';

/** A place where the search begins, given by the user: an address, or a name that is queried in the DNS repeatedly. */
export type Seed =
  /** A peer listens there. A host name is looked up at every dial. */
  | { kind: 'address'; address: Address }
  /** A peer listens on this port at every address of the name, such as a headless service of Kubernetes. */
  | { kind: 'addresses'; name: string; port: number }
  /** A peer listens at every target of the SRV records of the name. */
  | { kind: 'services'; name: string };

const FORMS =
  'write host:port, [ipv6]:port, dns:name:port for every address of a name, or srv:name for its SRV records';

/** Letters, digits, hyphens, and the underscores of SRV names and of containers. */
const LABEL = /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/i;
const LONGEST_NAME = 253;
const PORT = /^\d{1,5}$/;

/**
 * The seeds given in code, or else those of the environment, separated by commas.
 * @param lan whether this peer may leave its host
 * @throws TypeError naming the first seed that is not valid; NetError INSECURE naming the first that is beyond this host
 */
export function chosenSeeds(
  given: readonly string[] | undefined,
  environment: string | undefined,
  lan: boolean,
): Seed[] {
  // A comma at the end is allowed.
  const parts = environment?.split(',').filter((part) => part.trim() !== '') ?? [];
  const option = given === undefined ? 'APP_NET_PEERS' : 'seeds';
  if (!Array.isArray(given ?? parts)) throw new TypeError("seeds: give an array, such as ['10.0.0.5:4000']");
  const seeds = readSeeds(option, given ?? parts);
  const far = seeds.find((seed) => !isWithinHost(seed));
  if (!far || lan) return seeds;
  throw new NetError(
    'INSECURE',
    `${option}: ${seedText(far)} is beyond this host; set lan: true (APP_NET_LAN=1), which needs a secret and encrypts`,
  );
}

/** A name may point to any address at some time. Only `localhost` never does. */
function isWithinHost(seed: Seed): boolean {
  return seed.kind === 'address' && isLoopback(seed.address.host);
}

/** The seed, as a user writes it. */
function seedText(seed: Seed): string {
  if (seed.kind === 'address') return addressText(seed.address);
  return seed.kind === 'services' ? `srv:${seed.name}` : `dns:${seed.name}:${seed.port}`;
}

/**
 * @param option the option or variable that the entries come from, for the error
 * @throws TypeError naming the first entry that is not valid, and what to write instead
 */
export function readSeeds(option: string, entries: readonly unknown[]): Seed[] {
  const seeds = new Map<string, Seed>();
  for (const entry of entries) {
    const text = typeof entry === 'string' ? entry.trim() : '';
    if (text === '') throw bad(option, String(entry), `is not an address; ${FORMS}`);
    const seed = readSeed(option, text);
    // Duplicates count once.
    seeds.set(JSON.stringify(seed), seed);
  }
  return [...seeds.values()];
}

function readSeed(option: string, text: string): Seed {
  // A host itself may be called `dns` or `srv`.
  const [, scheme, rest = ''] = /^(dns|srv):(?!\d+$)(.*)$/i.exec(text) ?? [];
  if (scheme?.toLowerCase() === 'srv') {
    if (!isName(rest)) throw bad(option, text, 'names no service; write srv:_app-net._tcp.example.com');
    return { kind: 'services', name: rest };
  }
  const { host, port } = readAddress(option, text, scheme ? rest : text);
  if (!scheme) return { kind: 'address', address: { host, port } };
  if (isIP(host)) throw bad(option, text, `asks the DNS about an IP address; write ${rest}`);
  return { kind: 'addresses', name: host, port };
}

function readAddress(option: string, entry: string, text: string): Address {
  if (text.includes('/')) throw bad(option, entry, 'is a URL or a path; write host:port');
  if (isIPv6(text)) throw bad(option, entry, `needs brackets and a port: [${text}]:4000`);
  const [, bracketed, plain = '', digits] = /^(?:\[(.*)\]|([^:[\]]*))(?::(.*))?$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (bracketed === undefined ? !isHost(plain) : !isIPv6(bracketed)) {
    throw bad(option, entry, `has no valid host; ${FORMS}`);
  }
  if (digits === undefined) throw bad(option, entry, `has no port; write ${text}:4000`);
  const port = Number(digits);
  if (!PORT.test(digits) || port < 1 || port > 65_535)
    throw bad(option, entry, 'needs a port from 1 to 65535');
  if (host === '0.0.0.0' || /^[0:]+$/.test(host)) {
    throw bad(
      option,
      entry,
      'is not an address to dial; write an address of the other host, or 127.0.0.1 for this host',
    );
  }
  return { host: host.toLowerCase(), port };
}

/** An IPv4 address, or a name. Digits and dots alone must be an address, because no top-level domain is a number. */
function isHost(text: string): boolean {
  return /^[\d.]+$/.test(text) ? isIPv4(text) : isName(text);
}

function isName(text: string): boolean {
  const name = text.replace(/\.$/, '');
  return name.length <= LONGEST_NAME && name.split('.').every((label) => LABEL.test(label));
}

function bad(option: string, entry: string, what: string): TypeError {
  return new TypeError(`${option}: ${JSON.stringify(entry.slice(0, LONGEST_NAME))} ${what}`);
}
