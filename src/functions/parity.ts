import { callerFrames } from '../calls/caller/call-failure.ts';
import { withoutStreams } from '../calls/streams/call-streams.ts';
import { streamsIn } from '../calls/streams/given-streams.ts';
import type { Connectable } from './connect-arguments.ts';
import { alias } from './connected.ts';
import { NetError } from '../base/errors.ts';
import type { NetErrorCode, Ran } from '../base/errors.ts';
import { kindOf } from '../calls/callee/registry.ts';
import type { AnyFunction } from '../base/function-types.ts';
import { readableTag } from '../base/tag.ts';
import { isPromise, isStream } from '../base/value-shape.ts';
import { Arrivals } from '../wire/binary.ts';
import { decodeMessage, encodeRequest, encodeResult, encodeThrown } from '../wire/codec.ts';
import { reviveThrown } from '../wire/values/failure.ts';
import type { Origin } from '../wire/values/failure.ts';
import type { ErrorFrame, Frame, RequestFrame, ResultFrame, UnreadableFrame } from '../wire/frames.ts';
import { NotSerializable } from '../wire/values/not-serializable.ts';
import type { Outgoing } from '../wire/outgoing.ts';
import { TooLarge } from '../wire/too-large.ts';
import { readingAll } from '../wire/unread/passed-on.ts';

export interface ParityInput {
  /** The peer that the functions are connected to. */
  origin: Origin;
  /** Whether errors keep their stacks. */
  stacks: boolean;
  /** Bytes. */
  largestMessage: number;
}

/** The connected function of each function that stands in for one. */
const originals = new WeakMap<AnyFunction, AnyFunction>();

/** The connected function itself, given it or its stand-in. */
export function originalOf(fn: AnyFunction): AnyFunction {
  return originals.get(fn) ?? fn;
}

/**
 * Plain calls of connected functions stay in this process. This carries their values as a call to another process
 * would, so that a test finds the failures that a remote call would have. It takes a function of ours around the
 * user's, so with parity `connect` returns another function than it was given.
 */
export class Parity {
  readonly #input: ParityInput;
  readonly #standIns = new WeakMap<AnyFunction, AnyFunction>();

  constructor(input: ParityInput) {
    this.#input = input;
  }

  /** The function that stands in for a connected one. It is always the same one for one function. */
  standIn({ tag, fn, self }: Connectable): AnyFunction {
    const known = this.#standIns.get(fn);
    if (known) return complete(known, fn);
    const kind = kindOf(fn);
    const standIn = (...args: readonly unknown[]): unknown => {
      const call = new LocalCall(this.#input, tag, callerFrames(standIn));
      const run = (): unknown => call.run((carried) => Reflect.apply(fn, self, carried), args);
      if (kind === 'stream') return call.stream(run as () => AsyncIterable<unknown>);
      return kind === 'promise' ? Promise.resolve().then(run) : run();
    };
    // Its own would be kept.
    Reflect.deleteProperty(standIn, 'name');
    Reflect.deleteProperty(standIn, 'length');
    complete(standIn, fn);
    this.#standIns.set(fn, standIn);
    originals.set(standIn, fn);
    alias(standIn, fn);
    return standIn;
  }
}

/** Gives the stand-in the properties of the function that it lacks. Connected again, a function may have `thread`, too. */
function complete(standIn: AnyFunction, fn: AnyFunction): AnyFunction {
  const lacking: PropertyDescriptorMap = Object.getOwnPropertyDescriptors(fn);
  // These two belong to the function that they are found on.
  for (const key of ['arguments', 'caller', ...Reflect.ownKeys(standIn)])
    Reflect.deleteProperty(lacking, key);
  return Object.defineProperties(standIn, lacking);
}

/** The settings of a peer that concern parity. */
export interface ParitySettings {
  parity: boolean;
  name: string;
  id: string;
  stacks: boolean;
  /** In bytes. */
  limits: { message: number };
}

/** Undefined when parity is off. */
export function parityOf({ parity, name, id, stacks, limits }: ParitySettings): Parity | undefined {
  if (!parity) return undefined;
  return new Parity({ origin: { name, id }, stacks, largestMessage: limits.message });
}

/** One call that stays in this process. */
class LocalCall {
  readonly #input: ParityInput;
  readonly #tag: string;
  /** The frames of the call, in the form of `Error.stack`. */
  readonly #site: string;

  constructor(input: ParityInput, tag: string, site: string) {
    this.#input = input;
    this.#tag = tag;
    this.#site = site;
  }

