/** One end-of-tick callback for all links of the process: one for each link would be slow with calls to many peers at once. */

interface Flushed {
  flush(): void;
}

let ticking = false;
let unsent: Flushed[] = [];

/** Whether something was already sent in this tick, on any link. If not, the tick begins now. */
export function hasBegun(): boolean {
  if (ticking) return true;
  ticking = true;
  process.nextTick(endTick);
  return false;
}

/** Flushes the link at the end of this tick. */
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
