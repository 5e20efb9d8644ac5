import type { DispatcherCounters } from '../../presence/set/peer-info.ts';
import type { ActorLogic, ActorRefFrom } from 'xstate';

import type { Clock } from '../../base/time/clock.ts';
import { NetError } from '../../base/errors.ts';
import type { NetErrorCode } from '../../base/errors.ts';
import type { MeasuredCalls } from '../call-stats.ts';
import { Watching } from './watching.ts';
import type { Middleware } from '../hooks.ts';
import type { Log } from '../../base/log.ts';
import type { Registry } from './registry.ts';
import type { RemotePeer } from '../../presence/set/remote-peer.ts';
import { nameFor, readableTag } from '../../base/tag.ts';
import { printable } from '../../base/text.ts';
import { traceId } from '../../wire/beside.ts';
import type { CancelFrame, RequestFrame, UnreadableFrame } from '../../wire/frames.ts';
import type { Rights } from '../../wire/handshake/pass.ts';
import { Answers } from './answers.ts';
import { receiveForArgument } from './arguments.ts';
import type { ArgumentFrame } from './arguments.ts';
import { contained } from '../../base/contained.ts';
import { Held } from './held.ts';
import type { Link } from '../../connection/link/link.ts';
import { LiveSnapshot } from '../../base/process/live-snapshot.ts';
import type { DispatcherFrame, ToDispatcher } from '../../connection/messages.ts';
import { Runner } from './runner.ts';
import type { HostProcess } from '../../base/process/host-process.ts';
import { StallWatch } from './stall.ts';
import { takenOver } from './taken-calls.ts';
import type { TakenCalls } from './taken-calls.ts';

/** The actor that finds the function for a tag, runs it and answers. */

export interface DispatcherInput {
  /** Id of the peer. */
  id: string;
  measured: MeasuredCalls;
  registry: Registry;
  clock: Clock;
  process: Pick<HostProcess, 'busy'>;
  /** `calls` and `streams` count for one connection, `running` for all connections together. */
  limits: { calls: number; streams: number; running: number };
  /** Whether thrown errors are sent with their stack. */
  stacks: boolean;
  middleware: Middleware;
  log: Log;
  remotePeer: (link: Link) => RemotePeer;
}

export type DispatcherLogic = ActorLogic<LiveSnapshot<DispatcherCounters>, ToDispatcher, undefined>;
export type DispatcherRef = ActorRefFrom<DispatcherLogic>;

