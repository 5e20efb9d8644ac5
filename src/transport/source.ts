import { isIPv6 } from 'node:net';

import type { Clock } from '../base/time/clock.ts';
import { isLoopback, plainIp } from './address.ts';

/** Unauthenticated connections, which cost the most, that one source may open at once, and how many more it gets per second. */
const BURST = 256;
const PER_SECOND = 64;

/** Only this many sources are remembered, the most recent ones. */
const MOST_SOURCES = 1_024;

/**
 * The source behind an address: an IPv4 address itself, or the /64 network of an IPv6 address, because one host can have a whole
 * /64 network.
 */
export function sourceOf(remote: string): string {
  const [ip = ''] = plainIp(remote).split('%');
  if (!isIPv6(ip)) return ip;
  const [head, tail] = ip.split('::').map((part) => (part === '' ? [] : part.split(':')));
  // `::` stands for the missing zeros. Without it, no group is missing.
  const gap = tail ? Array.from({ length: 8 - head!.length - tail.length }, () => '0') : [];
  const groups = [...head!, ...gap, ...(tail ?? [])];
  return groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':');
}

/**
 * Counts how many connections each source may still open. Authenticated connections are free, so any number of honest peers is
 * admitted. Reconnecting does not help an attacker, because the source is remembered.
 */
export class SourceBudgets {
  readonly #now: () => number;
  /** By source, the most recent last. */
  readonly #spent = new Map<string, { count: number; at: number }>();

  constructor(now: Clock['now']) {
    this.#now = now;
  }

  /** Number of remembered sources. */
  get size(): number {
    return this.#spent.size;
  }

  /** Whether the source may open another connection. Loopback always may: honest peers share that address with everybody else. */
  take(remote: string): boolean {
    if (isLoopback(remote)) return true;
    const source = sourceOf(remote);
    const spent = this.#remembered(source);
    if (spent.count >= BURST) return false;
    spent.count += 1;
    return true;
  }

  /** Call when a connection has proved itself. */
  giveBack(remote: string): void {
    if (isLoopback(remote)) return;
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
