import type { Driver } from './driver.ts';

/** What the suite wants of an implementation. Each scenario names the capabilities without which it makes no sense. */

/** Two drivers that see each other. In one run the implementation under test is the caller, in another it is the callee. */
export interface Pair {
  caller: Driver;
  callee: Driver;
}

export interface Scenario {
  /** A sentence of behaviour. */
  title: string;
  /** Capabilities that the caller, the callee need. */
  caller?: string[];
  callee?: string[];
  run(pair: Pair): Promise<void>;
}

/** Calls a function of the callee. */
export function call<T = unknown>(
  { caller, callee }: Pair,
  tag: string,
  args: unknown[] = [],
  options: { [key: string]: unknown } = {},
): Promise<T> {
  return caller.do<T>('call', { peer: callee.id, tag, args, ...options });
}

let keys = 0;

/** A name for a call or a stream that nothing else has. */
export function newKey(): string {
  keys += 1;
  return `key-${keys}`;
}
