import { NetError, isNetErrorCode } from '../../base/errors.ts';
import { nameOr } from '../../base/text.ts';
import type { ErrorParts } from '../../wire/values/error-classes.ts';

/**
 * The classes of errors, for a page: it trusts its own errors, and those of its server. Takes the place of
 * `wire/values/error-classes.ts` in a page; `spec/page/lean.spec.ts` holds the two against each other.
 */

type ErrorClass = abstract new (...args: never[]) => Error;

const builtIn: Record<string, ErrorClass> = {
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
  AggregateError,
  NetError,
};
const DOM_EXCEPTION = 'DOMException';
const registered = new Map<string, ErrorClass>();

const MOST_CLASSES = 8;

export const NOT_PROPERTIES = new Set([
  'name',
  'message',
  'stack',
  'code',
  'cause',
  'errors',
  '__proto__',
  'constructor',
]);

export function registerError(errorClass: ErrorClass, name?: string): void {
  if (!((errorClass as ErrorClass | undefined)?.prototype instanceof Error))
    throw new TypeError('registerError: give a class that extends Error');
  const called = name ?? errorClass.name;
  // A name of one or two letters is that of a minifier, and differs in the next build.
  if (!(name ?? called[2]) || isBuiltIn(called)) {
    throw new TypeError(`registerError: give another name than '${called}' as the second argument`);
  }
  if ((registered.get(called) ?? errorClass) !== errorClass)
    throw new Error(`registerError: another class is registered as ${called}`);
  registered.set(called, errorClass);
}

function isBuiltIn(name: string): boolean {
  return Object.hasOwn(builtIn, name) || name === DOM_EXCEPTION;
}

export function isError(value: unknown): value is Error {
  return value instanceof Error || Object.prototype.toString.call(value) === '[object Error]';
}

/** The names of the error's classes, the most derived first, down to the first built-in one. */
export function classNames(error: object): string[] {
  const names: string[] = [];
  let at = Object.getPrototypeOf(error) as Error | null;
  for (; at && names.length < MOST_CLASSES; at = Object.getPrototypeOf(at) as Error | null) {
    const constructor = at.constructor as ErrorClass | undefined;
    const [own] = [...registered].find(([, each]) => each === constructor) ?? [];
    // The bundle has a short name for NetError.
    const name = own ?? (constructor === NetError ? 'NetError' : nameOr(constructor?.name, ''));
    if (name) names.push(name);
    if (isBuiltIn(name)) break;
  }
  return names;
}

export function assembleError(parts: ErrorParts): Error {
  const { name, message, classes = [name], code, properties, errors } = parts;
  const known = classes
    .map((each) => (Object.hasOwn(builtIn, each) ? builtIn[each] : registered.get(each)))
    .find(Boolean);
  const isDom = !known && classes.includes(DOM_EXCEPTION);
  const error = isDom ? new DOMException(message, name) : new Error(message);
  if (known) Object.setPrototypeOf(error, known.prototype as object);
  if (error.name !== name) define(error, 'name', name);
  for (const [key, value] of Object.entries(properties ?? {})) define(error, key, value, true);
  if (code !== undefined && !isDom) define(error, 'code', code, true);
  if ('cause' in parts) define(error, 'cause', parts.cause);
  if (errors) define(error, 'errors', errors);
  if (error instanceof NetError) settleNetError(error, error.ran);
  return error;
}

export function settleNetError(error: NetError, ran: unknown): void {
  if (!isNetErrorCode(error.code)) define(error, 'code', 'CONNECTION_LOST', true);
  define(error, 'ran', ran ?? 'unknown', true);
  define(error, 'retriable', ran === 'no' && (error.retriable as unknown) === true, true);
}

export function define(error: Error, key: string, value: unknown, enumerable = false): void {
  Object.defineProperty(error, key, { value, enumerable, writable: true, configurable: true });
}
