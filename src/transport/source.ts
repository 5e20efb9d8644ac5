import { isIPv6 } from 'node:net';

import type { Clock } from '../base/clock.ts';
import { isLoopback, plainIp } from './address.ts';

/** What one source may do at once, and how soon it may again: connections that prove nothing, as they cost the most. */
const BURST = 256;
const PER_SECOND = 64;

/** Sources that are remembered, the latest. */
const MOST_SOURCES = 1_024;

/**
 * Who is behind an address, as far as it tells: an IPv4 address, or the /64 network of an IPv6 address, since a host
 * can have all of that to itself.
 */
export function sourceOf(remote: string): string {
  const [ip = ''] = plainIp(remote).split('%');
  if (!isIPv6(ip)) return ip;
  const [head, tail] = ip.split('::').map((part) => (part === '' ? [] : part.split(':')));
  // `::` stands for as many zeros as are missing; where there is none, nothing is.
  const gap = tail ? Array.from({ length: 8 - head!.length - tail.length }, () => '0') : [];
  const groups = [...head!, ...gap, ...(tail ?? [])];
  return groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':');
}

/**
 * How many connections each source may still open. One that is authenticated costs nothing, so honest peers are not held
 * back however many they are. Reconnecting does not help: what is remembered is the source.
 */
export class SourceBudgets {
  readonly #now: () => number;
  /** By source, the latest last. */
  readonly #spent = new Map<string, { count: number; at: number }>();

  constructor(now: Clock['now']) {
    this.#now = now;
  }

  /** Sources that are remembered. */
  get size(): number {
    return this.#spent.size;
  }

  /** Whether it may open another one. Within this host honest peers have the same address as everybody else. */
  take(remote: string): boolean {
    if (isLoopback(remote)) return true;
    const source = sourceOf(remote);
    const spent = this.#remembered(source);
    if (spent.count >= BURST) return false;
    spent.count += 1;
    return true;
  }

  /** It has proved itself. */
  giveBack(remote: string): void {
    const spent = this.#spent.get(sourceOf(remote));
    if (spent && spent.count > 0) spent.count -= 1;
  }

  #remembered(source: string): { count: number; at: number } {
    const now = this.#now();
    const spent = this.#spent.get(source) ?? { count: 0, at: now };
    spent.count = Math.max(0, spent.count - ((now - spent.at) * PER_SECOND) / 1_000);
    spent.at = now;
    this.#spent.delete(source);
    this.#spent.set(source, spent);
    const [oldest] = this.#spent.keys();
    if (oldest !== undefined && this.#spent.size > MOST_SOURCES) this.#spent.delete(oldest);
    return spent;
  }
}
