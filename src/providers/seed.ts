import { isIP, isIPv4, isIPv6 } from 'node:net';

import { NetError } from '../base/errors.ts';
import { addressText, isLoopback } from '../transport/address.ts';
import type { Address } from '../transport/address.ts';

/** Where to begin to look, as a user writes it: an address, or a name that the DNS is asked about again and again. */
export type Seed =
  /** A peer listens there; a name is looked up at every dial. */
  | { kind: 'address'; address: Address }
  /** A peer listens on this port at every address of the name, as of a headless service of Kubernetes. */
  | { kind: 'addresses'; name: string; port: number }
  /** A peer listens wherever a SRV record of the name points. */
  | { kind: 'services'; name: string };

const FORMS =
  'write host:port, [ipv6]:port, dns:name:port for every address of a name, or srv:name for its SRV records';

/** Letters, digits, hyphens, and the underscores of SRV names and of containers. */
const LABEL = /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/i;
const LONGEST_NAME = 253;
const PORT = /^\d{1,5}$/;

/**
 * Those given in code, else those of the environment, separated by commas.
 * @param lan whether this peer goes beyond its host at all
 * @throws TypeError naming the first that cannot be meant; NetError INSECURE naming the first that is beyond this host
 */
export function chosenSeeds(
  given: readonly string[] | undefined,
  environment: string | undefined,
  lan: boolean,
): Seed[] {
  // A comma at the end is no mistake.
  const parts = environment?.split(',').filter((part) => part.trim() !== '') ?? [];
  const option = given === undefined ? 'APP_NET_PEERS' : 'seeds';
  if (!Array.isArray(given ?? parts)) throw new TypeError("seeds: give an array, such as ['10.0.0.5:4000']");
  const seeds = readSeeds(option, given ?? parts);
  const far = seeds.find((seed) => !isWithinHost(seed));
  if (!far || lan) return seeds;
  throw new NetError(
    'INSECURE',
    `${option}: ${seedText(far)} is beyond this host; say lan: true (APP_NET_LAN=1), which needs a secret and encrypts`,
  );
}

/** A name may come to mean any address, but for the one that never does. */
function isWithinHost(seed: Seed): boolean {
  return seed.kind === 'address' && isLoopback(seed.address.host);
}

/** As a user writes it. */
function seedText(seed: Seed): string {
  if (seed.kind === 'address') return addressText(seed.address);
  return seed.kind === 'services' ? `srv:${seed.name}` : `dns:${seed.name}:${seed.port}`;
}

/**
 * @param option what the entries were given as, for the error
 * @throws TypeError naming the first entry that cannot be meant, and what to write instead
 */
export function readSeeds(option: string, entries: readonly unknown[]): Seed[] {
  const seeds = new Map<string, Seed>();
  for (const entry of entries) {
    const text = typeof entry === 'string' ? entry.trim() : '';
    if (text === '') throw bad(option, String(entry), `is no address; ${FORMS}`);
    const seed = readSeed(option, text);
    // Twice the same is once.
    seeds.set(JSON.stringify(seed), seed);
  }
  return [...seeds.values()];
}

function readSeed(option: string, text: string): Seed {
  // A host may be called `dns` or `srv`, too.
  const [, scheme, rest = ''] = /^(dns|srv):(?!\d+$)(.*)$/i.exec(text) ?? [];
  if (scheme?.toLowerCase() === 'srv') {
    if (!isName(rest)) throw bad(option, text, 'names no service; write srv:_app-net._tcp.example.com');
    return { kind: 'services', name: rest };
  }
  const { host, port } = readAddress(option, text, scheme ? rest : text);
  if (!scheme) return { kind: 'address', address: { host, port } };
  if (isIP(host)) throw bad(option, text, `asks the DNS for a number; write ${rest}`);
  return { kind: 'addresses', name: host, port };
}

function readAddress(option: string, entry: string, text: string): Address {
  if (text.includes('/')) throw bad(option, entry, 'is a URL or a path; write host:port');
  if (isIPv6(text)) throw bad(option, entry, `needs brackets and a port: [${text}]:4000`);
  const [, bracketed, plain = '', digits] = /^(?:\[(.*)\]|([^:[\]]*))(?::(.*))?$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (bracketed === undefined ? !isHost(plain) : !isIPv6(bracketed)) {
    throw bad(option, entry, `has no host that can be meant; ${FORMS}`);
  }
  if (digits === undefined) throw bad(option, entry, `has no port; write ${text}:4000`);
  const port = Number(digits);
  if (!PORT.test(digits) || port < 1 || port > 65_535)
    throw bad(option, entry, 'needs a port from 1 to 65535');
  if (host === '0.0.0.0' || /^[0:]+$/.test(host)) {
    throw bad(option, entry, 'is no address to dial; write one of the other host, or 127.0.0.1 for this one');
  }
  return { host: host.toLowerCase(), port };
}

/** An IPv4 address, or a name. Digits and dots are a number or nothing: no top-level domain is a number. */
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
