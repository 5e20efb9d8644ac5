/** A page is a leaf: nobody tells it of other peers. Takes the place of `wire/presence-frames.ts` in a page. */

export const LONGEST_NAME = 256;

export function isPresenceFrame(): boolean {
  return false;
}
