/** Numbers from 0 up to, but not including, 1. */
export type Random = () => number;

/** The same numbers for the same seed (mulberry32). */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * A source of its own for each purpose. A fault that is left out must not change what the story or another peer draws, or shrinking would
 * look at another run each time.
 */
export function seededFor(seed: number, purpose: string): Random {
  let hash = 0x811c9dc5 ^ seed;
  for (let at = 0; at < purpose.length; at += 1) {
    hash = Math.imul(hash ^ purpose.charCodeAt(at), 0x01000193);
  }
  // FNV-1a leaves the high bits of short texts alike.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return seeded(hash ^ (hash >>> 13));
}

/** From the first to the second, both finite. */
export function between(random: Random, [least, most]: readonly [number, number]): number {
  return least + random() * (most - least);
}

export function pick<T>(list: readonly T[], number: number): T | undefined {
  return list[Math.floor(number * list.length)];
}
