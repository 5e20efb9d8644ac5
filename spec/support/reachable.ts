/**
 * Everything that can be reached from a value without calling it: own properties, also hidden ones and symbols, the
 * entries of maps and sets, and so on to the end. Closures and private fields are left out, since logs and inspectors
 * cannot reach them either.
 */
export function reachable(root: unknown): { texts: Set<string>; bytes: Uint8Array[] } {
  const texts = new Set<string>();
  const bytes: Uint8Array[] = [];
  const seen = new Set<unknown>([globalThis, process, process.env]);
  const waiting: unknown[] = [root];
  while (waiting.length > 0) {
    const value = waiting.pop();
    if (typeof value === 'string') texts.add(value);
    if (value === null || (typeof value !== 'object' && typeof value !== 'function') || seen.has(value))
      continue;
    seen.add(value);
    if (value instanceof Uint8Array) {
      bytes.push(value);
      continue;
    }
    if (value instanceof Map) for (const [key, each] of value) waiting.push(key, each);
    if (value instanceof Set) waiting.push(...value);
    for (const key of Reflect.ownKeys(value)) {
      const property = Reflect.getOwnPropertyDescriptor(value, key);
      if (property && 'value' in property) waiting.push(key, property.value);
    }
  }
  return { texts, bytes };
}
