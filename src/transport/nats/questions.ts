import { randomBytes } from 'node:crypto';

import type { Bus } from './bus.ts';
import type { BusMessage } from './bus-message.ts';
import type { Subjects } from './subjects.ts';

/** What a question may come to. */
export interface Answers {
  /** Nobody listens at the subject, says the server. Anybody who sees the question can say so, too: ask twice. */
  nobody?(): void;
  /** Somebody answered. */
  answered?(message: BusMessage): void;
}

/**
 * Messages with a subject for the answer. A server answers by itself, within a millisecond, if nobody listens: that is how a death
 * is noticed.
 */
export class Questions {
  readonly #bus: Bus;
  readonly #subjects: Subjects;
  readonly #name = randomBytes(12).toString('base64url');
  readonly #open = new Map<string, Answers>();
  readonly #stop: () => void;
  #count = 0;

  constructor(bus: Bus, subjects: Subjects) {
    this.#bus = bus;
    this.#subjects = subjects;
    this.#stop = bus.subscribe(subjects.replies(this.#name, '*'), (message) => {
      const answers = this.#open.get(message.subject);
      if (message.isNobody) answers?.nobody?.();
      else answers?.answered?.(message);
    });
  }

  /** Opens a subject for answers, to be used many times. Returns it, and a function that closes it. */
  subject(answers: Answers): { reply: string; close: () => void } {
    const reply = this.#subjects.replies(this.#name, (this.#count += 1));
    this.#open.set(reply, answers);
    return { reply, close: () => this.#open.delete(reply) };
  }

  /** Asks. Returns a function after which no answer is passed on. */
  ask(subject: string, data: Uint8Array, answers: Answers): () => void {
    const { reply, close } = this.subject(answers);
    this.#bus.publish(subject, data, reply);
    return close;
  }

  stop(): void {
    this.#open.clear();
    this.#stop();
  }
}
