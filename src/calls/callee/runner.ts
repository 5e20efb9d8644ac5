import type { Clock } from '../../base/time/clock.ts';
import type { NetErrorCode, Ran } from '../../base/errors.ts';
import { runBriefly, runTracked } from '../context.ts';
import type { ContextSource } from '../context.ts';
import type { Watching } from './watching.ts';
import { OK, endOf } from '../call-end.ts';
import { HookedCallState } from '../hooks.ts';
import type { Middleware } from '../hooks.ts';
import type { AnyFunction } from '../../base/function-types.ts';
import type { Registration } from './registry.ts';
import type { RemotePeer } from '../../presence/set/remote-peer.ts';
import { isStream, shapeOf, whenSettled } from '../../base/value-shape.ts';
import type { RequestFrame } from '../../wire/frames.ts';
import type { Outgoing } from '../../wire/outgoing.ts';
import type { PassedOn } from '../../wire/unread/unread-request.ts';
import type { Answers } from './answers.ts';
import { argumentsOf, readOrRefuse, receiveArguments } from './arguments.ts';
import { Held } from './held.ts';
import type { Link } from '../../connection/link/link.ts';
import type { Limited, Telling } from './limited.ts';
import { LoadTelling } from './load-telling.ts';
import { leaveTurn, runInTurn } from './in-turn.ts';
import { sendStream } from './result-stream.ts';
import { RunningCall } from './running-call.ts';
import type { RunningCallHouse } from './running-call.ts';
import { takenOver } from './taken-calls.ts';
import type { ForwardHouse } from './threads.ts';

export interface RunnerInput {
  watching: Watching;
  clock: Clock;
  answers: Answers;
  middleware: Middleware;
  /** Streams of one connection that may be open. */
  streams: number;
  /** Counts of calls that wait for a place, run and have settled. */
  counters: { waiting: number; running: number; settled: number };
  remotePeer: (link: Link) => RemotePeer;
  /** Looks whether a call has ended, when its function asks for its signal; where frames arrive too late. */
  poll?: (call: RunningCall) => void;
}

/** Runs functions for other peers, and makes sure that each call is answered exactly once. */
export class Runner implements ContextSource, RunningCallHouse, ForwardHouse {
  readonly clock: Clock;
  readonly remotePeer: (link: Link) => RemotePeer;
  readonly #watching: Watching;
  readonly poll: ((call: RunningCall) => void) | undefined;
  readonly #answers: Answers;
  readonly #middleware: Middleware;
  readonly #streams: number;
  readonly #counters: RunnerInput['counters'];

  // The call that runs synchronously: enough to make its context when it is asked for.
  #link: Link | undefined;
  #request: RequestFrame | undefined;
  #context: RunningCall | undefined;
  /** When the request that runs now was read, on the clock. */
  #receivedAt = 0;

  constructor({ watching, clock, answers, middleware, streams, counters, remotePeer, poll }: RunnerInput) {
    this.#watching = watching;
    this.clock = clock;
    this.remotePeer = remotePeer;
    this.poll = poll;
    this.#answers = answers;
    this.#middleware = middleware;
    this.#streams = streams;
    this.#counters = counters;
  }

  run(link: Link, registration: Registration, request: RequestFrame, receivedAt: number): void {
    this.#receivedAt = receivedAt;
    if (request.passedOn) {
      this.#runPassedOn(link, registration, request, request.passedOn);
      return;
    }
    if (registration.waits !== false || request.streams || this.#middleware.incoming) {
      this.#runTracked(registration, this.#runningCall(link, request), request);
      return;
    }
    const verdict = this.#watching.decide(request.trace);
    if (verdict !== true) {
      if (verdict !== undefined) request.trace = verdict;
      this.#runBriefly(link, registration, request);
    } else {
      const call = this.#runningCall(link, request);
      this.#watching.tell(call);
      this.#runBriefly(link, registration, request, call);
    }
  }

