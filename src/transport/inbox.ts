import type { Receiver } from './transport.ts';

/**
 * Keeps the messages of a socket until a receiver takes them. A handshake may end in the middle of a burst of messages, and the
 * next receiver attaches a moment later. No message may be lost in between.
 */
export class Inbox {
  #receiver: Receiver | undefined;
  /** Undefined while nothing is kept. */
  #kept: (string | Uint8Array)[] | undefined;
  #closedWith: number | undefined;

  /** @param receiver gets the kept messages, then all new ones; undefined: everything is kept until the next call */
  receive(receiver: Receiver | undefined): void {
    this.#receiver = receiver;
    // A receiver may attach its successor from within `message`, so look the receiver up each time.
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
