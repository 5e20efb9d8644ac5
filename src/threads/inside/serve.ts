import { REQUEST, decodeUsual } from '../../wire/usual-frames.ts';
import { BadFrame } from '../../wire/bad-frame.ts';
import { readFrame } from '../../wire/unread/read-passed-on.ts';
import type { Frame, RequestFrame, UnreadableFrame } from '../../wire/frames.ts';
import { NetError } from '../../base/errors.ts';
import { systemClock } from '../../base/time/clock.ts';
import type { ThreadHome } from '../../base/process/thread-home.ts';
import { warnOfUnforeseen } from '../../base/unforeseen.ts';
import { Answers } from '../../calls/callee/answers.ts';
import { receiveForArgument } from '../../calls/callee/arguments.ts';
import type { ArgumentFrame } from '../../calls/callee/arguments.ts';
import { registrationOf } from '../../calls/callee/registry.ts';
import type { Registration } from '../../calls/callee/registry.ts';
import { MeasuredCalls } from '../../calls/call-stats.ts';
import { Watching } from '../../calls/callee/watching.ts';
import { Runner } from '../../calls/callee/runner.ts';
import type { RunningCall } from '../../calls/callee/running-call.ts';
import { takenOver } from '../../calls/callee/taken-calls.ts';
import { IdTable } from '../../calls/id-table.ts';
import { Middleware } from '../../calls/hooks.ts';
import type { Link } from '../../connection/link/link.ts';
import { RemotePeer } from '../../presence/set/remote-peer.ts';
import type { Calling } from '../../presence/set/remote-peer.ts';
import type { CallerFrame } from '../../connection/messages.ts';
import type { ToldCaller, ToldPeer } from '../callers.ts';
import { ThreadLink, eachLine, recordOf } from '../port-socket.ts';
import type { PortMessage, PortSocket } from '../port-socket.ts';
import { Numbers } from '../numbers.ts';
import { FORWARDED, PACE, SLOT, change } from '../slots.ts';
import { callsOut } from './calls-out.ts';
import type { CallsOut } from './calls-out.ts';
import { Places } from './places.ts';

/** A call that runs. */
interface Open {
  readonly id: number;
  readonly link: Link;
  readonly slot: number;
}

/** A request that waits for its turn in this thread. */
interface Waiting extends Open {
  /** Undefined once it runs: the arguments may be large. */
  request: RequestFrame | undefined;
  /** When the call came, on the clock. */
  readonly receivedAt: number;
}

/** An answer does not wait longer than this for those of the calls after it, in ms. */
const LONGEST_WAIT = 1;

/** Runs calls in this thread. It ends with the thread. */
export function serveInThread(home: ThreadHome, calling: Calling): Promise<void> {
  const server = new ThreadServer(home, calling, callsOut(home));
  server.begin();
  return Promise.resolve();
}

class ThreadServer {
  readonly #home: ThreadHome;
  readonly #calling: Calling;
  readonly #out: CallsOut;
  readonly #socket: PortSocket;
  readonly #runner: Runner;
  readonly #answers: Answers;
  readonly #places: Places;
  readonly #registrations = new Map<string, Registration>();
  /** The ways to the callers, by their numbers. */
  readonly #callers: Link[] = [];
  readonly #peers = new WeakMap<Link, RemotePeer>();
  /** The calls that run: where each came from, and its slot. */
  readonly #open = new IdTable<Open>();
  /** The call whose function has not returned. */
  #current: Open | undefined;
  readonly #numbers = new Numbers();
  #queue: Waiting[] = [];
  #isRunning = false;
  /** When the message that is read now arrived, on the clock. */
  #receivedAt = 0;
  /** In ms. */
  #pace = 0;

