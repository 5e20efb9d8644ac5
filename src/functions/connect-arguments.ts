import type { ResourceLimits } from 'node:worker_threads';

import type { CallSite } from '../base/call-site.ts';
import { declaredName } from '../base/class-name.ts';
import { readRecord } from './connect-record.ts';
import { boolean, refuseUnknown } from '../base/option-checks.ts';
import { readLimit } from './connect-limit.ts';
import type { Limit } from './connect-limit.ts';
import { readThreadOptions } from '../threads/thread-options.ts';
import type { ThreadSettings } from '../threads/thread-options.ts';
import type { AnyFunction } from '../base/function-types.ts';
import { DEFAULT_TAGS, LONGEST_TAG, RESERVED, encodeTag } from '../base/tag.ts';
import { refuseMinified, warnInBundle } from './bundled-tag.ts';
import { moduleOf } from './module-name.ts';

/** Reads the arguments of `connect` as functions and tags. Everything here throws a TypeError for invalid arguments. */

/**
 * Options of `connect`.
 *
 * @example
 * connect('math.square', (n: number) => n * n, { idempotent: true });
 */
export interface ConnectOptions {
  /**
   * Replaces another function that has the same tag. Default: false; `connect` then throws, unless the same file is evaluated
   * again and connects a function of the same name.
   */
  replace?: boolean | undefined;
  /**
   * Says that the function may run twice with the same arguments without harm. `any` and `map` then repeat a call that
   * was lost with its peer and may have run. Default: false.
   */
  idempotent?: boolean | undefined;
  /**
   * How many calls of the function may run in this process at the same time, for all callers together. The others wait
   * here, and callers take turns. Plain calls are not counted. At most 10,000,000. Default: no limit.
   */
  concurrency?: number | undefined;
  /**
   * How many calls may wait because of `concurrency`. The next one fails with `OVERLOADED`, and `any` and `map` give it to
   * another peer. At most 10,000,000. Default: 1,024.
   */
  queue?: number | undefined;
  /**
   * Runs the function in worker threads when another process calls it, or with `fn.thread()`. A number from 1 to 256, or `auto`
   * for one less than the processor has cores. Each thread loads the file that calls `connect`, so that file must not start a
   * peer. Functions of one file with the same options share their threads. With threads, `concurrency` is one call for each
   * thread if you give no other. Default: none, the function runs in the thread that connects it.
   */
  threads?: number | 'auto' | undefined;
  /**
   * How long a function in a thread may go on after its call was cancelled or its deadline has passed, in ms. Then its thread
   * is ended, and a new one takes its place. `Infinity`: for ever. Default: 500.
   */
  kill?: number | undefined;
  /**
   * Limits of the memory of each thread, as Node's `Worker` takes them. A thread that needs more is ended, and its calls fail
   * with `THREAD_LOST`. Default: those of Node.
   */
  resourceLimits?: ResourceLimits | undefined;
}

/**
 * Options of `connect` for an object of functions.
 *
 * @example
 * connect({ add, multiply }, { prefix: 'math' }); // the tags are math.add and math.multiply
 */
export interface RecordOptions extends ConnectOptions {
  /** Each tag is this prefix, a dot and the key. Default: tags are derived from the file that calls `connect` and the key. */
  prefix?: string | undefined;
}

/**
 * Options of `remote`: what you know about a function that only other peers have.
 *
 * @example
 * const square = remote<(n: number) => number>('math.square', { idempotent: true });
 */
export interface RemoteOptions {
  /**
   * Says that the function may run twice with the same arguments without harm. `any` and `map` then repeat a call that
   * was lost with its peer and may have run. Default: false.
   */
  idempotent?: boolean | undefined;
}

const REMOTE: Record<keyof RemoteOptions, true> = { idempotent: true };

/** @throws TypeError */
export function readRemoteOptions(options: RemoteOptions = {}): { idempotent: boolean } {
  refuseUnknown('option', options, REMOTE);
  return { idempotent: boolean('idempotent', options.idempotent, false) };
}

/** A function that is about to be registered. */
export interface Connectable {
  tag: string;
  fn: AnyFunction;
  /** Its `this` when another peer calls it. */
  self: object | undefined;
}

export type ConnectArguments =
  | { what: 'functions'; functions: Connectable[]; result: unknown; options: ReadOptions }
  | { what: 'decorator'; tag: string | undefined; options: ReadOptions };

export interface ReadOptions {
  replace: boolean;
  idempotent: boolean;
  /** Undefined: no limit. */
  limit: Limit | undefined;
  /** Undefined: the function runs in this thread. */
  threads: ThreadSettings | undefined;
}

// Exhaustive by their types: a new option that is missing here does not compile.
const CONNECT: Record<keyof ConnectOptions, true> = {
  replace: true,
  idempotent: true,
  concurrency: true,
  queue: true,
  threads: true,
  kill: true,
  resourceLimits: true,
};
const RECORD: Record<keyof RecordOptions, true> = { ...CONNECT, prefix: true };

