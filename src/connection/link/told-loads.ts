import type { LoadFrame } from '../../wire/frames.ts';

/** How busy a function of another peer is with the calls of others. */
export interface ToldLoad {
  /** Calls that run or wait there and are not from here. */
  readonly others: number;
  /** Calls that run there at the same time. */
  readonly limit: number;
}

/** What the other side of a link has told about its functions. */
export class ToldLoads {
  readonly #loads = new Map<string, ToldLoad>();

  get(tag: string): ToldLoad | undefined {
    return this.#loads.get(tag);
  }

  /** @param has whether the other side has the function. What it tells of others is not kept. */
  take({ tag, running, waiting = 0, yours = 0, limit }: LoadFrame, has: boolean): void {
    if (running === undefined || limit === undefined || !has) this.#loads.delete(tag);
    else this.#loads.set(tag, { others: Math.max(0, running + waiting - yours), limit });
  }
}
