import type { AnyFunction } from '../calls/callee/registry.ts';

/**
 * The functions of an object: its own, that can be enumerated.
 * @throws TypeError when it has anything else, or is an instance of a class
 */
export function readRecord(record: object, prefix: unknown): { key: string; fn: AnyFunction }[] {
  if (prefix !== undefined && (typeof prefix !== 'string' || prefix === '')) {
    throw new TypeError('prefix: give a string that is not empty');
  }
  if (Array.isArray(record)) throw new TypeError('connect: an array has no names to make tags of');
  const prototype: unknown = Object.getPrototypeOf(record);
  // `Object.prototype`, be it that of another realm, or null as in what a module exports.
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null)
    throw new TypeError(ofInstance(record));
  const functions = Object.entries(Object.getOwnPropertyDescriptors(record))
    .filter(([, { enumerable }]) => enumerable)
    .map(([key, property]) => {
      const value: unknown = property.value;
      if (typeof value === 'function') return { key, fn: value as AnyFunction };
      const what = 'get' in property ? 'a getter' : value === null ? 'null' : typeof value;
      const hint = what === 'object' ? 'connect it by itself, with a prefix of its own' : 'leave it out';
      throw new TypeError(`connect: the property ${key} is no function but ${what}; ${hint}`);
    });
  if (functions.length === 0) throw new TypeError('connect: the object has no functions');
  return functions;
}

function ofInstance(record: object): string {
  const { name } = (record as { constructor?: { name?: unknown } }).constructor ?? {};
  return (
    `connect: this is an instance of ${typeof name === 'string' && name ? name : 'a class'}, whose methods are not its own; ` +
    'connect an object of functions: connect({ read: (key) => store.read(key) })'
  );
}