  /**
   * The threads of the function read the request and run it. Hooks, and those who watch calls, need its values here: then the
   * function calls the threads.
   */
  #runPassedOn(link: Link, registration: Registration, request: RequestFrame, passedOn: PassedOn): void {
    const { threads } = registration;
    if (threads && this.#middleware.incoming === undefined && !this.#watching.tells) {
      const call = this.#runningCall(link, request);
      this.#watching.follow(call);
      takenOver(link).running.add(call);
      this.#counters.running += 1;
      this.#watch(registration, threads).called(link);
      threads.forward(call, passedOn, this);
      return;
    }
    const read = readOrRefuse(link, request, this.#answers);
    if (read) this.run(link, registration, read, this.#receivedAt);
    else this.settled(link);
  }

  answered(call: RunningCall, answer: Outgoing): void {
    const { link, id } = call;
    if (call.onEnd || call.ended || link.congested) {
      this.#answer(call, () => this.#answers.passOn(link, answer));
      return;
    }
    // The same, without what such a call never needs.
    this.#counters.running -= 1;
    call.settle();
    if (takenOver(link).running.delete(id)) this.#answers.passOn(link, answer);
    this.settled(link);
  }

  streamed(call: RunningCall, stream: AsyncIterable<unknown>): void {
    this.#stream(call, stream);
  }

  failed(call: RunningCall, code: NetErrorCode, message: string, ran: Ran): void {
    this.#answer(call, () => this.#answers.refuse(call.link, call.id, code, message, ran));
  }

  /** Runs a function that has never returned a promise. This is the cheapest way. @param call made only if it is watched */
  #runBriefly(link: Link, registration: Registration, request: RequestFrame, call?: RunningCall): void {
    this.#link = link;
    this.#request = request;
    this.#context = call;
    let value: unknown;
    try {
      value = runBriefly(this, registration.run, argumentsOf(request), call?.enter);
    } catch (error) {
      this.#endBrief();
      if (call) this.#write(call, () => this.#answers.threw(link, request.id, error));
      else this.#answers.threw(link, request.id, error);
      if (!call) this.#watching.count(request.tag, this.#receivedAt, endOf(error));
      this.settled(link);
      return;
    }
    if (shapeOf(value) !== 'value') {
      registration.waits = true;
      const followed = this.context();
      this.#link = undefined;
      if (!call) this.#watching.follow(followed);
      this.#follow(followed, value);
    } else {
      this.#endBrief();
      if (call) this.#write(call, () => this.#answers.succeed(link, request.id, value));
      else
        this.#watching.count(request.tag, this.#receivedAt, this.#answers.succeed(link, request.id, value));
      this.settled(link);
    }
  }

  /** The context of the call that runs synchronously. */
  context(): RunningCall {
    return (this.#context ??= this.#runningCall(this.#link!, this.#request!));
  }

  #endBrief(): void {
    this.#link = undefined;
    this.#context?.settle();
  }

