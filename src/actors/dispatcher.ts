import type { ActorLogic, ActorRefFrom } from 'xstate';

import type { Clock } from '../clock.ts';
import { beginTracking, endTracking, runBriefly, runTracked } from '../context.ts';
import type { ContextSource, OuterCall } from '../context.ts';
import { NetError } from '../errors.ts';
import type { Middleware } from '../middleware.ts';
import type { AnyFunction, Registration, Registry } from '../registry.ts';
import type { RemotePeer } from '../remote-peer.ts';
import { readableTag } from '../tag.ts';
import { printable } from '../wire/failure.ts';
import { CLOSE } from '../wire/frames.ts';
import type { RequestFrame, UnreadableFrame } from '../wire/frames.ts';
import { Answers } from './answers.ts';
import { receiveArguments, receiveForArgument } from './arguments.ts';
import type { ArgumentFrame } from './arguments.ts';
import { Held } from './held.ts';
import type { Link } from './link.ts';
import { LiveSnapshot } from './live-snapshot.ts';
import type { DispatcherFrame, DispatcherMessage } from './messages.ts';
import { RunningCall } from './running-call.ts';
import type { RunningCallHouse } from './running-call.ts';
import { StallWatch } from './stall.ts';
import { isAsyncIterable, sendStream } from './result-stream.ts';

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
  clock: Clock;
  /** `calls` and `streams` of one connection, `running` of all together. */
  limits: { calls: number; streams: number; running: number };
  /** Whether thrown errors are sent with their stack. */
  stacks: boolean;
  middleware: Middleware;
  remotePeer: (link: Link) => RemotePeer;
}

export type DispatcherLogic = ActorLogic<LiveSnapshot<DispatcherCounters>, DispatcherMessage, undefined>;
export type DispatcherRef = ActorRefFrom<DispatcherLogic>;

export function createDispatcherLogic(input: DispatcherInput): DispatcherLogic {
  const dispatcher = new Dispatcher(input);
  return {
    getInitialSnapshot: ({ self }) => {
      dispatcher.resume = (link) => self.send({ type: 'held.due', link });
      return dispatcher.snapshot;
    },
    getPersistedSnapshot: (snapshot) => snapshot,
    transition: (snapshot, message) => {
      dispatcher.receive(message);
      return snapshot;
    },
  };
}

class Dispatcher implements ContextSource, RunningCallHouse {
  readonly snapshot: LiveSnapshot<DispatcherCounters>;
  readonly clock: Clock;
  resume: (link: Link) => void = () => {};
  readonly #counters: DispatcherCounters;
  readonly #registry: Registry;
  readonly #limits: DispatcherInput['limits'];
  readonly #answers: Answers;
  readonly #middleware: Middleware;
  readonly #remotePeer: (link: Link) => RemotePeer;
  readonly #stall = new StallWatch();

  // The call that runs synchronously: enough to make its context when it is asked for.
  #link: Link | undefined;
  #request: RequestFrame | undefined;
  #context: RunningCall | undefined;
  /** When the requests that are being worked on were read, on the clock. */
  #receivedAt = 0;

  constructor({ registry, clock, limits, stacks, middleware, remotePeer }: DispatcherInput) {
    this.#registry = registry;
    this.clock = clock;
    this.#limits = limits;
    this.#answers = new Answers(stacks);
    this.#middleware = middleware;
    this.#remotePeer = remotePeer;
    this.#counters = {
      get registered() {
        return registry.size;
      },
      running: 0,
      settled: 0,
    };
    this.snapshot = new LiveSnapshot(this.#counters);
  }

  remotePeer(link: Link): RemotePeer {
    return this.#remotePeer(link);
  }

  receive(message: DispatcherMessage | { type: 'xstate.stop' }): void {
    switch (message.type) {
      case 'frames.received':
        this.#frames(message.link, message.frames);
        break;
      case 'held.due':
        this.#resume(message.link);
        break;
      case 'link.closed':
        this.#drop(message.link);
        break;
      case 'xstate.stop':
        this.snapshot.status = 'stopped';
        break;
    }
  }

