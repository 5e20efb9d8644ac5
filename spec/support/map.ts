import { callMap } from '../../src/many/map.ts';
import type { Inputs } from '../../src/many/map-inputs.ts';
import type { MapCall } from '../../src/many/map-options.ts';
import type { MapResult, Results } from '../../src/index.ts';
import type { FakePool } from './pool.ts';

/** Helpers that the specs of maps share. */

export type Result = MapResult<unknown, unknown>;

/** A map over the peers of the pool, two inputs at a time each, unless changed. */
export function mapOver(
  pool: FakePool,
  inputs: Inputs<unknown>,
  changes: Partial<MapCall> = {},
): Results<Result> {
  const call = {
    ...{ candidates: pool.candidates(), idempotent: false, concurrency: 2, ordered: false, time: 1_000 },
    ...{ signal: undefined, onProgress: undefined, args: (input: unknown) => [input] },
    ...changes,
  };
  return callMap(call, inputs);
}

export async function gather(results: AsyncIterable<Result>): Promise<Result[]> {
  const all: Result[] = [];
  for await (const result of results) all.push(result);
  return all;
}

export function values(results: Result[]): unknown[] {
  return results.map((result) => (result.status === 'fulfilled' ? result.value : result.reason));
}

/** A function that peers of the pool may have. */
export function double([x]: readonly unknown[]): number {
  return (x as number) * 2;
}

export interface OpenCall {
  input: unknown;
  answer: (value: unknown) => void;
  fail: (error: unknown) => void;
}

/** A peer whose answers wait in the list that is returned until the test gives them. */
export function slow(pool: FakePool, name: string): OpenCall[] {
  const open: OpenCall[] = [];
  pool.join(name, ([input]) => new Promise((answer, fail) => open.push({ input, answer, fail })));
  return open;
}

export function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}
