import type { CallSite } from '../base/call-site.ts';
import { checkDecorated, readConnectArguments, readMethod } from './connect-arguments.ts';
import type { Connectable, ReadOptions } from './connect-arguments.ts';
import { attach, attachThreads, tagOf } from './connected.ts';
import { turnsOf } from './connect-limit.ts';
import type { FunctionRecord } from './connect-types.ts';
import { originalOf } from './parity.ts';
import type { Parity } from './parity.ts';
import type { Pool } from '../many/pool.ts';
import { threadHome } from '../base/process/thread-home.ts';
import type { ThreadHome } from '../base/process/thread-home.ts';
import type { ThreadPools } from '../threads/pools.ts';
import type { AnyFunction } from '../base/function-types.ts';
import type { Registry } from '../calls/callee/registry.ts';

export interface ConnectingInput {
  registry: Registry;
  pool: Pool;
  parity: Parity | undefined;
  threads: ThreadPools;
  /** Runs calls in this thread, if it is one of a pool. */
  serve: (home: ThreadHome) => Promise<void>;
}

/** Connects functions to one peer, and disconnects them. */
export class Connecting {
  readonly #registry: Registry;
  readonly #pool: Pool;
  /** Carries plain calls through the codec; undefined when the option `parity` is off. */
  readonly #parity: Parity | undefined;
  readonly #threads: ThreadPools;
  readonly #serve: ConnectingInput['serve'];

  constructor({ registry, pool, parity, threads, serve }: ConnectingInput) {
    this.#registry = registry;
    this.#pool = pool;
    this.#parity = parity;
    this.#threads = threads;
    this.#serve = serve;
  }

  /** `connect`, with any of its arguments. */
  connect(args: readonly unknown[], place: CallSite | undefined): unknown {
    const read = readConnectArguments(args, place);
    if (read.what === 'functions') {
      this.#add(read.functions, read.options, place);
      return this.#returned(read.result, read.functions);
    }
    const { tag, options } = read;
    return (_: unknown, context: unknown): void => {
      checkDecorated(context);
      // This waits until the class is made. Only then is the method final, with the changes of other decorators.
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

  /** Returns whether any of it was connected. */
  disconnect(what: AnyFunction | FunctionRecord): boolean {
    const functions = typeof what === 'function' ? [what] : Object.values(what);
    return this.#registry.remove(functions.map((fn) => ({ tag: tagOf(fn), fn: originalOf(fn) })));
  }

  /** The value that `connect` returns: what was given, or with parity the functions that stand in for it. */
  #returned(given: unknown, functions: readonly Connectable[]): unknown {
    const parity = this.#parity;
    if (!parity) return given;
    const standIn = (each: Connectable): AnyFunction => parity.standIn({ ...each, fn: originalOf(each.fn) });
    if (typeof given === 'function') return standIn(functions[0]!);
    // The order is that of the object's keys, as in `readRecord`.
    return Object.fromEntries(
      Object.keys(given as FunctionRecord).map((key, index) => [key, standIn(functions[index]!)]),
    );
  }

  /** Adds all of them, or none. */
  #add(given: readonly Connectable[], options: ReadOptions, place: CallSite | undefined): void {
    const { idempotent, replace, limit, threads: settings } = options;
    const home = threadHome();
    const functions = given.map(({ tag, fn: original, self }) => {
      const fn = originalOf(original);
      attach(fn, { tag, idempotent }, this.#pool);
      if (home) {
        // A thread only runs calls that it is given: there are no other threads to start, and no turns to wait for.
        home.functions.set(tag, { fn, self });
        home.serve ??= this.#serve;
        if (settings) attachThreads(fn, undefined);
        return { tag, fn, self, place };
      }
      if (!settings) return { tag, fn, self, place, turns: turnsOf(fn, limit) };
      const threads = this.#threads.of(tag, place, settings);
      attachThreads(fn, threads);
      return { tag, fn, self, place, threads: { threads, run: threads.run } };
    });
    this.#registry.add(functions, replace);
  }
}
