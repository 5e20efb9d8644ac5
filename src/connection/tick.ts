/** One end of tick for all links of the process: with calls to many peers at once, one for each would be felt. */

interface Flushed {
  flush(): void;
}

let ticking = false;
let unsent: Flushed[] = [];

/** Whether something has been sent in this tick, on whichever link; if not, this tick has begun now. */
export function hasBegun(): boolean {
  if (ticking) return true;
  ticking = true;
  process.nextTick(endTick);
  return false;
}

/** Has it flushed at the end of this tick. */
export function flushAtEnd(link: Flushed): void {
  unsent.push(link);
  hasBegun();
}

function endTick(): void {
  const links = unsent;
  ticking = false;
  unsent = [];
  for (const link of links) link.flush();
}
