import { Inbox } from '../transport/inbox.ts';
import type { Receiver, Socket } from '../transport/transport.ts';
import { Lane } from './lane.ts';
import type { Direction, Item } from './lane.ts';
import type { Life } from './life.ts';
import type { Timeline } from './timeline.ts';
import type { Trace } from './trace.ts';

/** How long the other side may take to answer a close, in ms, as over a real socket. */
const CLOSE_TIME = 1_000;

/** What the network tells the two ends of a connection. */
export interface Around {
  readonly timeline: Timeline;
  readonly trace: Trace;
  direction(from: string, to: string): Direction;
}

/** One connection, with its two ends. */
export class Pair {
  readonly dialler: End;
  readonly acceptor: End;

  constructor(around: Around, number: number, dialler: Life, acceptor: Life) {
    this.dialler = new End(around, number, dialler, acceptor);
    this.acceptor = new End(around, number, acceptor, dialler);
    this.dialler.joins(this.acceptor);
    this.acceptor.joins(this.dialler);
  }

  get isOver(): boolean {
    return this.dialler.isEnded && this.acceptor.isEnded;
  }

  ends(): readonly [End, End] {
    return [this.dialler, this.acceptor];
  }

  joins(a: string, b: string): boolean {
    const [from, to] = [this.dialler.life.name, this.acceptor.life.name];
    return (from === a && to === b) || (from === b && to === a);
  }

  /** Both sides learn at once that the connection is gone. */
  break(): void {
    for (const end of this.ends()) end.lose();
  }

  /** The system of a process that was killed closes its end. The other side learns so if the network lets it. */
  bury(dead: Life): void {
    for (const end of this.ends()) if (end.life === dead) end.die();
  }

  resume(): void {
    for (const end of this.ends()) end.lane.resume();
  }
}

/** One end of a connection: the socket of one process. */
export class End implements Socket {
  readonly life: Life;
  readonly lane: Lane;
  readonly binding;
  readonly scope = 'host';
  /** Counts items. */
  received = 0;
  isEnded = false;
  readonly #around: Around;
  readonly #to: Life;
  readonly #inbox = new Inbox();
  #other!: End;
  #isClosing = false;
  #overdue: ReturnType<Timeline['after']> | undefined;

  constructor(around: Around, number: number, life: Life, to: Life) {
    this.#around = around;
    this.life = life;
    this.#to = to;
    this.binding = { kind: 'memory', data: Buffer.from(String(number)) };
    const deliver = (item: Item): void => this.#other.deliver(item);
    this.lane = new Lane(around.timeline, around.direction(life.name, to.name), to, deliver);
  }

  joins(other: End): void {
    this.#other = other;
  }

  get bufferedAmount(): number {
    return this.lane.bufferedAmount;
  }

  send(text: string, before: readonly Uint8Array[] = []): void {
    if (this.#isClosing) return;
    // Copy, as a real wire does: the other side must not see later changes to the sender's memory.
    for (const data of before) this.#put({ type: 'binary', data: Uint8Array.prototype.slice.call(data) });
    this.#put({ type: 'text', text });
  }

  ping(): void {
    if (!this.#isClosing) this.#put({ type: 'ping' });
  }

  whenDrained(callback: () => void): void {
    const { timeline } = this.#around;
    this.lane.whenDrained(() => timeline.after(0, this.life, callback, true));
  }

  receive(receiver: Receiver | undefined): void {
    this.#inbox.receive(receiver);
  }

  trust(): void {}

  close(code: number, _reason: string): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#put({ type: 'close', code });
    this.#overdue = this.#around.timeline.after(CLOSE_TIME, this.life, () => this.terminate());
  }

  terminate(): void {
    if (this.isEnded) return;
    this.#put({ type: 'reset' });
    this.#end(1006);
  }

  /** The connection is gone, and so is what was on its way. */
  lose(): void {
    this.lane.end();
    this.#end(1006);
  }

  /** The process was killed. */
  die(): void {
    if (this.isEnded) return;
    this.isEnded = true;
    this.lane.send({ type: 'reset' });
  }

  /** A process that is frozen sends when it goes on: the story may call it all the same. */
  #put(item: Item): void {
    if (this.life.isFrozen) this.#around.timeline.after(0, this.life, () => this.lane.send(item));
    else if (!this.life.isDead) this.lane.send(item);
  }

  /** What the other end has sent. */
  deliver(item: Item): void {
    if (this.isEnded) return;
    this.received += 1;
    this.#note(item);
    switch (item.type) {
      case 'text':
        this.#inbox.message(item.text);
        break;
      case 'binary':
        this.#inbox.binary(item.data);
        break;
      case 'ping':
        if (!this.#isClosing) this.#put({ type: 'pong' });
        break;
      case 'pong':
        break;
      case 'close':
        this.#put({ type: 'closed', code: item.code });
        this.#end(item.code);
        break;
      case 'closed':
        this.#end(item.code);
        break;
      case 'reset':
        this.#end(1006);
        break;
    }
  }

  #note(item: Item): void {
    const { timeline, trace } = this.#around;
    const [who, from] = [this.life.name, this.#to.name];
    if (item.type === 'text') trace.add(timeline.now, 'message', who, item.text, from);
    else if (item.type === 'binary')
      trace.add(timeline.now, 'message', who, `${item.data.length} bytes`, from);
    else trace.add(timeline.now, 'wire', who, item.type, from);
  }

  #end(code: number): void {
    if (this.isEnded) return;
    this.isEnded = true;
    this.#isClosing = true;
    const { timeline } = this.#around;
    if (this.#overdue) timeline.cancel(this.#overdue);
    timeline.after(0, this.life, () => this.#inbox.closed(code), true);
  }
}
