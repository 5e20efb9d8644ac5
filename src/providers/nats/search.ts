import { sealBox } from '../../transport/nats/box.ts';
import type { Station } from '../../transport/nats/station.ts';
import { writeWord } from './hello.ts';

/** Everybody who is there has answered if there was no new answer for this long, in ms. */
const QUIET = 50;

/** The same if there was no answer at all, although somebody listens: they may be busy, or far away. */
const QUIET_ALONE = 500;

/** Asks who is there. The answers are announcements, and a peer that is announced is among those who answer. */
export class Search {
  /** Resolves when the first question is answered, as far as that can be known. */
  readonly done: Promise<void>;
  readonly #station: Station;
  readonly #reply: string;
  readonly #close: () => void;
  #timer: NodeJS.Timeout | undefined;
  #markDone: () => void = () => {};

  /** @param heard gets each answer */
  constructor(station: Station, heard: (subject: string, box: Uint8Array) => void) {
    this.#station = station;
    this.done = new Promise((resolve) => (this.#markDone = resolve));
    const { reply, close } = station.questions.subject({
      answered: ({ subject, data }) => {
        heard(subject, data);
        this.#wait(QUIET);
      },
      // The server says so at once, to a peer that is not announced itself. Anybody else may say so, too, so somebody who
      // answers now is heard.
      nobody: () => this.#wait(QUIET),
    });
    this.#reply = reply;
    this.#close = close;
  }

  ask(): void {
    const { bus, subjects, relay } = this.#station;
    const { everybody } = subjects;
    const box = sealBox(relay(), everybody, writeWord({ type: 'who', reply: this.#reply }));
    bus.publish(everybody, box, this.#reply);
    this.#wait(QUIET_ALONE);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#close();
    this.#markDone();
  }

  #wait(time: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#markDone(), time).unref();
  }
}
