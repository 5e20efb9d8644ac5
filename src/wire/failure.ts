import { inspect, types } from 'node:util';

import { NetError, isNetErrorCode } from '../errors.ts';
import type { Ran } from '../errors.ts';
import type { Json, WireCause, WireError } from './frames.ts';
import { findUnplain, isPlain } from './plain.ts';
import { trimStack } from './stack.ts';

/** Errors to and from the wire: the one place where an Error is taken apart or put together. */

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

/** How far a chain of causes is followed. Further down it is cut. */
const LONGEST_CHAIN = 16;

/** How many errors one thrown error is carried with, causes and the errors of AggregateErrors together. */
const MOST_ERRORS = 256;

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

/** What was thrown, as the fields of an error frame. Never throws, whatever `thrown` is. */
export function describeThrown(
  thrown: unknown,
  options: { stacks: boolean },
): { error: WireError } | { thrown: { value?: Json } } {
  try {
    const cause = describeCause(thrown, { ...options, left: MOST_ERRORS }, LONGEST_CHAIN);
    if ('error' in cause) return cause;
    return { thrown: cause };
  } catch {
    // An error with a getter that throws, or a hostile proxy.
    return { error: { name: 'Error', message: 'an error was thrown that cannot be read' } };
  }
}

/** `left` counts down over the whole of what was thrown. */
interface Description {
  readonly stacks: boolean;
  left: number;
}

function describeCause(thrown: unknown, description: Description, depth: number): WireCause {
  if (isError(thrown)) return { error: describeError(thrown, description, depth) };
  if (thrown === undefined) return {};
  if (isPlain(thrown)) return { value: thrown as Json };
  const { path, what } = findUnplain(thrown, 'what was thrown')!;
  return {
    error: { name: 'Error', message: `no error was thrown, and ${path} is ${what}, which cannot be carried` },
  };
}

/** Also one of another realm, as code in a `vm` context throws them. */
function isError(thrown: unknown): thrown is Error {
  return thrown instanceof Error || types.isNativeError(thrown);
}

function describeError(error: Error, description: Description, depth: number): WireError {
  description.left -= 1;
  const wire: WireError = { name: asText(error.name), message: asText(error.message) };
  const names = classNames(error);
  if (names.length !== 1 || names[0] !== wire.name) wire.classes = names;
  if (description.stacks && typeof error.stack === 'string') wire.stack = trimStack(error.stack);
  const { code } = error as { code?: unknown };
  if (code !== undefined && isPlain(code)) wire.code = code as Json;
  const properties = ownProperties(error);
  if (properties) wire.properties = properties;
  if (depth > 0 && description.left > 0) {
    if (Object.hasOwn(error, 'cause')) wire.cause = describeCause(error.cause, description, depth - 1);
    const { errors } = error as { errors?: unknown };
    if (error instanceof AggregateError && Array.isArray(errors)) {
      wire.errors = [];
      for (const each of errors as unknown[]) {
        if (description.left > 0) wire.errors.push(describeCause(each, description, depth - 1));
      }
    }
  }
  return wire;
}

/** Names and messages are strings by the language's types only. */
function asText(value: unknown): string {
  return typeof value === 'string' ? value : inspect(value, { depth: 0 });
}

/** The names of the error's classes, the most derived first, down to the first built-in one. */
function classNames(error: Error): string[] {
  if (isDomException(error)) return ['DOMException'];
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

function ownProperties(error: Error): { [key: string]: Json } | undefined {
  let properties: { [key: string]: Json } | undefined;
  for (const key of Object.keys(error)) {
    if (NOT_PROPERTIES.has(key)) continue;
    try {
      const value = (error as unknown as Record<string, unknown>)[key];
      if (isPlain(value)) (properties ??= {})[key] = value as Json;
    } catch {
      // A getter that throws takes only itself out.
    }
  }
  return properties;
}

/** Who sent an error, for the line in the stack that says so. */
export interface Origin {
  name: string;
  id: string;
}

/** Puts together what was thrown there. `site` holds the frames of the local call, as `Error.stack` has them. */
export function reviveThrown(
  wire: { error?: WireError; thrown?: { value?: Json } },
  origin: Origin,
  site: string,
): unknown {
  return wire.error ? reviveError(wire.error, origin, site) : wire.thrown?.value;
}

function reviveCause(cause: WireCause, origin: Origin): unknown {
  return 'error' in cause ? reviveError(cause.error, origin, '') : cause.value;
}

function reviveError(wire: WireError, origin: Origin, site: string): Error {
  const error = instantiate(wire);
  if (error.name !== wire.name) define(error, 'name', wire.name);
  for (const [key, value] of Object.entries(wire.properties ?? {})) {
    if (!NOT_PROPERTIES.has(key)) define(error, key, value, true);
  }
  if (wire.code !== undefined && !isDomException(error)) define(error, 'code', wire.code, true);
  if (wire.cause) define(error, 'cause', reviveCause(wire.cause, origin));
  if (wire.errors) {
    define(
      error,
      'errors',
      wire.errors.map((each) => reviveCause(each, origin)),
    );
  }
  if (error instanceof NetError) settleNetError(error);
  define(error, 'stack', stitch(wire, origin, site));
  return error;
}

function instantiate(wire: WireError): Error {
  const names = wire.classes ?? [wire.name];
  if (names[0] === 'DOMException') return new DOMException(wire.message, wire.name);
  // A real Error is given another prototype: so it is one to `util.types.isNativeError`, `structuredClone` and
  // inspectors, and no constructor of the user's runs with arguments it does not expect.
  const error = new Error(wire.message);
  const known = names.map((name) => classes.get(name)).find((each) => each !== undefined);
  if (known) Object.setPrototypeOf(error, known.prototype as object);
  return error;
}

/**
 * A NetError that the function threw tells of a call that the function made. Of the call that brought it here
 * it says that the function ran, and so it must not invite anyone to run it again.
 */
function settleNetError(error: NetError): void {
  const ran: Ran = 'yes';
  define(error, 'code', isNetErrorCode(error.code) ? error.code : 'CONNECTION_LOST', true);
  define(error, 'ran', ran, true);
  define(error, 'retriable', false, true);
}

function define(error: Error, key: string, value: unknown, enumerable = false): void {
  Object.defineProperty(error, key, { value, enumerable, writable: true, configurable: true });
}

/** The remote frames, a line that names the peer, then the local call. */
function stitch(wire: WireError, origin: Origin, site: string): string {
  const remote = wire.stack ?? `${wire.name}${wire.message && `: ${wire.message}`}`;
  return `${remote}\n    at ${peerLine(origin)}${site && `\n${site}`}`;
}

/** `peer "render-1" (V1StGXR8_Z5jdHi6B-myT)`; names come from the wire, so they are escaped and cut. */
export function peerLine(origin: Origin): string {
  return `peer ${printable(JSON.stringify(origin.name.slice(0, 64)))} (${origin.id})`;
}

/** Without control characters, and without those that turn the direction of what follows. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Bidi_Control}]/gu, '\u{fffd}');
}

function isDomException(error: unknown): error is DOMException {
  return error instanceof DOMException;
}