  #frames(link: Link, frames: readonly DispatcherFrame[]): void {
    const now = this.clock.now();
    this.#receivedAt = now;
    // What has been lying there may be followed by its cancel: a look at what else there is comes first.
    if (this.#stall.stalled(now) && !link.held) {
      link.held = new Held();
      setImmediate(() => this.resume(link));
    }
    for (const frame of frames) {
      if (frame.type === 'request' || frame.type === 'unreadable') this.#take(link, frame);
      else if (frame.arg !== undefined) this.#argument(link, frame as ArgumentFrame);
      else if (frame.type === 'cancel') this.#cancel(link, frame.id);
      else if (frame.type === 'credit') link.running.get(frame.id)?.writer?.credit(frame.count);
    }
  }

  /** Decides whether the request is begun, put off or refused. */
  #take(link: Link, request: RequestFrame | UnreadableFrame): void {
    // Our goaway named the last request we take, so the caller knows that this one was not.
    if (link.refusing) return;
    const { id } = request;
    if (id <= link.lastTaken) {
      link.close(CLOSE.BAD_FRAME, 'request id used twice');
      return;
    }
    link.lastTaken = id;
    if (request.type === 'unreadable') {
      this.#answers.refuse(link, id, 'BAD_REQUEST', `the request cannot be read: ${request.message}`);
      this.#answered(link);
      return;
    }
    const held = link.held?.requests.length ?? 0;
    const { calls, streams } = this.#limits;
    if (link.running.size + held >= calls) {
      // Who neither reads the answers nor stops asking would fill the memory with refusals.
      if (link.congested) link.close(CLOSE.BAD_FRAME, 'answers are not read');
      else
        this.#overloaded(
          link,
          id,
          `more than ${calls} calls of this connection are unanswered (limits.calls)`,
        );
    } else if (request.streams && link.openStreams + request.streams.length > streams) {
      this.#overloaded(link, id, `more than ${streams} streams of this connection are open (limits.streams)`);
    } else if ((link.held || link.congested) && !request.streams) {
      (link.held ??= new Held()).requests.push({ request, receivedAt: this.#receivedAt });
    } else {
      this.#begin(link, request, this.#receivedAt);
    }
  }

  #begin(link: Link, request: RequestFrame, receivedAt: number): void {
    const { id, tag, deadline } = request;
    if (deadline !== undefined && this.clock.now() - receivedAt >= deadline) {
      const text = 'the deadline had passed before the function could be run';
      this.#answers.refuse(link, id, 'DEADLINE_EXCEEDED', text);
      this.#answered(link);
      return;
    }
    if (this.#counters.running >= this.#limits.running) {
      this.#overloaded(link, id, `the process runs ${this.#limits.running} calls already (limits.running)`);
      return;
    }
    const registration = this.#registry.get(tag);
    if (!registration) {
      this.#answers.refuse(link, id, 'NO_SUCH_TAG', this.#noSuchTag(tag));
      this.#answered(link);
      return;
    }
    const { streams } = this.#limits;
    if (registration.streams && link.openStreams >= streams) {
      this.#overloaded(link, id, `more than ${streams} streams of this connection are open (limits.streams)`);
      return;
    }
    if (registration.waits === false && !request.streams && this.#middleware.incoming === undefined) {
      this.#runBriefly(link, registration, request);
    } else {
      this.#runTracked(link, registration, request);
    }
  }

  /** For functions that have returned plain values so far: the way that costs least. */
  #runBriefly(link: Link, registration: Registration, request: RequestFrame): void {
    this.#link = link;
    this.#request = request;
    this.#context = undefined;
    let value: unknown;
    try {
      value = runBriefly(this, registration.run, argumentsOf(request));
    } catch (error) {
      this.#endBrief();
      this.#answers.threw(link, request.id, error);
      this.#answered(link);
      return;
    }
    if (isThenable(value) || isAsyncIterable(value)) {
      registration.waits = true;
      const call = this.context();
      this.#link = undefined;
      this.#follow(call, value);
    } else {
      this.#endBrief();
      this.#answers.succeed(link, request.id, value);
      this.#answered(link);
    }
  }

  /** The context of the call that runs synchronously. */
  context(): RunningCall & OuterCall {
    return (this.#context ??= this.#runningCall(this.#link!, this.#request!));
  }

  #endBrief(): void {
    this.#link = undefined;
    this.#context?.settle();
  }

  #runTracked(link: Link, registration: Registration, request: RequestFrame): void {
    const call = this.#runningCall(link, request);
    const args = receiveArguments(call, argumentsOf(request), request.streams);
    track(call);
    let value: unknown;
    try {
      value = runTracked(call, () => this.#apply(call, registration.run, args));
    } catch (error) {
      untrack(call, false);
      call.settle();
      this.#answers.threw(link, request.id, error);
      this.#answered(link);
      return;
    }
    if (isThenable(value) || isAsyncIterable(value)) {
      registration.waits = true;
      this.#follow(call, value);
    } else {
      registration.waits ??= false;
      untrack(call, true);
      call.settle();
      this.#answers.succeed(link, request.id, value);
      this.#answered(link);
    }
  }

  #apply(call: RunningCall, run: AnyFunction, args: readonly unknown[]): unknown {
    const { incoming } = this.#middleware;
    if (!incoming) return apply(run, args);
    const { caller: peer, tag, signal, deadline } = call;
    return incoming({ direction: 'incoming', peer, tag, args, signal, deadline }, async () =>
      apply(run, args),
    );
  }

  #runningCall(link: Link, { id, tag, deadline = Infinity }: RequestFrame): RunningCall {
    return new RunningCall(this, link, id, tag, this.#receivedAt + deadline);
  }

  /** Waits for a function that has not settled. */
  #follow(call: RunningCall, value: unknown): void {
    const { link, id } = call;
    link.running.set(id, call);
    this.#counters.running += 1;
    if (isAsyncIterable(value)) {
      this.#stream(call, value);
      return;
    }
    Promise.resolve(value).then(
      (result) => {
        if (isAsyncIterable(result)) this.#stream(call, result);
        else this.#answer(call, () => this.#answers.succeed(link, id, result));
      },
      (error: unknown) => this.#answer(call, () => this.#answers.threw(link, id, error)),
    );
  }

  #stream(call: RunningCall, stream: AsyncIterable<unknown>): void {
    if (!call.tracked) track(call);
    sendStream(call, stream, {
      answers: this.#answers,
      most: this.#limits.streams,
      done: (answer) => this.#answer(call, answer),
    });
  }

  /** Answers, as soon as the network takes it. Until then the call counts as running. */
  #answer(call: RunningCall, write: () => void): void {
    const { link, id } = call;
    if (link.congested && link.running.get(id) === call) {
      (link.held ??= new Held()).answers.push(() => this.#answer(call, write));
      return;
    }
    this.#counters.running -= 1;
    if (call.tracked) untrack(call, false);
    call.settle();
    // Nobody is there any more, when the link is closed.
    if (link.running.get(id) === call) {
      link.running.delete(id);
      // The caller waits for no answer, but its place is only free now.
      if (call.ended) this.#answers.refuse(link, id, call.ended.code, call.ended.message, 'yes');
      else write();
    }
    this.#answered(link);
  }

  #answered(link: Link): void {
    this.#counters.settled += 1;
    if (link.leaving || link.otherLeaving) link.checkIdle();
  }

  #overloaded(link: Link, id: number, text: string): void {
    this.#answers.refuse(link, id, 'OVERLOADED', text);
    this.#answered(link);
  }

  #cancel(link: Link, id: number): void {
    const { record } = link;
    const call = link.running.get(id);
    if (call) {
      const late = call.deadline === 0;
      call.end(
        late
          ? new NetError('DEADLINE_EXCEEDED', 'the caller waits no longer', {
              peer: record.id,
              tag: call.tag,
            })
          : new NetError('CANCELLED', 'the caller took the call back', { peer: record.id, tag: call.tag }),
      );
    } else if (link.held?.take(id)) {
      this.#answers.refuse(link, id, 'CANCELLED', 'the call was taken back before its function was run');
      this.#answered(link);
    }
  }

  #argument(link: Link, frame: ArgumentFrame): void {
    const call = link.running.get(frame.id);
    if (call && !receiveForArgument(call, frame)) {
      link.close(CLOSE.BAD_FRAME, 'more of a stream than was asked for');
    }
  }

  /** Goes on with what was put off. */
  #resume(link: Link): void {
    const { held } = link;
    if (!held) return;
    link.held = undefined;
    while (held.answers.length > 0 && !link.congested) held.answers.shift()!();
    while (held.requests.length > 0 && !link.congested) {
      const { request, receivedAt } = held.requests.shift()!;
      this.#receivedAt = receivedAt;
      this.#begin(link, request, receivedAt);
    }
    if (held.answers.length + held.requests.length > 0) link.held = held;
  }

  /** The caller is lost: what runs for it runs for nobody. */
  #drop(link: Link): void {
    const running = [...link.running.values()];
    const held = link.held?.answers ?? [];
    link.running.clear();
    link.held = undefined;
    for (const call of running) {
      const { id } = link.record;
      call.end(new NetError('CONNECTION_LOST', 'the caller is gone', { peer: id, tag: call.tag }));
    }
    for (const answer of held) answer();
  }

  #noSuchTag(tag: string): string {
    const near = this.#registry.near(tag).map((each) => readableTag(each));
    const hint = near.length > 0 ? `; there is ${near.join(', ')}` : '';
    return `no function is connected as ${JSON.stringify(printable(readableTag(tag).slice(0, 256)))}${hint}`;
  }
}

function track(call: RunningCall): void {
  call.tracked = true;
  beginTracking();
}

function untrack(call: RunningCall, forget: boolean): void {
  call.tracked = false;
  endTracking(forget);
}

/** In a function of its own, so that the user's stack has one frame of ours to be cut at. */
function apply(run: AnyFunction, args: readonly unknown[]): unknown {
  return Reflect.apply(run, undefined, args);
}

function argumentsOf({ args, kwargs }: RequestFrame): readonly unknown[] {
  return kwargs && hasKeys(kwargs) ? [...args, kwargs] : args;
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
