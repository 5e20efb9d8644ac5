import type { AnyFunction } from '../base/function-types.ts';

/**
 * The functions of an object: its own enumerable properties.
 * @throws TypeError when it has any other property, or is an instance of a class
 */
export function readRecord(record: object, prefix: unknown): { key: string; fn: AnyFunction }[] {
  if (prefix !== undefined && (typeof prefix !== 'string' || prefix === '')) {
    throw new TypeError('prefix: give a non-empty string');
  }
  if (Array.isArray(record))
    throw new TypeError('connect: an array has no names to derive tags from; give an object of functions');
  const prototype: unknown = Object.getPrototypeOf(record);
  // A plain object has `Object.prototype`, possibly of another realm; the exports of a module have null.
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null)
    throw new TypeError(ofInstance(record));
  const functions = Object.entries(Object.getOwnPropertyDescriptors(record))
    .filter(([, { enumerable }]) => enumerable)
    .map(([key, property]) => {
      const value: unknown = property.value;
      if (typeof value === 'function') return { key, fn: value as AnyFunction };
      const what = 'get' in property ? 'a getter' : value === null ? 'null' : typeof value;
      const hint = what === 'object' ? 'connect it separately, with its own prefix' : 'leave it out';
      throw new TypeError(`connect: the property ${key} must be a function, and is ${what}; ${hint}`);
    });
  if (functions.length === 0)
    throw new TypeError('connect: the object has no functions; give one such as { add, multiply }');
  return functions;
}

function ofInstance(record: object): string {
  const { name } = (record as { constructor?: { name?: unknown } }).constructor ?? {};
  return (
    `connect: this is an instance of ${typeof name === 'string' && name ? name : 'a class'}, whose methods are not its own properties; ` +
    'connect an object of functions: connect({ read: (key) => store.read(key) })'
  );
}
