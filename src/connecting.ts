import type { CallSite } from './call-site.ts';
import { checkDecorated, readConnectArguments, readMethod } from './connect-arguments.ts';
import type { Connectable, ReadOptions } from './connect-arguments.ts';
import { attach, tagOf } from './connected.ts';
import type { Caller } from './connected.ts';
import type { FunctionRecord } from './connect-types.ts';
import type { AnyFunction, Registry } from './registry.ts';

/** Connects functions to one peer, and takes them back. */
export class Connecting {
  readonly #registry: Registry;
  readonly #caller: Caller;

  constructor(registry: Registry, caller: Caller) {
    this.#registry = registry;
    this.#caller = caller;
  }

  /** `connect`, with all that it may be given. */
  connect(args: readonly unknown[], place: CallSite | undefined): unknown {
    const read = readConnectArguments(args, place);
    if (read.what === 'functions') {
      this.#add(read.functions, read.options, place);
      return read.result;
    }
    const { tag, options } = read;
    return (_: unknown, context: unknown): void => {
      checkDecorated(context);
      // Not before: the class is made then, and so is what other decorators have made of the method.
      const add = (owner: object): void =>
        this.#add([readMethod(tag, context, owner, place)], options, place);
      context.addInitializer(function (this: unknown) {
        add(this as object);
      });
    };
  }

  /** Whether any of it was connected. */
  disconnect(what: AnyFunction | FunctionRecord): boolean {
    const functions = typeof what === 'function' ? [what] : Object.values(what);
    return this.#registry.remove(functions.map((fn) => ({ tag: tagOf(fn), fn })));
  }

  /** All or none of them. */
  #add(functions: readonly Connectable[], options: ReadOptions, place: CallSite | undefined): void {
    const { idempotent, replace } = options;
    for (const { tag, fn } of functions) attach(fn, { tag, idempotent }, this.#caller);
    this.#registry.add(
      functions.map((each) => ({ ...each, place })),
      replace,
    );
  }
}
