import type { AnyFunction } from '../base/function-types.ts';
import { isStream, shapeOf, whenSettled } from '../base/value-shape.ts';
import { StreamReader } from '../calls/streams/stream-reader.ts';
import type {
  CancelFrame,
  CompleteFrame,
  CreditFrame,
  ErrorFrame,
  NextFrame,
  RequestFrame,
  UnreadableFrame,
} from '../wire/frames.ts';
import type { Outgoing } from '../wire/outgoing.ts';
import { encodeResult, encodeThrown } from './codec/frames.ts';
import { reviveFailure } from './call.ts';
import type { PageLink } from './link.ts';
import type { PagePeer } from './page-types.ts';
import { RunningCall } from './running-call.ts';
import { PageSource } from './source.ts';
import { refuse, refuseValue, writeStream } from './streams.ts';

/** What every peer answers. The others of `net.` are about processes. */
const OWN = new Map<string, AnyFunction>([
  ['net.ping', () => {}],
  ['net.passThrough', (...args: unknown[]) => args],
]);

/** Runs functions of the page for the server, and makes sure that each call is answered exactly once. */
export class Callee {
  readonly functions = new Map<string, AnyFunction>();
  /** The call whose function runs now, up to its first `await`. */
  current: RunningCall | undefined;
  readonly #running = new Map<number, RunningCall>();
  #last = 0;

  /** Calls whose function has not settled. */
  get size(): number {
    return this.#running.size;
  }

  /** Id of the newest request. */
  get last(): number {
    return this.#last;
  }

  opened(): void {
    this.#last = 0;
  }

  request(link: PageLink, caller: PagePeer, request: RequestFrame | UnreadableFrame): void {
    const { id } = request;
    this.#last = id;
    if (request.type === 'unreadable') {
      refuse(link, id, 'BAD_REQUEST', `the request cannot be read: ${request.message}`);
      return;
    }
    const { tag, args, kwargs, deadline, streams = [] } = request;
    const run = this.functions.get(tag) ?? OWN.get(tag);
    if (deadline === 0) {
      refuse(link, id, 'DEADLINE_EXCEEDED', 'the deadline has passed');
    } else if (!run) {
      refuse(link, id, 'NO_SUCH_TAG', `the page has no function ${JSON.stringify(tag)}`);
    } else {
      const call = new RunningCall(link, caller, request);
      const given = kwargs && Object.keys(kwargs).length > 0 ? [...args, kwargs] : [...args];
      for (const arg of streams) given[arg] = this.#argument(call, arg);
      this.#run(call, run, given);
    }
  }

  /** From the caller: it reads more of the result, or wants no more. */
  control(frame: CreditFrame | CancelFrame): void {
    const call = this.#running.get(frame.id);
    if (frame.type === 'credit') call?.writer?.credit(frame.count, frame.bytes);
    else call?.end(frame.late || call.deadline === 0 ? 'DEADLINE_EXCEEDED' : 'CANCELLED');
  }

  /** A frame of an argument that is a stream. */
  argument(frame: NextFrame | CompleteFrame | ErrorFrame): void {
    const call = this.#running.get(frame.id);
    const reader = call?.readers.get(frame.arg!);
    if (!call || !reader) return;
    if (frame.type === 'complete') reader.complete(frame.value);
    else if (frame.type === 'error') {
      // It may be any value that the stream of the caller threw.
      // oxlint-disable-next-line prefer-promise-reject-errors
      reader.fail(() => Promise.reject(reviveFailure(frame, call.caller, call.tag)));
    } else reader.push(frame.value, frame.size);
  }

  /** The caller is lost: nobody waits for the results. */
  lost(): void {
    const calls = [...this.#running.values()];
    this.#running.clear();
    for (const call of calls) call.end('CONNECTION_LOST');
  }

  #argument(call: RunningCall, arg: number): StreamReader {
    const { link, id } = call;
    const reader = new StreamReader({
      credit: (count, bytes) => link.tell({ type: 'credit', id, arg, count, bytes }),
      cancel: () => link.tell({ type: 'cancel', id, arg }),
      waiting: () => {},
    });
    call.readers.set(arg, reader);
    return reader;
  }

  #run(call: RunningCall, run: AnyFunction, args: unknown[]): void {
    this.#running.set(call.id, call);
    let value: unknown;
    try {
      value = this.#inside(call, () => run(...(args as never[])));
    } catch (error) {
      this.#threw(call, error);
      return;
    }
    if (isStream(value)) this.#stream(call, value);
    else if (shapeOf(value) === 'value') this.#succeed(call, value);
    else {
      whenSettled(
        value,
        (result) => (isStream(result) ? this.#stream(call, result) : this.#succeed(call, result)),
        (thrown) => this.#threw(call, thrown),
      );
    }
  }

  #inside<T>(call: RunningCall, step: () => T): T {
    const before = this.current;
    this.current = call;
    try {
      return step();
    } finally {
      this.current = before;
    }
  }

  #succeed(call: RunningCall, value: unknown): void {
    this.#answer(call, () => encodeResult(call.id, value, call.link.limits.message));
  }

  #threw(call: RunningCall, error: unknown): void {
    this.#answer(call, () => encodeThrown(call.id, error, call.link.limits.message));
  }

  /** Answers as soon as the network takes it. Until then the call counts as running. */
  #answer(call: RunningCall, encode: () => Outgoing): void {
    const { link, id, ended } = call;
    if (link.congested && this.#running.get(id) === call) {
      link.whenDrained(() => this.#answer(call, encode));
      return;
    }
    call.settle();
    // A call that is not in the table any more belongs to a lost link: there is nobody to answer.
    if (this.#running.get(id) !== call) return;
    this.#running.delete(id);
    if (ended) {
      refuse(link, id, ended.code, ended.message, ended.ran);
      return;
    }
    let answer: Outgoing;
    try {
      answer = encode();
    } catch (error) {
      refuseValue(link, id, error, 'the function ran, but its result');
      return;
    }
    link.send(answer);
  }

  #stream(call: RunningCall, stream: AsyncIterable<unknown>): void {
    const { link, id } = call;
    const writer = writeStream(link, id, undefined, new PageSource(stream), {
      last: (encode) => this.#answer(call, encode),
      sent: () => {},
      run: (step) => this.#inside(call, step),
    });
    call.becomeStream(writer);
    if (call.ended) {
      writer.stop();
    } else {
      link.tell({ type: 'result', id, stream: true });
      writer.start();
    }
  }
}
