import { RemoteStream, asStream } from '../streams/remote-stream.ts';
import { Call } from './call.ts';
import { callerFrames, failWithNetError } from './call-failure.ts';
import { endArguments } from '../streams/call-streams.ts';
import { GuestCalls } from './guest-calls.ts';
import { GivenStreams } from '../streams/given-streams.ts';
import type { PeerRecord } from '../../connection/link/link.ts';
import type { Clock } from '../../base/time/clock.ts';
import { CallMessage, attempted, decideCall, publishStart } from '../call-message.ts';
import type { AnyMessage } from '../call-message.ts';
import { outerCall } from '../context.ts';
import type { NetError } from '../../base/errors.ts';
import { OK, endOf, failed } from '../call-end.ts';
import type { CallEnd } from '../call-end.ts';
import { HookedCallState } from '../hooks.ts';
import type { Middleware } from '../hooks.ts';
import { checkCall } from './call-options.ts';
import { abortSignal, milliseconds } from '../../base/option-checks.ts';
import type { CallOptions, Calling, Lent, PeerLoad, RemotePeer } from '../../presence/set/remote-peer.ts';
import { NO_META, encodeBeside } from '../../wire/beside.ts';
import type { WireTrace } from '../../wire/beside.ts';
import { shapeOf } from '../../base/value-shape.ts';

/**
 * Least time between two calls that take their call site at once, in ms. A stack costs 5 µs, so this is a thousandth of
 * the time.
 */
const SITE_INTERVAL = 5;

export interface OutgoingInput {
  /** Id of the peer that makes the calls. */
  id: string;
  clock: Clock;
  /** The deadline of a call that has none of its own, in ms. */
  deadline: number;
  /** The actor that makes the calls. */
  caller: { send(call: Call): void };
  middleware: Middleware;
  remotePeer(record: PeerRecord): RemotePeer;
  /** Why nothing works any more; undefined while the peer works. */
  over(): NetError | undefined;
}

/** Turns a user's call into a `Call` for the caller actor. */
export class Outgoing implements Calling {
  readonly #input: OutgoingInput;
  /** When the next call takes its call site at once, on the clock. */
  #nextSite = -Infinity;

  constructor(input: OutgoingInput) {
    this.#input = input;
  }

  /** What makes calls to this peer. */
  to({ rights }: PeerRecord): Calling {
    return rights ? new GuestCalls(this, rights) : this;
  }