  constructor(home: ThreadHome, calling: Calling, out: CallsOut) {
    this.#home = home;
    this.#calling = calling;
    this.#out = out;
    this.#socket = out.socket;
    this.#socket.longestWait = LONGEST_WAIT;
    // The main thread counts the calls.
    const uncounted = new MeasuredCalls();
    this.#answers = new Answers(home.stacks, '', uncounted);
    this.#places = new Places(() => this.#freed());
    this.#runner = new Runner({
      watching: new Watching('', systemClock, uncounted),
      ...{
        clock: systemClock,
        answers: this.#answers,
        middleware: new Middleware(),
        streams: Infinity,
      },
      counters: this.#places,
      remotePeer: (link) => this.#remotePeer(link),
      poll: (call) => this.#poll(call),
    });
    for (const [tag, { fn, self }] of home.functions) {
      this.#registrations.set(tag, registrationOf({ tag, fn, self, place: undefined }));
    }
  }

  begin(): void {
    this.#home.port.on('message', (message: PortMessage) => this.#receive(message));
    this.#socket.write('!ready');
    this.#socket.flush();
  }

  #receive(message: PortMessage): void {
    this.#receivedAt = systemClock.now();
    if (typeof message === 'string') eachLine(message, this.#plainLine);
    else this.#line(message.line, 0, message.line.length, message.binaries);
    this.#run();
  }

  readonly #plainLine = (text: string, start: number, end: number): void =>
    this.#line(text, start, end, NONE);

  /** `+` tells of a caller, `*` of peers, a number begins a request, and `{` any other frame. */
  #line(text: string, start: number, end: number, binaries: readonly Uint8Array[]): void {
    try {
      const first = text.charCodeAt(start);
      if (first === 43 /* + */) this.#meet(text.slice(start, end));
      else if (first === 42 /* * */) this.#out.told(JSON.parse(text.slice(start + 1, end)) as ToldPeer);
      else if (first === 123 /* { */) this.#frame(readFrame(text.slice(start, end), binaries));
      else this.#request(text, start, end, binaries);
    } catch (error) {
      warnOfUnforeseen('in a thread', error);
    }
  }

  #meet(line: string): void {
    const at = line.indexOf('{');
    const { limits, ...peer } = JSON.parse(line.slice(at)) as ToldCaller;
    const record = recordOf(peer);
    record.link = this.#out.linkTo(record, limits);
    const link = new ThreadLink(record, this.#socket, limits);
    link.owner = {
      ...{ idle: ignore, drained: ignore, silent: ignore, heard: ignore },
      failed: (error) => warnOfUnforeseen('in a thread', error),
      breached: (reason) => warnOfUnforeseen('in a thread', new Error(reason)),
    };
    this.#callers[Number(line.slice(1, at))] = link;
  }

  /** The line begins with the number of the caller, the slot, how long ago the call came, in ms, and where it came from. */
  #request(text: string, start: number, end: number, binaries: readonly Uint8Array[]): void {
    const numbers = this.#numbers.begin(text, start);
    const link = this.#callers[numbers.next()]!;
    const slot = numbers.next();
    const receivedAt = this.#receivedAt - numbers.next();
    const isForwarded = numbers.next() === FORWARDED;
    const from = numbers.at - 1;
    const frame =
      (binaries.length === 0 && decodeUsual(text, from, end)) ||
      readUnusual(text.slice(from, end), binaries, isForwarded);
    const { id } = frame as RequestFrame | UnreadableFrame;
    if (frame.type === 'unreadable') {
      if (!change(this.#home.slots, slot, SLOT.WAITS, SLOT.BEGAN)) this.#socket.write(`-${id}`);
      else this.#answers.refuse(link, id, 'BAD_REQUEST', `the request cannot be read: ${frame.message}`);
    } else if (frame.type === 'request') {
      this.#queue.push({ id, link, slot, request: frame, receivedAt });
      // The values of its streams follow, and only a call that runs can take them.
      if (frame.streams) this.#run();
    }
  }

  #frame(frame: Frame | UnreadableFrame): void {
    const { id, arg } = frame as { id: number; arg?: number };
    const isOfCaller = frame.type === 'cancel' || frame.type === 'credit';
    if (isOfCaller !== (arg === undefined)) {
      this.#out.answered(frame as CallerFrame);
      return;
    }
    const link = this.#open.get(id)?.link;
    const call = link && takenOver(link).running.get(id);
    if (!call) return;
    if (frame.type === 'cancel') call.end(endOf(call, frame.late === true));
    else if (frame.type === 'credit') call.writer?.credit(frame.count, frame.bytes);
    else receiveForArgument(call, frame as ArgumentFrame);
  }

  /** Runs what waits, while there is a place. */
  #run(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    const begin = systemClock.now();
    this.#socket.turn();
    let at = 0;
    for (; at < this.#queue.length && this.#places.running < this.#home.places; at += 1) {
      this.#start(this.#queue[at]!);
      this.#socket.flushLate();
    }
    this.#queue = at === this.#queue.length ? [] : this.#queue.slice(at);
    this.#isRunning = false;
    if (at > 0) this.#tellPace((systemClock.now() - begin) / at);
    this.#socket.flush();
  }

  /** @param time the average time of the calls that were begun, in ms */
  #tellPace(time: number): void {
    // Calls whose function goes on after its return take longer than could be seen.
    if (this.#places.running > 0) this.#pace = 0;
    else this.#pace = this.#pace === 0 ? time : this.#pace + (time - this.#pace) / 4;
    Atomics.store(this.#home.slots, PACE, Math.min(2 ** 30, Math.ceil(this.#pace * 1_000)));
  }

  #start(waiting: Waiting): void {
    const { id, link, slot, receivedAt } = waiting;
    const request = waiting.request!;
    waiting.request = undefined;
    if (!change(this.#home.slots, slot, SLOT.WAITS, SLOT.BEGAN)) {
      this.#socket.write(`-${id}`);
      return;
    }
    const registration = this.#registrations.get(request.tag);
    this.#current = waiting;
    try {
      if (registration) this.#runner.run(link, registration, request, receivedAt);
      else
        this.#answers.refuse(link, id, 'NO_SUCH_TAG', 'the file did not connect the function in this thread');
    } finally {
      // An error ends the thread, since the call has begun and nothing will answer it. Then it fails, and a new thread takes over.
      this.#current = undefined;
    }
    if (takenOver(link).running.get(id)) this.#open.add(waiting);
  }

  /** A function has ended that went on after its return. */
  #freed(): void {
    for (const { id, link } of this.#open.values()) {
      if (!takenOver(link).running.get(id)) this.#open.delete(id);
    }
    if (!this.#isRunning) setImmediate(() => this.#run());
  }

  /** While a function computes, no message arrives. The main thread leaves a mark in the slot, too. */
  #poll(call: RunningCall): void {
    if (call.ended) return;
    const open = this.#current?.id === call.id ? this.#current : this.#open.get(call.id);
    const state = open && Atomics.load(this.#home.slots, open.slot);
    if (state === SLOT.CANCELLED) call.end(endOf(call, false));
    else if (state === SLOT.LATE || call.deadline === 0) call.end(endOf(call, true));
  }

  #remotePeer(link: Link): RemotePeer {
    // Number 0 is this process itself: a call of its own has no caller.
    if (link === this.#callers[0]) return undefined as unknown as RemotePeer;
    let peer = this.#peers.get(link);
    if (!peer) {
      peer = new RemotePeer(link.record, this.#calling, systemClock);
      this.#peers.set(link, peer);
    }
    return peer;
  }
}

/**
 * Reads a request that is not in the usual form. In the usual form it can only be read in one way, so there it is the one that the
 * main thread took.
 */
function readUnusual(
  line: string,
  binaries: readonly Uint8Array[],
  isForwarded: boolean,
): Frame | UnreadableFrame {
  const id = idOf(line);
  try {
    const frame = readFrame(line, binaries);
    if (isForwarded && !isAsTaken(frame, id, line)) throw new BadFrame('a field is there twice');
    return frame;
  } catch (error) {
    if (!(error instanceof BadFrame)) throw error;
    return { type: 'unreadable', of: 'request', id, message: error.message };
  }
}

/**
 * Whether the request is the one that the main thread took, although that did not read all of it. A field that is there twice
 * could make another one of it.
 */
function isAsTaken(frame: Frame | UnreadableFrame, id: number, line: string): boolean {
  if (frame.type === 'unreadable') return frame.id === id;
  if (frame.type !== 'request' || frame.id !== id || frame.streams) return false;
  const numbers = new Numbers().begin(line, REQUEST.length);
  numbers.next();
  const { at } = numbers;
  const { tag } = frame;
  if (line.startsWith('"tag":"', at) && line.startsWith(tag, at + 7) && line[at + 7 + tag.length] === '"')
    return true;
  // The text of the tag is another one, or begins with characters that JSON escapes.
  const [, told] = /^"tag":"([^"\\]*)"/.exec(line.slice(at)) ?? [];
  return told === undefined || told === tag;
}

/** @param line begins with REQUEST */
function idOf(line: string): number {
  return new Numbers().begin(line, REQUEST.length).next();
}

function endOf({ tag }: RunningCall, late: boolean): NetError {
  return late
    ? new NetError('DEADLINE_EXCEEDED', 'the deadline passed, and the caller no longer waits', { tag })
    : new NetError('CANCELLED', 'the caller cancelled the call', { tag });
}

function ignore(): void {}

const NONE: readonly Uint8Array[] = [];
