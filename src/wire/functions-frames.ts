import { encodeFrame } from './codec.ts';
import { byteLength } from './engine.ts';

/** Functions that one peer may announce, at most. */
export const MOST_FUNCTIONS = 65_536;

/** Characters of all their tags together, at most: 64 each on average. The longest tag may have 1,024. */
export const MOST_TAG_CHARACTERS = 4 * 1024 * 1024;

/** Bytes of a frame. The other side accepts more, but it can read a short message while the next one is on its way. */
const LONGEST_FRAME = 64 * 1024;

/** Bytes around the tags: `{"type":"functions","added":[],"removed":[]}`. */
const AROUND = 64;

/**
 * Removes as many changes from `untold` as fit into one frame, and returns that frame.
 * @param untold changes not yet sent, by tag: true if the function was connected, false if it was disconnected
 * @param largest bytes that the other side accepts
 */
export function takeFunctionsFrame(untold: Map<string, boolean>, largest: number): string {
  const added: string[] = [];
  const removed: string[] = [];
  let left = Math.min(largest, LONGEST_FRAME) - AROUND;
  for (const [tag, isThere] of untold) {
    left -= byteLength(JSON.stringify(tag)) + 1;
    // Every tag fits alone: `limits.message` is 64 KiB at least.
    if (left < 0) break;
    untold.delete(tag);
    (isThere ? added : removed).push(tag);
  }
  return encodeFrame({ type: 'functions', added, removed });
}
