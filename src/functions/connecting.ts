import type { CallSite } from '../base/call-site.ts';
import { checkDecorated, readConnectArguments, readMethod } from './connect-arguments.ts';
import type { Connectable, ReadOptions } from './connect-arguments.ts';
import { attach, tagOf } from './connected.ts';
import type { FunctionRecord } from './connect-types.ts';
import { originalOf } from './parity.ts';
import type { Parity } from './parity.ts';
import type { Pool } from '../many/pool.ts';
import type { AnyFunction, Registry } from '../calls/callee/registry.ts';

/** Connects functions to one peer, and takes them back. */
export class Connecting {
  readonly #registry: Registry;
  readonly #pool: Pool;
  /** Whether and how plain calls go through the codec. */
  readonly #parity: Parity | undefined;

  constructor(registry: Registry, pool: Pool, parity: Parity | undefined) {
    this.#registry = registry;
    this.#pool = pool;
    this.#parity = parity;
  }

  /** `connect`, with all that it may be given. */
  connect(args: readonly unknown[], place: CallSite | undefined): unknown {
    const read = readConnectArguments(args, place);
    if (read.what === 'functions') {
      this.#add(read.functions, read.options, place);
      return this.#returned(read.result, read.functions);
    }
    const { tag, options } = read;
    return (_: unknown, context: unknown): void => {
      checkDecorated(context);
      // Not before: the class is made then, and so is what other decorators have made of the method.
      const add = (owner: object): void => {
        const method = readMethod(tag, context, owner, place);
        this.#add([method], options, place);
        if (this.#parity) Object.defineProperty(owner, context.name, { value: this.#parity.standIn(method) });
      };
      context.addInitializer(function (this: unknown) {
        add(this as object);
      });
    };
  }

  /** Whether any of it was connected. */
  disconnect(what: AnyFunction | FunctionRecord): boolean {
    const functions = typeof what === 'function' ? [what] : Object.values(what);
    return this.#registry.remove(functions.map((fn) => ({ tag: tagOf(fn), fn: originalOf(fn) })));
  }

  /** What was given; with parity what stands in for it. */
  #returned(given: unknown, functions: readonly Connectable[]): unknown {
    const parity = this.#parity;
    if (!parity) return given;
    const standIn = (each: Connectable): AnyFunction => parity.standIn({ ...each, fn: originalOf(each.fn) });
    if (typeof given === 'function') return standIn(functions[0]!);
    // In the order of the object, as `readRecord` has read it.
    return Object.fromEntries(
      Object.keys(given as FunctionRecord).map((key, index) => [key, standIn(functions[index]!)]),
    );
  }

  /** All or none of them. */
  #add(given: readonly Connectable[], options: ReadOptions, place: CallSite | undefined): void {
    const { idempotent, replace } = options;
    const functions = given.map(({ tag, fn, self }) => ({ tag, fn: originalOf(fn), self, place }));
    for (const { tag, fn } of functions) attach(fn, { tag, idempotent }, this.#pool);
    this.#registry.add(functions, replace);
  }
}
