/**
 * A free name: `<kind>:<number>`, where the number is at most how many names were ever in use at once. Reuse names: a counter that
 * never repeats would leak memory. The engine would need a new shape of the object `children` for each name. XState would keep an
 * entry for each, because it caches what a machine does on every type of event, and the end of a child is an event with the
 * child's name in its type.
 *
 * Names are mostly in use without gaps, so the next number is tried first. To look at all names was 7% of the work for a connection
 * of a peer that has hundreds.
 * @param count how many names are in use
 */
export function freeName(kind: string, count: number, isTaken: (name: string) => boolean): string {
  let name = `${kind}:${count + 1}`;
  for (let number = 1; isTaken(name); number += 1) name = `${kind}:${number}`;
  return name;
}
