/**
 * State that all copies of this library in a process share. A bundle, or a second version of the package, is a copy with its own
 * variables; yet a function that one copy connected may be passed to the other.
 *
 * @param name names the state, with a number that changes when its shape changes
 */
export function shared<T extends object>(name: string, make: () => T): T {
  const key = Symbol.for(`app-net.${name}`);
  const holder = globalThis as { [key: symbol]: T | undefined };
  const known = holder[key];
  if (known) return known;
  const value = make();
  Object.defineProperty(holder, key, { value });
  return value;
}
