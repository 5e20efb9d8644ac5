/**
 * The first free name: `<kind>:1`, or a higher number. Reuse names: a counter that never repeats would leak memory. The engine
 * would need a new shape of the object `children` for each name. XState would keep an entry for each, because it caches what a
 * machine does on every type of event, and the end of a child is an event with the child's name in its type.
 */
export function freeName(kind: string, taken: Iterable<string>): string {
  const names = new Set(taken);
  let number = 1;
  while (names.has(`${kind}:${number}`)) number += 1;
  return `${kind}:${number}`;
}