export function readConnectArguments(
  args: readonly unknown[],
  place: CallSite | undefined,
): ConnectArguments {
  const [first, second] = args;
  if (typeof first === 'function') {
    if (isDecoratorContext(second)) throw new TypeError('@connect needs parentheses: write @connect()');
    const options = readOptions(second);
    return { what: 'functions', functions: [derived(first as AnyFunction, place)], result: first, options };
  }
  if (typeof first === 'string' && typeof second === 'function') {
    const functions = [connectable(first, second as AnyFunction, undefined)];
    return { what: 'functions', functions, result: second, options: readOptions(args[2]) };
  }
  const decorates = args.length < 2 || isObject(second);
  if (typeof first === 'string' && decorates) {
    refuseTag(first);
    refuseRecord(first, second);
    return { what: 'decorator', tag: first, options: readOptions(second) };
  }
  if (args.length === 0 || (args.length === 1 && isOptions(first))) {
    return { what: 'decorator', tag: undefined, options: readOptions(first) };
  }
  if (isObject(first)) {
    const options = readOptions(second, RECORD);
    const { prefix } = (second ?? {}) as RecordOptions;
    const functions = readRecord(first, prefix).map(({ key, fn }) => {
      const tag = prefix === undefined ? derivedTag(key, place) : `${prefix}.${key}`;
      return connectable(tag, fn, first);
    });
    return { what: 'functions', functions, result: first, options };
  }
  throw new TypeError(
    'connect: the function is missing; call connect(fn), connect(tag, fn) or connect({ name: fn })',
  );
}

/** The method under the decorator. Called once its class exists. */
export function readMethod(
  tag: string | undefined,
  context: { name: string | symbol },
  self: object,
  place: CallSite | undefined,
): Connectable {
  const fn = (self as Record<string | symbol, unknown>)[context.name] as AnyFunction;
  if (tag !== undefined) return connectable(tag, fn, self);
  const owner = declaredName(self);
  if (owner === undefined || typeof context.name === 'symbol') {
    const what =
      owner === undefined ? 'the class is an expression, so it may have no name' : 'the method has no name';
    throw new TypeError(`@connect(): ${what} to derive a tag from; give a tag: @connect('tag')`);
  }
  refuseMinified(owner, self, place);
  return connectable(derivedTag(`${owner}.${context.name}`, place), fn, self);
}

/** Refuses everything under the decorator but a public static method. */
export function checkDecorated(context: unknown): asserts context is ClassMethodDecoratorContext {
  if (!isDecoratorContext(context)) {
    throw new TypeError(
      '@connect() is a standard decorator: remove experimentalDecorators from the settings of TypeScript',
    );
  }
  const { kind, name } = context;
  const what = `@connect() ${String(name)}`;
  if (kind !== 'method')
    throw new TypeError(`${what}: only static methods can be connected, and this is a ${kind}`);
  if (!context.static) {
    const hint = `connect({ ${String(name)}: (...args) => object.${String(name)}(...args) })`;
    throw new TypeError(
      `${what}: the method is not static, so there is no object to run it on; name the object with ${hint}`,
    );
  }
  if (context.private)
    throw new TypeError(`${what}: the method is private, but other peers could call it; make it public`);
}

/** @throws TypeError */
export function checkTag(tag: unknown): asserts tag is string {
  if (typeof tag !== 'string' || tag === '' || tag.length > LONGEST_TAG) {
    throw new TypeError(`a tag must be a string of 1 to ${LONGEST_TAG} characters`);
  }
}

function derived(fn: AnyFunction, place: CallSite | undefined): Connectable {
  if (!fn.name && !isClass(fn)) {
    throw new TypeError(
      "connect: the function has no name to derive a tag from; give a tag: connect('tag', fn)",
    );
  }
  if (!isClass(fn)) refuseMinified(fn.name, fn, place);
  return connectable(derivedTag(fn.name, place), fn, undefined);
}

function derivedTag(name: string, place: CallSite | undefined): string {
  const tag = encodeTag(moduleOf(place), name);
  warnInBundle(tag, place);
  return tag;
}

function connectable(tag: string, fn: AnyFunction, self: object | undefined): Connectable {
  if (isClass(fn))
    throw new TypeError(
      `connect: ${fn.name || 'what was given'} is a class; only functions can be connected`,
    );
  refuseTag(tag);
  return { tag, fn, self };
}

function readOptions(given: unknown, known: Record<string, true> = CONNECT): ReadOptions {
  if (given !== undefined && !isObject(given))
    throw new TypeError('connect: options must be an object, such as { replace: true }');
  const options: ConnectOptions = given ?? {};
  refuseUnknown('option', options, known);
  const limit = readLimit(options);
  return {
    replace: boolean('replace', options.replace, false),
    idempotent: boolean('idempotent', options.idempotent, false),
    limit,
    threads: readThreadOptions(options, limit),
  };
}

/** An object of functions after a string is no object of options. */
function refuseRecord(prefix: string, given: unknown): void {
  if (!isObject(given) || !Object.values(given).some((each) => typeof each === 'function')) return;
  throw new TypeError(
    `connect: functions of an object have a prefix and no tag; call connect(object, { prefix: '${prefix}' })`,
  );
}

function refuseTag(tag: string): void {
  checkTag(tag);
  if (!tag.startsWith(RESERVED)) return;
  const known = Object.values(DEFAULT_TAGS).join(', ');
  throw new TypeError(
    `connect('${tag}', …): tags that begin with ${RESERVED} are reserved for functions that every peer has (${known}); choose another tag`,
  );
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** Whether this is an object of options. An object with any other key is an object of functions. */
function isOptions(value: unknown): boolean {
  if (!isObject(value)) return false;
  const keys = Object.keys(value);
  return (
    keys.length > 0 &&
    keys.every(
      (key) => Object.hasOwn(CONNECT, key) && typeof (value as Record<string, unknown>)[key] !== 'function',
    )
  );
}

function isDecoratorContext(value: unknown): value is DecoratorContext {
  return isObject(value) && 'kind' in value && 'addInitializer' in value;
}

function isClass(fn: AnyFunction): boolean {
  return Function.prototype.toString.call(fn).startsWith('class');
}
