import type { RequestFrame } from '../../wire/frames.ts';

/** A request that was received and has not started yet. */
export interface HeldRequest {
  readonly request: RequestFrame;
  /** On the clock. */
  readonly receivedAt: number;
}

/**
 * Work that a link's dispatcher has put off. Requests wait while the network does not take the answers, or for a moment
 * after a stall. Answers wait here when their calls have settled in the meantime.
 */
export class Held {
  /** By id, the oldest first. A cancel may remove any of them. */
  readonly requests = new Map<number, HeldRequest>();
  /** Each is called once, the oldest first. */
  answers: (() => void)[] = [];

  /** Adds what another one holds, to continue with it later. */
  take(later: Held | undefined): void {
    if (!later) return;
    for (const [id, request] of later.requests) this.requests.set(id, request);
    this.answers = this.answers.concat(later.answers);
  }
}
