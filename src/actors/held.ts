import type { RequestFrame } from '../wire/frames.ts';

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
  readonly requests: HeldRequest[] = [];
  readonly answers: (() => void)[] = [];

  /** Takes over what another one holds, to go on with it later. */
  take(later: Held | undefined): void {
    this.requests.push(...(later?.requests ?? []));
    this.answers.push(...(later?.answers ?? []));
  }

  /** The request with this id, which is then no longer held. */
  withdraw(id: number): HeldRequest | undefined {
    const at = this.requests.findIndex(({ request }) => request.id === id);
    return at < 0 ? undefined : this.requests.splice(at, 1)[0];
  }
}