  /** @throws TypeError for invalid options; all other failures reject */
  call(
    record: PeerRecord,
    tag: string,
    args: readonly unknown[],
    options: CallOptions,
    plain?: () => void,
    lent?: Lent,
  ): Promise<unknown> {
    const { clock, deadline: otherwise } = this.#input;
    const given = (lent as GivenStreams | undefined) ?? GivenStreams.among(args);
    let time: number;
    let beside = '';
    try {
      checkCall(tag, args, options);
      time = milliseconds('deadline', options.deadline, otherwise);
      abortSignal('signal', options.signal);
      if (options.meta !== undefined) beside = encodeBeside(options.meta, undefined);
    } catch (error) {
      given?.release();
      throw error;
    }
    const { signal } = options;
    const now = clock.now();
    let site: string | undefined;
    // A stack costs as much as the rest of the call. Taking one now and then is not felt. For the other calls,
    // `call-failure.ts` finds the call site when it is needed.
    if (now >= this.#nextSite) {
      this.#nextSite = now + SITE_INTERVAL;
      // oxlint-disable-next-line unbound-method -- named, not called
      site = callerFrames(this.call);
    }
    let signals = signal && [signal];
    const outer = outerCall();
    const any = attempted();
    const outside = any ? any.travels : outer?.travels;
    const verdict = any
      ? any.message !== undefined || outside
      : decideCall('caller', this.#input.id, outside);
    const message = verdict === true ? this.#begin(record, tag, options, outside, any?.message) : undefined;
    const trace = message ? message.travels : (verdict as WireTrace | undefined);
    if (outer) {
      time = Math.min(time, outer.deadline);
      signals = signals ? [...signals, outer.signal] : [outer.signal];
    }
    // The lender watches streams that are lent.
    if (given && !lent) signals = signals ? [...signals, given.signal] : [given.signal];
    if (trace !== undefined) beside += encodeBeside(undefined, trace);
    const deadline = now + time;
    const onEnd = message && ((end: CallEnd): void => message.finish(end));
    const prepared = { record, tag, args, given, time, deadline, signals, site, plain, beside, now, onEnd };
    return this.#input.middleware.outgoing
      ? this.#throughHooks(prepared, options, trace)
      : this.#send(prepared);
  }

  stream(
    record: PeerRecord,
    tag: string,
    args: readonly unknown[],
    options: CallOptions,
  ): AsyncGenerator<unknown, unknown, void> {
    const given = GivenStreams.among(args, true);
    return new RemoteStream(() => this.call(record, tag, args, options, undefined, given), given);
  }

  callUnknown(
    record: PeerRecord,
    tag: string,
    args: readonly unknown[],
    options: CallOptions,
    plain: () => void,
  ): Promise<unknown> {
    return asStream(this.call(record, tag, args, options, plain));
  }

  load({ waiting, link }: PeerRecord, tag: string): PeerLoad {
    const told = link?.loads?.get(tag);
    const own = (waiting?.size ?? 0) + (link?.made?.places ?? 0);
    return { calls: own + (told?.others ?? 0), limit: told?.limit ?? Infinity };
  }

  /** Tells of the call, and lets subscribers set its trace. */
  #begin(
    record: PeerRecord,
    tag: string,
    { meta = NO_META }: CallOptions,
    trace: WireTrace | undefined,
    any: AnyMessage | undefined,
  ): CallMessage {
    const message = new CallMessage('caller', this.#input.id, record, tag, meta, trace, 0, any);
    any?.began(message);
    publishStart(message);
    return message;
  }

  #send(prepared: PreparedCall): Promise<unknown> {
    const { record, tag, args, given, time, deadline, signals, site, plain, beside, now, onEnd } = prepared;
    const promise = new Promise(keepResolve);
    const resolve = plain ? resolveAndTell(lastResolve, plain) : lastResolve;
    const call = new Call(
      record,
      tag,
      args,
      time,
      deadline,
      resolve,
      signals,
      site,
      given,
      beside,
      now,
      onEnd,
    );
    // A message to a stopped actor is lost without an error, so check first.
    const stopped = this.#input.over();
    if (stopped) {
      onEnd?.(failed('STOPPED', stopped.message));
      if (given) endArguments(call, given);
      failWithNetError(call, 'STOPPED', stopped.message, { cause: stopped.cause });
    } else {
      this.#input.caller.send(call);
    }
    return promise;
  }

  #throughHooks(
    prepared: PreparedCall,
    { signal, meta }: CallOptions,
    trace: WireTrace | undefined,
  ): Promise<unknown> {
    const { record, tag, args, given, time: deadline } = prepared;
    const peer = this.#input.remotePeer(record);
    const direction = 'outgoing';
    const hooked = new HookedCallState({ direction, peer, tag, args, signal, deadline, meta: { ...meta } });
    const onEnd = (end: CallEnd): void => {
      hooked.finish(end);
      prepared.onEnd?.(end);
    };
    let isMade = false;
    const send = async (): Promise<unknown> => {
      const beside = encodeBeside(hooked.meta, trace);
      isMade = true;
      return this.#send({ ...prepared, beside, onEnd });
    };
    const call = async (): Promise<unknown> => {
      try {
        const value = await this.#input.middleware.outgoing!(hooked, send);
        if (!isMade) onEnd(OK);
        return value;
      } catch (error) {
        if (!isMade) onEnd(endOf(error));
        throw error;
      }
    };
    return given ? given.around(call) : call();
  }
}

interface PreparedCall {
  record: PeerRecord;
  tag: string;
  args: readonly unknown[];
  given: GivenStreams | undefined;
  time: number;
  deadline: number;
  signals: readonly AbortSignal[] | undefined;
  site: string | undefined;
  plain: (() => void) | undefined;
  beside: string;
  now: number;
  onEnd: ((end: CallEnd) => void) | undefined;
}

let lastResolve: (value: unknown) => void;

/**
 * One function for all promises. A new one for each call would cost an object, and would keep alive everything it sees.
 */
function keepResolve(resolve: (value: unknown) => void): void {
  lastResolve = resolve;
}

/** Tells `plain` when the value is final: failures are promises, and streams go on. */
function resolveAndTell(resolve: (value: unknown) => void, plain: () => void) {
  return (value: unknown): void => {
    if (shapeOf(value) === 'value') plain();
    resolve(value);
  };
}