  run(apply: (args: readonly unknown[]) => unknown, args: readonly unknown[]): unknown {
    const carried = this.#arguments(args);
    let result: unknown;
    try {
      result = apply(carried);
    } catch (error) {
      throw this.#thrown(error);
    }
    if (isStream(result)) return this.#streamOf(result);
    if (!isPromise(result)) return this.#result(result);
    // `Promise.resolve` would read the `constructor` of a promise, which may throw.
    return new Promise((resolve) => resolve(result)).then(
      (value) => (isStream(value) ? this.#streamOf(value) : this.#result(value)),
      (error: unknown) => {
        throw this.#thrown(error);
      },
    );
  }

  /** Carries the values of a stream, in either direction, one by one. */
  async *stream(open: () => AsyncIterable<unknown>): AsyncGenerator<unknown, unknown, void> {
    const source = open()[Symbol.asyncIterator]();
    let over = false;
    try {
      for (;;) {
        let next: IteratorResult<unknown>;
        try {
          next = await source.next();
        } catch (error) {
          over = true;
          throw this.#thrown(error);
        }
        over = next.done === true;
        const value = this.#result(next.value);
        if (over) return value;
        yield value;
      }
    } finally {
      if (!over) await source.return?.();
    }
  }

  #streamOf(source: AsyncIterable<unknown>): AsyncGenerator<unknown, unknown, void> {
    return this.stream(() => source);
  }

  #arguments(args: readonly unknown[]): readonly unknown[] {
    const streams = streamsIn(args);
    const plain = streams ? withoutStreams(args, streams) : args;
    const { stacks, largestMessage } = this.#input;
    const encode = (): Outgoing =>
      encodeRequest(1, this.#tag, plain, undefined, stacks, streams, largestMessage);
    const { args: carried } = this.#carry(encode, 'the request', 'no') as RequestFrame;
    for (const position of streams ?? []) {
      carried[position] = this.#streamOf(args[position] as AsyncIterable<unknown>);
    }
    return carried;
  }

  #result(value: unknown): unknown {
    const { stacks, largestMessage } = this.#input;
    const encode = (): Outgoing => encodeResult(1, value, stacks, largestMessage);
    return (this.#carry(encode, 'its result', 'yes') as ResultFrame).value;
  }

  #thrown(error: unknown): unknown {
    const { stacks, origin, largestMessage } = this.#input;
    const encode = (): Outgoing => encodeThrown(1, error, stacks, largestMessage);
    return reviveThrown(this.#carry(encode, 'what it threw', 'yes') as ErrorFrame, origin, this.#site);
  }

  /** Carries a value through the text and the bytes of a frame. */
  #carry(encode: () => Outgoing, what: string, ran: Ran): Frame {
    const { largestMessage } = this.#input;
    const outgoing = this.#encode(encode, what, ran);
    const received: (Frame | UnreadableFrame)[] = [];
    const { text, binaries } = typeof outgoing === 'string' ? { text: outgoing, binaries: [] } : outgoing;
    const arrivals = new Arrivals(largestMessage);
    for (const binary of binaries) arrivals.add(Uint8Array.prototype.slice.call(binary));
    // Between processes, requests of functions with threads stay unread here.
    readingAll(() => decodeMessage(text, { frame: (frame) => received.push(frame) }, false, arrivals));
    const frame = received[0]!;
    if (frame.type !== 'unreadable') return frame;
    return this.#fail('NOT_SERIALIZABLE', `${what} cannot be read: ${frame.message}`, ran);
  }

  #encode(encode: () => Outgoing, what: string, ran: Ran): Outgoing {
    try {
      return encode();
    } catch (error) {
      if (TooLarge.is(error)) {
        const { largestMessage } = this.#input;
        this.#fail(
          'TOO_LARGE',
          `${what} is larger than the ${largestMessage} bytes that a peer accepts (limits.message)`,
          ran,
        );
      }
      if (!NotSerializable.is(error)) throw error;
      const text =
        ran === 'no' ? error.message : `the function ran, but ${what} cannot be sent: ${error.message}`;
      return this.#fail('NOT_SERIALIZABLE', text, ran, error.cause);
    }
  }

  #fail(code: NetErrorCode, message: string, ran: Ran, cause?: unknown): never {
    const text = `${message} (${readableTag(this.#tag)})`;
    const details = {
      ran,
      peer: this.#input.origin.id,
      tag: this.#tag,
      ...(cause !== undefined && { cause }),
    };
    const error = new NetError(code, text, details);
    error.stack = `${error.name}: ${text}${this.#site && `\n${this.#site}`}`;
    throw error;
  }
}
