import type { RequestFrame } from '../../wire/frames.ts';

/** A request that was taken and is not begun yet. */
export interface HeldRequest {
  readonly request: RequestFrame;
  /** On the clock. */
  readonly receivedAt: number;
}

/**
 * What a link's dispatcher has put off: requests, while the network does not take what was answered, or for a moment after
 * a stall; and answers to calls that have settled in the meantime.
 */
export class Held {
  /** By id, the oldest first: one may be taken back out of the middle. */
  readonly requests = new Map<number, HeldRequest>();
  /** Each is called once, the oldest first. */
  answers: (() => void)[] = [];

  /** Takes over what another one holds, to go on with it later. */
  take(later: Held | undefined): void {
    if (!later) return;
    for (const [id, request] of later.requests) this.requests.set(id, request);
    this.answers = this.answers.concat(later.answers);
  }
}
