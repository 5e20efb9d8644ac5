import type { Clock } from '../base/time/clock.ts';
import { NetError } from '../base/errors.ts';
import { Answers } from '../calls/callee/answers.ts';
import { receiveForArgument } from '../calls/callee/arguments.ts';
import type { ArgumentFrame } from '../calls/callee/arguments.ts';
import { markFailure } from '../calls/callee/call-failures.ts';
import { registrationOf } from '../calls/callee/registry.ts';
import { MeasuredCalls } from '../calls/call-stats.ts';
import { Watching } from '../calls/callee/watching.ts';
import { Runner } from '../calls/callee/runner.ts';
import { takenOver } from '../calls/callee/taken-calls.ts';
import { current } from '../calls/context.ts';
import { Middleware } from '../calls/hooks.ts';
import type { Link } from '../connection/link/link.ts';
import type { RemotePeer } from '../presence/set/remote-peer.ts';
import type { PeerSource } from '../presence/set/view.ts';
import { readRequest } from '../wire/unread/read-passed-on.ts';
import type { Frame, UnreadableFrame } from '../wire/frames.ts';
import { toldPeer } from './callers.ts';
import type { ToldPeer } from './callers.ts';

/** Makes the calls to other peers that functions in threads ask for, and tells threads which peers there are. */
export class CallsForThreads {
  readonly #peers: PeerSource;
  readonly #clock: Clock;
  readonly #runner: Runner;
  readonly #answers: Answers;

  /** @param id of the local peer */
  constructor({
    peers,
    clock,
    stacks,
    id,
  }: {
    peers: PeerSource;
    clock: Clock;
    stacks: boolean;
    id: string;
  }) {
    this.#peers = peers;
    this.#clock = clock;
    // The calls are counted where they are made.
    const uncounted = new MeasuredCalls();
    this.#answers = new Answers(stacks, id, uncounted);
    this.#runner = new Runner({
      watching: new Watching(id, clock, uncounted),
      ...{ clock, answers: this.#answers, middleware: new Middleware(), streams: Infinity },
      counters: { waiting: 0, running: 0, settled: 0 },
      // Nobody asks for the caller here.
      remotePeer: () => undefined as unknown as RemotePeer,
    });
  }

  /** @param id the peer to call */
  request(link: Link, id: string, line: string, binaries: readonly Uint8Array[]): void {
    const request = readRequest(line, binaries);
    if (request.type === 'unreadable') {
      this.#answers.refuse(link, request.id, 'BAD_REQUEST', request.message);
      return;
    }
    const { tag } = request;
    const fn = (...args: readonly unknown[]): Promise<unknown> => this.#call(id, tag, args);
    const registration = registrationOf({ tag, fn, self: undefined, place: undefined });
    this.#runner.run(link, { ...registration, waits: true }, request, this.#clock.now());
  }

  async #call(id: string, tag: string, args: readonly unknown[]): Promise<unknown> {
    try {
      const peer = this.#peers.get(id);
      if (!peer) throw new NetError('NOT_SENT', `the peer ${id} has left`, { peer: id, tag });
      return await peer.call(tag, args, { deadline: current().deadline });
    } catch (error) {
      // What became of this call is what became of the call of the thread.
      if (error instanceof NetError) markFailure(error);
      throw error;
    }
  }

  /** A frame about such a call. */
  frame(link: Link, frame: Frame | UnreadableFrame): void {
    const call = takenOver(link).running.get((frame as { id: number }).id);
    if (!call) return;
    if (frame.type === 'cancel') {
      call.end(new NetError('CANCELLED', 'the function in a thread cancelled the call', { tag: call.tag }));
    } else if (frame.type === 'credit') {
      call.writer?.credit(frame.count, frame.bytes);
    } else {
      receiveForArgument(call, frame as ArgumentFrame);
    }
  }

  /** The thread has ended. */
  closed(link: Link): void {
    const taken = takenOver(link);
    const running = taken.running.values();
    taken.running.clear();
    for (const call of running)
      call.end(new NetError('CANCELLED', 'the thread that made the call has ended'));
  }

  /** Tells about the peers, now and from now on. @returns a function that ends it */
  follow(tell: (line: string) => void): () => void {
    const say = (type: ToldPeer['type'], peer?: RemotePeer, why?: string): void =>
      tell(toldPeer(type, peer, why));
    const stop = this.#peers.subscribe(
      (change) => say(change.type, change.peer, change.type === 'leave' ? change.why : undefined),
      () => {},
    );
    for (const peer of this.#peers.current()) say('join', peer);
    this.#peers.settled().then(
      () => say('searched'),
      () => say('searched'),
    );
    return stop;
  }
}
