/** Types of functions, for peers and for pages. */

/**
 * Any function at all. Use it to constrain type parameters of your own helpers.
 *
 * @example
 * function twice<F extends AnyFunction>(fn: RemoteFunction<F>) {
 *   return [fn.any(), fn.any()];
 * }
 */
export type AnyFunction = (...args: never[]) => unknown;

/**
 * A function whose type was not given to `remote`: it takes anything and returns something unknown.
 *
 * @example
 * const far: RemoteFunction<UntypedFunction> = remote('math.square');
 * const squared: unknown = await far.any()(3);
 */
export type UntypedFunction = (...args: unknown[]) => unknown;

type IsAny<T> = 0 extends 1 & T ? true : false;
type IsNever<T> = [T] extends [never] ? true : false;

/**
 * The type of a function when it is called on another peer. An async function or an async generator keeps its type, so
 * overloads, type parameters and parameter names survive. A function that returns another kind of stream
 * (AsyncIterable, ReadableStream) becomes an async generator. Any other function returns a promise of its result.
 *
 * @example
 * const there: Remote<(n: number) => string> = remote<(n: number) => string>('format').on(peer);
 * const text: string = await there(5);
 */
export type Remote<F extends AnyFunction> =
  IsAny<ReturnType<F>> extends true
    ? (...args: Parameters<F>) => Promise<ReturnType<F>>
    : IsNever<ReturnType<F>> extends true
      ? (...args: Parameters<F>) => Promise<never>
      : ReturnType<F> extends Promise<infer R>
        ? RemoteResult<F, R>
        : ReturnType<F> extends AsyncGenerator
          ? OmitThisParameter<F>
          : ReturnType<F> extends AsyncIterable<infer T>
            ? (...args: Parameters<F>) => AsyncGenerator<T, unknown, void>
            : (...args: Parameters<F>) => Promise<Awaited<ReturnType<F>>>;

/** The result of an async function. Anything iterable arrives as a generator. */
type RemoteResult<F extends AnyFunction, R> = true extends IsAny<R> | IsNever<R>
  ? OmitThisParameter<F>
  : R extends AsyncGenerator
    ? OmitThisParameter<F>
    : R extends AsyncIterable<infer T>
      ? (...args: Parameters<F>) => Promise<AsyncGenerator<T, unknown, void>>
      : OmitThisParameter<F>;
