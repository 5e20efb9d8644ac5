import { inspect, types } from 'node:util';

import { NetError, isNetErrorCode } from '../errors.ts';
import { trimStack } from './stack.ts';

/**
 * Which classes errors have on their way, and what an error is made of: the same for one that was thrown and for
 * one inside a value.
 */

// A class of errors can have any constructor; it is only ever looked at, never called.
type ErrorClass = abstract new (...args: never[]) => Error;

/** Classes that a remote error may become. The built-in ones are always there. */
const classes = new Map<string, ErrorClass>();
const registeredNames = new Map<unknown, string>();

for (const known of [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError]) {
  classes.set(known.name, known);
}
classes.set('AggregateError', AggregateError);
classes.set('NetError', NetError);
const BUILT_IN = new Set(classes.keys());

/** How many class names are told, and how long each may be. */
const MOST_CLASSES = 8;
const LONGEST_CLASS_NAME = 256;

/** Properties that are carried in fields of their own, or that no stranger may set. */
const NOT_PROPERTIES = new Set([
  'name',
  'message',
  'stack',
  'code',
  'cause',
  'errors',
  '__proto__',
  'constructor',
]);

/**
 * Makes errors of a class arrive as that class. Both processes must register it. The constructor is not run
 * when an error arrives: it is given the prototype, message, cause and own enumerable properties.
 *
 * @param name what the class is called on the wire; give one where a bundler shortens class names
 */
export function registerError(errorClass: ErrorClass, name?: string): void {
  if (!isErrorClass(errorClass)) {
    throw new TypeError('registerError takes a class that extends Error');
  }
  const called = name ?? errorClass.name;
  if (!called) throw new TypeError('registerError: the class has no name; give one as the second argument');
  if (BUILT_IN.has(called)) throw new TypeError(`registerError: ${called} is the name of a built-in error`);
  const taken = classes.get(called);
  if (taken && taken !== errorClass) {
    throw new Error(`registerError: another class is already registered as ${called}; give a second name`);
  }
  classes.set(called, errorClass);
  registeredNames.set(errorClass, called);
}

function isErrorClass(value: unknown): boolean {
  return typeof value === 'function' && value.prototype instanceof Error;
}

/** Also one of another realm, as code in a `vm` context throws them. */
export function isError(value: unknown): value is Error {
  return value instanceof Error || types.isNativeError(value);
}

/** What every error on the wire has. */
export interface ErrorBasics {
  name: string;
  message: string;
  /** Class names, the most derived first, down to a built-in one; absent when that is just `name`. */
  classes?: string[];
  /** As the engine wrote it. Absent when the peer keeps its stacks to itself. */
  stack?: string;
}

export function basicsOf(error: Error, stacks: boolean): ErrorBasics {
  const basics: ErrorBasics = { name: asText(error.name), message: asText(error.message) };
  const names = classNames(error);
  if (names.length !== 1 || names[0] !== basics.name) basics.classes = names;
  if (stacks && typeof error.stack === 'string') basics.stack = trimStack(error.stack);
  return basics;
}

/** Names and messages are strings by the language's types only. */
function asText(value: unknown): string {
  return typeof value === 'string' ? value : inspect(value, { depth: 0 });
}

/** The names of the error's classes, the most derived first, down to the first built-in one. */
function classNames(error: Error): string[] {
  if (error instanceof DOMException) return ['DOMException'];
  const names: string[] = [];
  for (let at: unknown = Object.getPrototypeOf(error); at; at = Object.getPrototypeOf(at)) {
    const { constructor } = at as { constructor?: unknown };
    const name: unknown =
      registeredNames.get(constructor) ?? (constructor as { name?: unknown } | undefined)?.name;
    if (typeof name !== 'string' || name === '' || name.length > LONGEST_CLASS_NAME) continue;
    // A class of the user's may be called NetError too; it is not ours.
    if (name === 'NetError' && constructor !== NetError) continue;
    // The built-in one is told in any case: every receiver has it.
    if (BUILT_IN.has(name)) return [...names.slice(0, MOST_CLASSES - 1), name];
    names.push(name);
  }
  return names.slice(0, MOST_CLASSES);
}

/** The error's own enumerable properties that have no field of their own. Undefined ones are as good as none. */
export function* propertiesOf(error: Error): Generator<[key: string, value: unknown]> {
  for (const key of Object.keys(error)) {
    if (NOT_PROPERTIES.has(key)) continue;
    let value: unknown;
    try {
      value = (error as unknown as Record<string, unknown>)[key];
    } catch {
      // A getter that throws takes only itself out.
      continue;
    }
    if (value !== undefined) yield [key, value];
  }
}

/** What an error is put together from. `cause` may be there and undefined. */
export interface ErrorParts extends ErrorBasics {
  code?: unknown;
  properties?: { [key: string]: unknown };
  cause?: unknown;
  errors?: unknown[];
}

/** Everything of the error but its stack, which the engine has set to the place of this call. */
export function assembleError(parts: ErrorParts): Error {
  const error = instantiate(parts);
  if (error.name !== parts.name) define(error, 'name', parts.name);
  for (const [key, value] of Object.entries(parts.properties ?? {})) {
    if (!NOT_PROPERTIES.has(key)) define(error, key, value, true);
  }
  if (parts.code !== undefined && !(error instanceof DOMException)) define(error, 'code', parts.code, true);
  if ('cause' in parts) define(error, 'cause', parts.cause);
  if (parts.errors) define(error, 'errors', parts.errors);
  return error;
}

function instantiate({ name, message, classes: names = [name] }: ErrorParts): Error {
  if (names[0] === 'DOMException') return new DOMException(message, name);
  // A real Error is given another prototype: so it is one to `util.types.isNativeError`, `structuredClone` and
  // inspectors, and no constructor of the user's runs with arguments it does not expect.
  const error = new Error(message);
  const known = names.map((each) => classes.get(each)).find((each) => each !== undefined);
  if (known) Object.setPrototypeOf(error, known.prototype as object);
  return error;
}

/** Gives a NetError from the wire what every NetError has, whatever was sent. `ran`: what is true here. */
export function settleNetError(error: NetError, ran: unknown): void {
  define(error, 'code', isNetErrorCode(error.code) ? error.code : 'CONNECTION_LOST', true);
  define(error, 'ran', ran === 'no' || ran === 'yes' ? ran : 'unknown', true);
  define(error, 'retriable', error.ran === 'no' && (error.retriable as unknown) === true, true);
}

export function define(error: Error, key: string, value: unknown, enumerable = false): void {
  Object.defineProperty(error, key, { value, enumerable, writable: true, configurable: true });
}
