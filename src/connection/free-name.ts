/**
 * `<kind>:1`, or the next that is not taken. Names of children that go on and on would cost the engine a shape of the
 * `children` for each, and XState an entry for each that it never drops: it remembers what a machine does on every
 * type of event, and the end of a child is an event that has the child's name in its type.
 */
export function freeName(kind: string, taken: Iterable<string>): string {
  const names = new Set(taken);
  let number = 1;
  while (names.has(`${kind}:${number}`)) number += 1;
  return `${kind}:${number}`;
}