export function createDispatcherLogic(input: DispatcherInput): DispatcherLogic {
  const dispatcher = new Dispatcher(input);
  const logic: DispatcherLogic = {
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
  return contained(logic, (error, { link }) => link.fail(error));
}

/** A function that computes without a pause for this long, in ms, is named in the log. */
const BLOCKED = 1_000;

/** The functions that requests ask for. */
function tagsOf(frames: readonly DispatcherFrame[]): string[] {
  return [...new Set(frames.flatMap((frame) => (frame.type === 'request' ? [frame.tag] : [])))];
}

/** The id of the first trace that one of the requests belongs to. */
function traceOf(frames: readonly DispatcherFrame[]): string | undefined {
  for (const frame of frames) {
    const id = frame.type === 'request' && traceId(frame.trace);
    if (id) return id;
  }
  return undefined;
}

class Dispatcher {
  readonly snapshot: LiveSnapshot<DispatcherCounters>;
  resume: (link: Link) => void = () => {};
  readonly #counters: DispatcherCounters;
  readonly #registry: Registry;
  readonly #limits: DispatcherInput['limits'];
  readonly #answers: Answers;
  readonly #runner: Runner;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #stall: StallWatch;
  /** When the current requests were read, on the clock. */
  #receivedAt = 0;

  constructor(input: DispatcherInput) {
    const { id, measured, registry, clock, limits, stacks, middleware, remotePeer } = input;
    this.#log = input.log;
    this.#stall = new StallWatch(input.process);
    this.#registry = registry;
    this.#clock = clock;
    this.#limits = limits;
    this.#answers = new Answers(stacks, id, measured);
    this.#counters = {
      get registered() {
        return registry.size;
      },
      held: 0,
      waiting: 0,
      running: 0,
      settled: 0,
    };
    this.snapshot = new LiveSnapshot(this.#counters);
    this.#runner = new Runner({
      ...{
        watching: new Watching(id, clock, measured),
        clock,
        middleware,
        remotePeer,
        streams: limits.streams,
      },
      ...{ answers: this.#answers, counters: this.#counters },
    });
  }

  receive(message: ToDispatcher | { type: 'xstate.stop' }): void {
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
    const now = this.#clock.now();
    this.#receivedAt = now;
    // After a stall, requests may be old, and their cancel may already be in the buffer: read everything first.
    const taken = takenOver(link);
    if (this.#stall.stalled(now) && !taken.held) {
      taken.held = new Held();
      setImmediate(() => this.resume(link));
    }
    for (const frame of frames) {
      switch (frame.type) {
        case 'request':
        case 'unreadable':
          this.#take(link, frame);
          break;
        case 'cancel':
          this.#cancel(link, frame);
          break;
        case 'credit':
          taken.running.get(frame.id)?.writer?.credit(frame.count, frame.bytes);
          break;
        case 'next':
        case 'complete':
        case 'error':
          this.#argument(link, frame as ArgumentFrame);
          break;
      }
    }
    const blocked = this.#clock.now() - now;
    if (blocked >= BLOCKED) this.#log.blocked(blocked, tagsOf(frames), traceOf(frames));
  }

  /** Starts the request, puts it off or refuses it. */
  #take(link: Link, request: RequestFrame | UnreadableFrame): void {
    // Our goaway named the last request that we accept, so the caller knows that this one was not accepted.
    if (link.refusing) return;
    const { id } = request;
    const taken = takenOver(link);
    if (id <= taken.last) {
      link.breach('a request id was used twice, or out of order');
      return;
    }
    taken.last = id;
    if (request.type === 'unreadable') {
      this.#refuse(link, request, 'BAD_REQUEST', `the request cannot be read: ${request.message}`);
      return;
    }
    const { calls, streams } = this.#limits;
    const opens = request.streams?.length ?? 0;
    if (taken.unsettled >= calls) {
      this.#refuse(
        link,
        request,
        'OVERLOADED',
        `this connection already has ${calls} unanswered calls (limits.calls of the called peer)`,
      );
    } else if (opens > 0 && taken.openStreams + opens > streams) {
      this.#refuse(
        link,
        request,
        'OVERLOADED',
        `more than ${streams} streams would be open on this connection (limits.streams of the called peer)`,
      );
    } else if ((taken.held || link.congested) && opens === 0) {
      (taken.held ??= new Held()).requests.set(id, { request, receivedAt: this.#receivedAt });
      this.#putOff(taken, 1);
    } else {
      this.#begin(link, request, this.#receivedAt);
    }
  }

  /** Adds to the count of requests that are put off, or subtracts from it. */
  #putOff(taken: TakenCalls, count: number): void {
    taken.putOff += count;
    this.#counters.held += count;
  }

  #begin(link: Link, request: RequestFrame, receivedAt: number): void {
    const { tag, deadline } = request;
    if (deadline !== undefined && this.#clock.now() - receivedAt >= deadline) {
      const text = 'the deadline passed before the function could start';
      this.#refuse(link, request, 'DEADLINE_EXCEEDED', text);
      return;
    }
    if (this.#counters.running >= this.#limits.running) {
      this.#refuse(
        link,
        request,
        'OVERLOADED',
        `the called peer already runs ${this.#limits.running} calls (its limits.running); try another peer, or later`,
      );
      return;
    }
    const { rights } = link;
    const registration = rights && !rights.mayCall(tag) ? undefined : this.#registry.get(tag);
    if (!registration) {
      this.#refuse(link, request, 'NO_SUCH_TAG', this.#noSuchTag(tag, rights));
      return;
    }
    const { streams } = this.#limits;
    if (registration.streams && takenOver(link).openStreams >= streams) {
      this.#refuse(
        link,
        request,
        'OVERLOADED',
        `more than ${streams} streams would be open on this connection (limits.streams of the called peer)`,
      );
      return;
    }
    this.#runner.run(link, registration, request, receivedAt);
  }

  /** Answers a request whose function did not run. */
  #refuse(link: Link, request: { id: number; tag?: string }, code: NetErrorCode, text: string): void {
    this.#answers.refuseUnrun(link, request, code, text);
    this.#runner.settled(link);
  }

  #cancel(link: Link, { id, late }: CancelFrame): void {
    const call = takenOver(link).running.get(id);
    if (call) {
      const details = { peer: link.record.id, tag: call.tag };
      const reason =
        late || call.deadline === 0
          ? new NetError('DEADLINE_EXCEEDED', 'the deadline passed, and the caller no longer waits', details)
          : new NetError('CANCELLED', 'the caller cancelled the call', details);
      call.end(reason);
      return;
    }
    const taken = takenOver(link);
    const held = taken.held?.requests.get(id);
    if (held) {
      taken.held!.requests.delete(id);
      this.#putOff(taken, -1);
      this.#refuse(link, held.request, 'CANCELLED', 'the call was cancelled before its function started');
    }
  }

  #argument(link: Link, frame: ArgumentFrame): void {
    const call = takenOver(link).running.get(frame.id);
    if (call && !receiveForArgument(call, frame)) {
      link.breach('a stream sent more than its credit allowed');
    }
  }

  /** Continues with what was put off. */
  #resume(link: Link): void {
    const taken = takenOver(link);
    const { held } = taken;
    if (!held) return;
    taken.held = undefined;
    let written = 0;
    while (written < held.answers.length && !link.congested) {
      held.answers[written]!();
      written += 1;
    }
    held.answers = held.answers.slice(written);
    const begin = this.#clock.now();
    const begun: RequestFrame[] = [];
    for (const [id, { request, receivedAt }] of held.requests) {
      if (link.congested) break;
      begun.push(request);
      held.requests.delete(id);
      this.#putOff(taken, -1);
      this.#receivedAt = receivedAt;
      this.#begin(link, request, receivedAt);
    }
    const blocked = this.#clock.now() - begin;
    if (blocked >= BLOCKED) this.#log.blocked(blocked, tagsOf(begun), traceOf(begun));
    if (held.answers.length + held.requests.size === 0) return;
    // More may have been put off while the older entries were handled.
    held.take(taken.held);
    taken.held = held;
  }

  /** The caller is lost: ends its calls, since nobody waits for their results. */
  #drop(link: Link): void {
    const taken = takenOver(link);
    const running = taken.running.values();
    const held = taken.held?.answers ?? [];
    taken.running.clear();
    taken.held = undefined;
    for (const telling of taken.tellings ?? []) telling.drop(link);
    this.#putOff(taken, -taken.putOff);
    for (const call of running) {
      const { id } = link.record;
      call.end(
        new NetError('CONNECTION_LOST', 'the connection to the caller was lost', { peer: id, tag: call.tag }),
      );
    }
    for (const answer of held) answer();
  }

  /** @param rights of a caller that has a pass: functions that it may not call are not named */
  #noSuchTag(tag: string, rights: Rights | undefined): string {
    const isNamed = (each: string): boolean => rights === undefined || rights.mayCall(each);
    const near = this.#registry.near(tag, isNamed).map((each) => nameFor(each, tag));
    const hint = near.length > 0 ? `; did you mean ${near.join(' or ')}?` : '';
    return `no function is connected as ${JSON.stringify(printable(readableTag(tag).slice(0, 256)))}${hint}`;
  }
}
