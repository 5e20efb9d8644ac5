import { NetError, isNetErrorCode, isNetErrorPrototype } from '../../base/errors.ts';
import { isNativeError } from '../engine.ts';
import { shared } from '../../base/shared.ts';

/**
 * The classes that errors have on the wire, and how errors are put together. It is the same for a thrown error and for an error
 * inside a value.
 */

// An error class can have any constructor. It is never called.
type ErrorClass = abstract new (...args: never[]) => Error;

/** Classes that a remote error can be given. */
const classes = shared('errors.1', () => new Map<string, ErrorClass>());
const registeredNames = shared('error-names.1', () => new Map<unknown, string>());
/** Classes that need no registration. */
const builtIn = new Map<string, ErrorClass>();

for (const known of [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError]) {
  builtIn.set(known.name, known);
}
builtIn.set('AggregateError', AggregateError);
builtIn.set('NetError', NetError);
/** A DOMException is constructed instead of being given its prototype, because it has internal state. */
const DOM_EXCEPTION = 'DOMException';
const BUILT_IN = new Set([...builtIn.keys(), DOM_EXCEPTION]);

/** How many class names are sent, and how long each may be. */
const MOST_CLASSES = 8;
const LONGEST_CLASS_NAME = 256;

/** Properties that have fields of their own, or that a stranger must not set. */
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

/**
 * Makes errors of a class arrive as that class. Register it in both processes. When an error arrives, the constructor does
 * not run: the error gets the prototype, the message, the cause and the own enumerable properties.
 *
 * @param name the name of the class on the wire. Default: the name of the class. Give one if a bundler shortens names.
 * @throws TypeError for a value that is not a class of errors, for a class without a name, and for the name of a built-in
 *   error; Error when another class is already registered under the name
 *
 * @example
 * class OutOfPaper extends Error {
 *   tray = 1;
 * }
 * registerError(OutOfPaper, 'OutOfPaper');
 */
export function registerError(errorClass: abstract new (...args: never[]) => Error, name?: string): void {
  if (!isErrorClass(errorClass)) {
    throw new TypeError('registerError: give a class that extends Error');
  }
  const called = name ?? errorClass.name;
  if (!called) throw new TypeError('registerError: the class has no name; give one as the second argument');
  if (typeof called !== 'string' || called.length > LONGEST_CLASS_NAME)
    throw new TypeError(
      `registerError: give a name of 1 to ${LONGEST_CLASS_NAME} characters as the second argument`,
    );
  if (BUILT_IN.has(called))
    throw new TypeError(
      `registerError: ${called} is the name of a built-in error; give another name as the second argument`,
    );
  const taken = classes.get(called);
  if (taken && taken !== errorClass) {
    throw new Error(
      `registerError: another class is already registered as ${called}; give another name as the second argument`,
    );
  }
  classes.set(called, errorClass);
  registeredNames.set(errorClass, called);
}

export function isErrorClass(value: unknown): boolean {
  return typeof value === 'function' && isError(Object.create(value.prototype as object | null));
}

/** How many prototypes are visited at most: a proxy can have any number of them. */
const MOST_PROTOTYPES = 64;

/**
 * True also for an error of another realm, such as one thrown in a `vm` context. It never throws, and a proxy cannot keep it busy
 * for ever; `instanceof` would do both.
 */
export function isError(value: unknown): value is Error {
  if (isNativeError(value)) return true;
  return typeof value === 'object' && value !== null && classNames(value).some((name) => BUILT_IN.has(name));
}

/** The fields that every error on the wire has. */
export interface ErrorBasics {
  name: string;
  message: string;
  /** Class names, the most derived first, down to a built-in one. Absent if that is just `name`. */
  classes?: string[];
  /** As the engine wrote it. Absent if the peer does not send stacks. */
  stack?: string;
}

/** The names of the error's classes, the most derived first, down to the first built-in one. */
export function classNames(error: object): string[] {
  const names: string[] = [];
  try {
    let at: unknown = Object.getPrototypeOf(error);
    for (let level = 0; at && level < MOST_PROTOTYPES; level += 1, at = Object.getPrototypeOf(at)) {
      const name = classNameOf(at);
      if (name === undefined) continue;
      // The built-in class is always included, because every receiver has it.
      if (BUILT_IN.has(name)) return [...names.slice(0, MOST_CLASSES - 1), name];
      names.push(name);
    }
  } catch {
    // A proxy may throw. Keep the names found before that.
  }
  return names.slice(0, MOST_CLASSES);
}

function classNameOf(prototype: object): string | undefined {
  const { constructor } = prototype as { constructor?: unknown };
  const name: unknown =
    registeredNames.get(constructor) ?? (constructor as { name?: unknown } | undefined)?.name;
  if (typeof name !== 'string' || name === '' || name.length > LONGEST_CLASS_NAME) return undefined;
  // A class of the user may also be called NetError. It is not ours.
  return name === 'NetError' && !isNetErrorPrototype(prototype) ? undefined : name;
}

/** The parts of an error. `cause` may be present and undefined. */
export interface ErrorParts extends ErrorBasics {
  code?: unknown;
  properties?: { [key: string]: unknown };
  cause?: unknown;
  errors?: unknown[];
}

/** Builds the error without its stack: the engine sets that to the place of this call. Never throws. */
export function assembleError(parts: ErrorParts): Error {
  try {
    return assemble(parts);
  } catch {
    // The class belongs to the user: a getter of its prototype may throw, and so may a proxy.
    return assemble({ ...parts, classes: ['Error'] });
  }
}

function assemble(parts: ErrorParts): Error {
  const { name, code, properties = {}, errors } = parts;
  const error = instantiate(parts);
  if (error.name !== name) define(error, 'name', name);
  for (const [key, value] of Object.entries(properties)) {
    if (!NOT_PROPERTIES.has(key)) define(error, key, value, true);
  }
  if (code !== undefined && !(error instanceof DOMException)) define(error, 'code', code, true);
  if ('cause' in parts) define(error, 'cause', parts.cause);
  if (errors) define(error, 'errors', errors);
  if (error instanceof NetError) settleNetError(error, error.ran);
  return error;
}

function instantiate({ name, message, classes: names = [name] }: ErrorParts): Error {
  // Give a real Error another prototype. It is then a native error to `util.isNativeError`, `structuredClone` and
  // inspectors, and no user constructor runs with arguments that it does not expect.
  const known = names
    .map((each) => builtIn.get(each) ?? classes.get(each))
    .find((each) => each !== undefined);
  if (!known && names.includes(DOM_EXCEPTION)) return new DOMException(message, name);
  const error = new Error(message);
  if (known) Object.setPrototypeOf(error, known.prototype as object);
  return error;
}

/** Makes a NetError from the wire valid, whatever was sent. `ran` is the value that is true on this side. */
export function settleNetError(error: NetError, ran: unknown): void {
  define(error, 'code', isNetErrorCode(error.code) ? error.code : 'CONNECTION_LOST', true);
  define(error, 'ran', ran === 'no' || ran === 'yes' ? ran : 'unknown', true);
  define(error, 'retriable', error.ran === 'no' && (error.retriable as unknown) === true, true);
}

export function define(error: Error, key: string, value: unknown, enumerable = false): void {
  Object.defineProperty(error, key, { value, enumerable, writable: true, configurable: true });
}
