import type { ActorLogic, ActorRefFrom } from 'xstate';

import type { Ran, NetErrorCode } from '../errors.ts';
import type { AnyFunction, Registry } from '../registry.ts';
import { readableTag } from '../tag.ts';
import { encodeError, encodeFrame, encodeResult } from '../wire/codec.ts';
import { describeThrown, printable } from '../wire/failure.ts';
import { CLOSE } from '../wire/frames.ts';
import type { CancelFrame, RequestFrame, UnreadableFrame } from '../wire/frames.ts';
import { NotSerializable } from '../wire/not-serializable.ts';
import { fits } from '../wire/outgoing.ts';
import type { Outgoing } from '../wire/outgoing.ts';
import type { Link } from './link.ts';
import { LiveSnapshot } from './live-snapshot.ts';
import type { DispatcherMessage } from './messages.ts';

/** The actor that turns a tag into a function, runs it and answers. */

export interface DispatcherCounters {
  /** Functions that others can call. */
  readonly registered: number;
  /** Calls whose function has not settled yet. */
  running: number;
  /** Calls that were run to their end or refused. */
  settled: number;
}

export interface DispatcherInput {
  registry: Registry;
  /** Calls of one connection that may be unanswered. */
  calls: number;
  /** Whether thrown errors are sent with their stack. */
  stacks: boolean;
}

export type DispatcherLogic = ActorLogic<LiveSnapshot<DispatcherCounters>, DispatcherMessage, undefined>;
export type DispatcherRef = ActorRefFrom<DispatcherLogic>;

export function createDispatcherLogic(input: DispatcherInput): DispatcherLogic {
  const dispatcher = new Dispatcher(input);
  return {
    getInitialSnapshot: () => dispatcher.snapshot,
    getPersistedSnapshot: (snapshot) => snapshot,
    transition: (snapshot, message) => {
      dispatcher.receive(message);
      return snapshot;
    },
  };
}

class Dispatcher {
  readonly snapshot: LiveSnapshot<DispatcherCounters>;
  readonly #counters: DispatcherCounters;
  readonly #registry: Registry;
  readonly #calls: number;
  readonly #stacks: boolean;

  constructor({ registry, calls, stacks }: DispatcherInput) {
    this.#registry = registry;
    this.#calls = calls;
    this.#stacks = stacks;
    this.#counters = {
      get registered() {
        return registry.size;
      },
      running: 0,
      settled: 0,
    };
    this.snapshot = new LiveSnapshot(this.#counters);
  }

  receive(message: DispatcherMessage | { type: 'xstate.stop' }): void {
    switch (message.type) {
      case 'frames.received':
        for (const frame of message.frames) {
          if (frame.type === 'cancel') this.#cancel(message.link, frame);
          else this.#request(message.link, frame);
        }
        break;
      case 'link.closed':
        this.#drop(message.link);
        break;
      case 'xstate.stop':
        this.snapshot.status = 'stopped';
        break;
    }
  }

  #request(link: Link, request: RequestFrame | UnreadableFrame): void {
    // Our goaway named the last request we take, so the caller knows that this one was not.
    if (link.refusing) return;
    const { id } = request;
    if (id <= link.lastTaken) {
      link.close(CLOSE.BAD_FRAME, 'request id used twice');
      return;
    }
    link.lastTaken = id;
    if (request.type === 'unreadable') {
      this.#refuse(link, id, 'BAD_REQUEST', `the request cannot be read: ${request.message}`);
      return;
    }
    const { tag } = request;
    if (link.running.size >= this.#calls) {
      const text = `more than ${this.#calls} calls of this connection are unanswered (limits.calls)`;
      this.#refuse(link, id, 'OVERLOADED', text);
      return;
    }
    const registration = this.#registry.get(tag);
    if (!registration) {
      this.#refuse(link, id, 'NO_SUCH_TAG', this.#noSuchTag(tag));
      return;
    }
    this.#run(link, registration.run, request);
  }

  #run(link: Link, run: AnyFunction, { id, args, kwargs }: RequestFrame): void {
    let value: unknown;
    try {
      value = kwargs && hasKeys(kwargs) ? Reflect.apply(run, undefined, [...args, kwargs]) : call(run, args);
      if (!isThenable(value)) {
        this.#succeed(link, id, value);
        return;
      }
    } catch (error) {
      this.#threw(link, id, error);
      return;
    }
    link.running.add(id);
    this.#counters.running += 1;
    Promise.resolve(value).then(
      (result) => {
        if (this.#ended(link, id)) this.#succeed(link, id, result);
      },
      (error: unknown) => {
        if (this.#ended(link, id)) this.#threw(link, id, error);
      },
    );
  }

  /** Whether anybody still waits for the answer. */
  #ended(link: Link, id: number): boolean {
    this.#counters.running -= 1;
    const wanted = link.running.delete(id) && !link.cancelled?.delete(id);
    if (!wanted) {
      this.#counters.settled += 1;
      if (link.leaving || link.otherLeaving) link.checkIdle();
    }
    return wanted;
  }

  #succeed(link: Link, id: number, value: unknown): void {
    let answer: Outgoing;
    try {
      answer = encodeResult(id, value, this.#stacks);
    } catch (error) {
      if (!(error instanceof NotSerializable)) throw error;
      const text = `the function ran, but its result cannot be sent: ${error.message}`;
      this.#refuse(link, id, 'NOT_SERIALIZABLE', text, 'yes');
      return;
    }
    this.#answer(link, id, answer);
  }

  #threw(link: Link, id: number, error: unknown): void {
    this.#answer(link, id, encodeError(id, describeThrown(error, { stacks: this.#stacks })));
  }

  #refuse(link: Link, id: number, code: NetErrorCode, message: string, ran: Ran = 'no'): void {
    this.#answer(link, id, encodeFrame({ type: 'error', id, failure: { code, ran, message } }));
  }

  #answer(link: Link, id: number, answer: Outgoing): void {
    if (fits(answer, link.limits.message)) {
      this.#counters.settled += 1;
      link.send(answer);
      if (link.leaving || link.otherLeaving) link.checkIdle();
    } else {
      const text = `the function ran, but its result is larger than the ${link.limits.message} bytes the caller takes`;
      this.#refuse(link, id, 'TOO_LARGE', text, 'yes');
    }
  }

  /** The caller has given up: the answer is not sent. The call counts until its function has settled. */
  #cancel(link: Link, { id }: CancelFrame): void {
    if (link.running.has(id)) (link.cancelled ??= new Set()).add(id);
  }

  #drop(link: Link): void {
    link.running.clear();
    link.cancelled = undefined;
  }

  #noSuchTag(tag: string): string {
    const near = this.#registry.near(tag).map((each) => readableTag(each));
    const hint = near.length > 0 ? `; there is ${near.join(', ')}` : '';
    return `no function is connected as ${JSON.stringify(printable(readableTag(tag).slice(0, 256)))}${hint}`;
  }
}

/** In a function of its own, so that the user's stack has one frame of ours to be cut at. */
function call(run: AnyFunction, args: readonly unknown[]): unknown {
  return Reflect.apply(run, undefined, args);
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
  );
}

function hasKeys(object: object): boolean {
  for (const key in object) if (Object.hasOwn(object, key)) return true;
  return false;
}
