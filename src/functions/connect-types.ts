import type { ConnectOptions, RecordOptions } from './connect-arguments.ts';
import type { Connected } from './connected.ts';
import type { AnyFunction } from '../calls/callee/registry.ts';

/** Functions by name: an object, or everything that a module exports (`import * as math`). */
export type FunctionRecord = Readonly<Record<string, AnyFunction>>;

/** The same object; its functions are connected. */
export type ConnectedRecord<R extends FunctionRecord> = { readonly [Name in keyof R]: Connected<R[Name]> };

/** For static methods. Others are red, and refused when the class is made. */
// `any` as in the type of the context.
// oxlint-disable-next-line typescript/no-explicit-any
export type StaticMethodDecorator = <This, F extends (this: This, ...args: any[]) => unknown>(
  method: F,
  context: ClassMethodDecoratorContext<This, F> & { readonly static: true; readonly private: false },
) => void;

/** Lets other peers call a function, several, or a method. */
export interface Connect {
  /**
   * Lets other peers call the function. It is returned itself, with `tag`, `on`, `any`, `all` and `map` added; called
   * plainly it runs here, as before. Its tag is derived from the file that calls `connect` and the function's name.
   * @throws Error when another function has the tag; TypeError for what cannot be connected
   *
   * @example
   * export const multiplyValues = connect(function multiplyValues(a: number, b: number) {
   *   return a * b;
   * });
   * multiplyValues(5, 10); // here
   * await multiplyValues.on(peer)(5, 10); // there
   */
  <F extends AnyFunction>(fn: F, options?: ConnectOptions): Connected<F>;
  /** The same, with a tag given by hand. */
  <F extends AnyFunction>(tag: string, fn: F, options?: ConnectOptions): Connected<F>;
  /**
   * A decorator for static methods. Without a tag one is derived from the file, the class and the method. `this` is the class.
   * What the method has gained TypeScript cannot see: `connected(Greeter.greet)` is the same function, with its type.
   * @throws TypeError when the class is made: for a method that is not static, or private
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
  /** The same decorator, with a tag given by hand. */
  (tag: string, options?: ConnectOptions): StaticMethodDecorator;
  /**
   * Connects each function of an object: under `<prefix>.<key>`, or under a tag derived from the file that calls
   * `connect` and the key. The object is returned itself, and is `this` in functions that are called from elsewhere. All of
   * them are connected, or none.
   * @throws Error when another function has one of the tags; TypeError for a property that is no function, for an
   *   instance of a class, and for what cannot be connected
   *
   * @example
   * export const math = connect({ add, multiply }, { prefix: 'math' });
   * await math.add.on(peer)(1, 2);
   */
  <R extends FunctionRecord>(record: R, options?: RecordOptions): ConnectedRecord<R>;
}
