import type { ConnectOptions, RecordOptions } from './connect-arguments.ts';
import type { Connected, Threaded } from './connected.ts';
import type { AnyFunction } from '../base/function-types.ts';

/**
 * Functions by name: an object, or everything that a module exports (`import * as math`).
 *
 * @example
 * const math = { add: (a: number, b: number) => a + b } satisfies FunctionRecord;
 * connect(math, { prefix: 'math' });
 */
export type FunctionRecord = Readonly<Record<string, AnyFunction>>;

/**
 * The object that was given to `connect`, with the types of its connected functions.
 *
 * @example
 * const math = connect({ add, multiply }, { prefix: 'math' });
 * await math.add.on(peer)(1, 2);
 */
export type ConnectedRecord<R extends FunctionRecord> = { readonly [Name in keyof R]: Connected<R[Name]> };

/**
 * The object that was given to `connect` with the option `threads`.
 *
 * @example
 * const math = connect({ add, multiply }, { prefix: 'math', threads: 'auto' });
 * await math.add.thread()(1, 2);
 */
export type ThreadedRecord<R extends FunctionRecord> = { readonly [Name in keyof R]: Threaded<R[Name]> };

/**
 * The option that makes a function run in threads.
 *
 * @example
 * const inThreads: InThreads = { threads: 'auto' };
 * connect('primes', (to: number) => to, inThreads);
 */
export interface InThreads {
  /** A number from 1 to 256, or `auto` for one less than the processor has cores. */
  threads: number | 'auto';
}

/**
 * The decorator that `@connect()` returns. It is for public static methods: on anything else it is an error of types, and a
 * TypeError when the class is made.
 *
 * @example
 * class Greeter {
 *   @connect('greet') static greet(name: string) {
 *     return `hello, ${name}`;
 *   }
 * }
 */
// `any` as in the type of the context.
// oxlint-disable-next-line typescript/no-explicit-any
export type StaticMethodDecorator = <This, F extends (this: This, ...args: any[]) => unknown>(
  method: F,
  context: ClassMethodDecoratorContext<This, F> & { readonly static: true; readonly private: false },
) => void;

/**
 * The type of `connect`: it takes a function, an object of functions, or decorates a static method.
 *
 * @example
 * const log = connect('log', (text: string) => console.log(text));
 * const math = connect({ add, multiply }, { prefix: 'math' });
 */
export interface Connect {
  /**
   * Lets other peers call the function, which then runs in worker threads. A plain call still runs here, in this thread.
   * `fn.thread()(…)` runs it in a thread of this process.
   * @throws Error when another function has the tag; TypeError for a function that cannot be connected
   *
   * @example
   * export const countPrimes = connect(
   *   function countPrimes(to: number) {
   *     return Array.from({ length: to }, (_, n) => n).filter((n) => n > 1).length;
   *   },
   *   { threads: 'auto' },
   * );
   * await countPrimes.thread()(1_000); // in a thread of this process
   * await countPrimes.on(peer)(1_000); // in a thread of that process
   */
  <F extends AnyFunction>(fn: F, options: ConnectOptions & InThreads): Threaded<F>;
  /** The same with the tag you give. */
  <F extends AnyFunction>(tag: string, fn: F, options: ConnectOptions & InThreads): Threaded<F>;
  /** The same for each function of an object. */
  <R extends FunctionRecord>(record: R, options: RecordOptions & InThreads): ThreadedRecord<R>;
  /**
   * Lets other peers call the function. The same function is returned, with `tag`, `on`, `any`, `all` and `map` added. A
   * plain call still runs here. The tag is derived from the file that calls `connect` and the name of the function.
   * @throws Error when another function has the tag; TypeError for a function that cannot be connected
   *
   * @example
   * export const multiplyValues = connect(function multiplyValues(a: number, b: number) {
   *   return a * b;
   * });
   * multiplyValues(5, 10); // here
   * await multiplyValues.on(peer)(5, 10); // there
   */
  <F extends AnyFunction>(fn: F, options?: ConnectOptions): Connected<F>;
  /**
   * Lets other peers call the function under the tag you give, a string of 1 to 1,024 characters.
   * @throws Error when another function has the tag; TypeError for a function or tag that cannot be connected
   *
   * @example
   * const multiply = connect('math.multiply', (a: number, b: number) => a * b);
   */
  <F extends AnyFunction>(tag: string, fn: F, options?: ConnectOptions): Connected<F>;
  /**
   * Makes a decorator for public static methods. The tag is derived from the file, the class and the method. `this` is
   * the class. TypeScript cannot see what a decorator adds to a method: `connected(Greeter.greet)` returns the same
   * function with its full type.
   * @throws TypeError when the class is made, for a method that is private or not static
   *
   * @example
   * class Greeter {
   *   @connect() static greet(name: string) {
   *     return `hello, ${name}`;
   *   }
   * }
   * await connected(Greeter.greet).on(peer)('you');
   */
  (options?: ConnectOptions): StaticMethodDecorator;
  /**
   * Makes the same decorator with the tag you give.
   *
   * @example
   * class Greeter {
   *   @connect('greet') static greet(name: string) {
   *     return `hello, ${name}`;
   *   }
   * }
   */
  (tag: string, options?: ConnectOptions): StaticMethodDecorator;
  /**
   * Lets other peers call each function of an object. The tags are `<prefix>.<key>`, or derived from the file that calls
   * `connect` and the key. The same object is returned, and it is `this` when other peers call its functions. Either all
   * functions are connected or none is.
   * @throws Error when another function has one of the tags; TypeError for a property that is not a function, for an
   *   instance of a class, and for a function that cannot be connected
   *
   * @example
   * export const math = connect({ add, multiply }, { prefix: 'math' });
   * await math.add.on(peer)(1, 2);
   */
  <R extends FunctionRecord>(record: R, options?: RecordOptions): ConnectedRecord<R>;
}
