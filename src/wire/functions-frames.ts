import { encodeFrame } from './codec.ts';

/** Functions that one peer tells of, at most … */
export const MOST_FUNCTIONS = 65_536;

/** … and characters of their tags together: 64 each on average, where the longest has 1,024. */
export const MOST_TAG_CHARACTERS = 4 * 1024 * 1024;

/** Bytes of a frame. What the other side takes is more, but it reads a short message while the next one is on its way. */
const LONGEST_FRAME = 64 * 1024;

/** Bytes around the tags: `{"type":"functions","added":[],"removed":[]}`. */
const AROUND = 64;

/**
 * Takes as many changes out of `untold` as fit into one frame.
 * @param untold by tag: whether there is a function now
 * @param largest bytes that the other side takes
 */
export function takeFunctionsFrame(untold: Map<string, boolean>, largest: number): string {
  const added: string[] = [];
  const removed: string[] = [];
  let left = Math.min(largest, LONGEST_FRAME) - AROUND;
  for (const [tag, isThere] of untold) {
    left -= Buffer.byteLength(JSON.stringify(tag)) + 1;
    // Every tag fits alone: `limits.message` is 64 KiB at least.
    if (left < 0) break;
    untold.delete(tag);
    (isThere ? added : removed).push(tag);
  }
  return encodeFrame({ type: 'functions', added, removed });
}