  /** Runs a function that waits, or may wait. */
  #runTracked(registration: Registration, call: RunningCall, request: RequestFrame): void {
    const args = receiveArguments(call, argumentsOf(request), request.streams);
    const { turns, threads } = registration;
    const limited = turns ?? threads;
    if (limited) this.#watch(registration, limited).called(call.link);
    if (!turns) {
      this.#start(registration, call, args);
      return;
    }
    runInTurn(turns, call, {
      counters: this.#counters,
      start: () => this.#start(registration, call, args),
      refuse: (code, text) => this.#refuse(call, code, text),
    });
  }

  #watch(registration: Registration, limited: Limited): Telling {
    return (registration.telling ??= new LoadTelling(registration.tag, limited, this.clock));
  }

  /** Answers a call whose function does not run. */
  #refuse(call: RunningCall, code: NetErrorCode, text: string): void {
    leaveTurn(call);
    call.settle();
    this.#answers.refuseUnrun(call.link, call, code, text);
    this.settled(call.link);
  }

  #start(registration: Registration, call: RunningCall, args: readonly unknown[]): void {
    const { link, id } = call;
    if (!call.onEnd) this.#watching.begin(call);
    call.bare = registration.bare && !this.#middleware.incoming;
    call.track();
    let value: unknown;
    try {
      value = runTracked(call, () => this.#apply(call, registration.run, args));
    } catch (error) {
      if (link.congested) {
        this.#answerLater(call, () => this.#answers.threw(link, id, error));
        return;
      }
      call.untrack(false);
      leaveTurn(call);
      call.settle();
      this.#write(call, () => this.#answers.threw(link, id, error));
      this.settled(link);
      return;
    }
    if (shapeOf(value) !== 'value') {
      registration.waits = true;
      this.#follow(call, value);
    } else if (link.congested) {
      this.#answerLater(call, () => this.#answers.succeed(link, id, value));
    } else {
      registration.waits ??= false;
      call.untrack(true);
      leaveTurn(call);
      call.settle();
      this.#write(call, () => this.#answers.succeed(link, id, value));
      this.settled(link);
    }
  }

  #apply(call: RunningCall, run: AnyFunction, args: readonly unknown[]): unknown {
    const { incoming } = this.#middleware;
    if (!incoming) return apply(run, args);
    const { caller: peer, tag, signal, deadline } = call;
    const meta = { ...call.meta };
    const hooked = new HookedCallState({ direction: 'incoming', peer, tag, args, signal, deadline, meta });
    call.hooked = hooked;
    const { onEnd } = call;
    call.onEnd = (end) => {
      hooked.finish(end);
      onEnd?.(end);
    };
    return incoming(hooked, async () => apply(run, args));
  }

  #runningCall(link: Link, request: RequestFrame): RunningCall {
    return new RunningCall(this, link, request, this.#receivedAt);
  }

  /** Waits for a function that has not settled. */
  #follow(call: RunningCall, value: unknown): void {
    const { link, id } = call;
    takenOver(link).running.add(call);
    this.#counters.running += 1;
    if (isStream(value)) {
      this.#stream(call, value);
      return;
    }
    whenSettled(
      value,
      (result) => {
        try {
          if (isStream(result)) this.#stream(call, result);
          else this.#answer(call, () => this.#answers.succeed(link, id, result));
        } catch (error) {
          link.fail(error);
        }
      },
      (thrown: unknown) => {
        try {
          this.#answer(call, () => this.#answers.threw(link, id, thrown));
        } catch (error) {
          link.fail(error);
        }
      },
    );
  }

  #stream(call: RunningCall, stream: AsyncIterable<unknown>): void {
    if (!call.tracked) call.track();
    sendStream(call, stream, {
      answers: this.#answers,
      most: this.#streams,
      done: (answer) => this.#answer(call, answer),
    });
  }

  /** Also starts a function with streams among its arguments on a congested link. Its answer waits like any other. */
  #answerLater(call: RunningCall, write: () => void): void {
    takenOver(call.link).running.add(call);
    this.#counters.running += 1;
    this.#answer(call, write);
  }

  /** Answers as soon as the network takes it. Until then the call counts as running. */
  #answer(call: RunningCall, write: () => void): void {
    const { link, id } = call;
    // The function has ended, although the network may not take its answer yet.
    leaveTurn(call);
    if (link.congested && takenOver(link).running.get(id) === call) {
      (takenOver(link).held ??= new Held()).answers.push(() => this.#answer(call, write));
      return;
    }
    this.#counters.running -= 1;
    if (call.tracked) call.untrack(false);
    call.settle();
    // A call that is not in the table any more belongs to a closed link: there is nobody to answer.
    if (takenOver(link).running.get(id) === call) {
      takenOver(link).running.delete(id);
      const { ended } = call;
      // The call has ended, but our clock may be a moment ahead and the caller still waiting. The answer has the same
      // code, and says the same about `ran`, as the caller would. Only this answer frees the call's place.
      const refuse = ended && (() => this.#answers.refuse(link, id, ended.code, ended.message, ended.ran));
      this.#write(call, refuse ?? write);
    } else if (call.onEnd) {
      call.onEnd(call.ended ? endOf(call.ended) : OK);
    }
    this.settled(link);
  }

  #write({ onEnd }: RunningCall, write: () => void): void {
    if (onEnd) this.#answers.telling(onEnd, write);
    else write();
  }

  ended(link: Link, streams: number): void {
    takenOver(link).openStreams -= streams;
  }

  /** Counts a call that has run to its end or was refused. */
  settled(link: Link): void {
    this.#counters.settled += 1;
    if (link.leaving || link.otherLeaving) link.checkIdle();
  }
}

/** A function of its own, so that the user's stack is cut at exactly one frame of ours. */
function apply(run: AnyFunction, args: readonly unknown[]): unknown {
  return Reflect.apply(run, undefined, args);
}
