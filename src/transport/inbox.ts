import type { Receiver } from './transport.ts';

/**
 * Keeps what a socket receives until somebody takes it. A handshake is done in the middle of a burst of messages
 * and its successor attaches a moment later; nothing may fall between the two.
 */
export class Inbox {
  #receiver: Receiver | undefined;
  /** Undefined while there is nothing. */
  #kept: (string | Uint8Array)[] | undefined;
  #closedWith: number | undefined;

  /** @param receiver gets what was kept, then what comes; undefined keeps everything until the next call */
  receive(receiver: Receiver | undefined): void {
    this.#receiver = receiver;
    // A receiver may attach its successor from within `message`, so who is next is looked up each time.
    while (this.#receiver && this.#kept) {
      const message = this.#kept.shift();
      if (this.#kept.length === 0) this.#kept = undefined;
      if (typeof message === 'string') this.#receiver.message(message);
      else if (message) this.#receiver.binary(message);
    }
    this.#deliverClose();
  }

  message(text: string): void {
    if (this.#receiver && !this.#kept) this.#receiver.message(text);
    else (this.#kept ??= []).push(text);
  }

  binary(data: Uint8Array): void {
    if (this.#receiver && !this.#kept) this.#receiver.binary(data);
    else (this.#kept ??= []).push(data);
  }

  closed(code: number): void {
    this.#closedWith ??= code;
    this.#deliverClose();
  }

  #deliverClose(): void {
    if (this.#closedWith === undefined || this.#kept) return;
    const receiver = this.#receiver;
    this.#receiver = undefined;
    receiver?.closed(this.#closedWith);
  }
}
