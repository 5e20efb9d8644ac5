import { Alarm } from '../../base/time/alarm.ts';
import type { Clock } from '../../base/time/clock.ts';
import type { Link } from '../../connection/link/link.ts';
import { encodeFrame } from '../../wire/codec.ts';
import type { LoadFrame } from '../../wire/frames.ts';
import type { Limited, Telling } from './limited.ts';
import { takenOver } from './taken-calls.ts';

/** The load is told at most this often, in ms. Besides it is told that the function has room again, once in this time at most. */
const INTERVAL = 100;

/** A caller that has not called for this long, in ms, is told nothing more, after twice the time at the latest. */
const FORGET = 60_000;

interface Caller {
  /** Whether it has called since the last look. */
  hasCalled: boolean;
  /** What it was told last, without its own calls; undefined before the first time. */
  others: number | undefined;
  limit: number;
}

/**
 * Tells those who call a function with a limit how many calls of others it has, so that they can choose another peer. A call costs
 * no more than a look whether its caller is known.
 */
export class LoadTelling implements Telling {
  readonly #tag: string;
  readonly #limited: Limited;
  readonly #clock: Clock;
  readonly #alarm: Alarm;
  readonly #callers = new Map<Link, Caller>();
  /** Callers that were told that no call would run at once. */
  #toldFull = 0;
  #toldAt = -Infinity;
  /** When old callers are looked for, on the clock. */
  #lookAt = Infinity;
  /** The alarm is set to tell. */
  #isDue = false;
  /** It is told at the end of this step. */
  #isSoon = false;

  constructor(tag: string, limited: Limited, clock: Clock) {
    this.#tag = tag;
    this.#limited = limited;
    this.#clock = clock;
    this.#alarm = new Alarm(clock, () => this.#wake());
  }

  called(link: Link): void {
    const caller = this.#callers.get(link);
    if (caller) caller.hasCalled = true;
    else if (link.limits.load) this.#add(link);
    else return;
    this.changed();
  }

  changed(): void {
    if (this.#toldFull > 0 && this.#limited.hasRoom) {
      this.#tellSoon();
    } else if (!this.#isDue) {
      this.#isDue = true;
      this.#alarm.wakeBy(Math.max(this.#clock.now(), this.#toldAt + INTERVAL));
    }
  }

  end(): void {
    for (const link of this.#callers.keys()) {
      this.#send(link, { type: 'load', tag: this.#tag });
      this.drop(link);
    }
  }

  drop(link: Link): void {
    if (!this.#callers.delete(link)) return;
    takenOver(link).tellings?.delete(this);
    if (this.#callers.size > 0) return;
    this.#limited.watchers.delete(this);
    this.#alarm.clear();
    this.#isDue = false;
    this.#toldFull = 0;
    this.#lookAt = Infinity;
  }

  #add(link: Link): void {
    if (this.#callers.size === 0) {
      this.#limited.watchers.add(this);
      this.#lookAt = this.#clock.now() + FORGET;
      this.#alarm.wakeBy(this.#lookAt);
    }
    this.#callers.set(link, { hasCalled: true, others: undefined, limit: 0 });
    (takenOver(link).tellings ??= new Set()).add(this);
  }

  /** Once the call that has ended is not in its table any more. */
  #tellSoon(): void {
    if (this.#isSoon) return;
    this.#isSoon = true;
    queueMicrotask(() => {
      this.#isSoon = false;
      this.#tell();
    });
  }

  #wake(): void {
    if (this.#isDue) {
      this.#isDue = false;
      this.#toldAt = this.#clock.now();
      this.#tell();
    }
    if (this.#clock.now() >= this.#lookAt) this.#forgetOld();
    this.#alarm.wakeBy(this.#lookAt);
  }

  #tell(): void {
    this.#toldFull = 0;
    const { running, waiting, limit } = this.#limited.load;
    for (const [link, caller] of this.#callers) {
      const yours = this.#callsOn(link);
      const others = Math.max(0, running + waiting - yours);
      if ((others !== caller.others || limit !== caller.limit) && !link.congested) {
        caller.others = others;
        caller.limit = limit;
        this.#send(link, { type: 'load', tag: this.#tag, running, waiting, yours, limit });
      }
      if (caller.others !== undefined && caller.others >= caller.limit) this.#toldFull += 1;
    }
  }

  #callsOn(link: Link): number {
    return takenOver(link).running.count(this.#isMeant);
  }

  readonly #isMeant = ({ tag }: { tag: string }): boolean => tag === this.#tag;

  #forgetOld(): void {
    this.#lookAt = this.#clock.now() + FORGET;
    for (const [link, caller] of this.#callers) {
      if (!caller.hasCalled && this.#callsOn(link) === 0 && !link.congested) {
        this.#send(link, { type: 'load', tag: this.#tag });
        this.drop(link);
      }
      caller.hasCalled = false;
    }
  }

  #send(link: Link, frame: LoadFrame): void {
    link.send(encodeFrame(frame));
  }
}
