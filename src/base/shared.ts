/**
 * What all copies of this library in a process have in common. A bundle or a second version of the package brings a copy with
 * variables of its own, and a function that one of them has connected is then handed to the other.
 *
 * @param name what it is, with a number that changes when its form does
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
