import type { Bus } from './bus.ts';
import type { Questions } from './questions.ts';

/** Time between two questions that have to agree that nobody is there, in ms. A client that changes its server needs about 100 ms. */
export const CONFIRM = 150;

/** How long a question without an answer is waited for, in ms. Then somebody listens, or the server is gone, too. */
const NO_ANSWER = 1_000;

/** The same, in ms, where other evidence says that nobody is there: the server may not have noticed yet. */
const SOON = 20;

/** What is asked about, and what it may come to. */
export interface Absence {
  subject: string;
  data: Uint8Array;
  /** Whether there has been a sign of life since the first question. Only a holder of the secret can give one. */
  isAlive: () => boolean;
  /** Whether one question is enough, because there is other evidence. */
  isCertain: () => boolean;
  /** Whether whoever is there may be on the way to another server, and be there again in a moment. */
  mayMove: boolean;
  /** Nobody is there. */
  absent: () => void;
  /** Somebody is there, or it cannot be known. */
  present: () => void;
}

/** Asks until it is known whether anybody listens at a subject. Returns a function that ends it. */
export function findAbsent(bus: Bus, questions: Questions, absence: Absence): () => void {
  const { epoch } = bus;
  let timer: NodeJS.Timeout | undefined;
  let close = (): void => {};
  let since: number | undefined;
  const begin = performance.now();
  const stop = (): void => {
    clearTimeout(timer);
    close();
  };
  const end = (outcome: () => void): void => {
    stop();
    outcome();
  };
  const ask = (): void => {
    close();
    // Whatever was heard of another server says nothing here.
    if (bus.epoch !== epoch || absence.isAlive()) {
      end(absence.present);
      return;
    }
    const again = absence.isCertain() && performance.now() - begin < NO_ANSWER;
    timer = setTimeout(() => (again ? ask() : end(absence.present)), again ? SOON : NO_ANSWER).unref();
    close = questions.ask(absence.subject, absence.data, { nobody });
  };
  const nobody = (): void => {
    clearTimeout(timer);
    const now = performance.now();
    since ??= now;
    if (bus.epoch !== epoch || absence.isAlive()) end(absence.present);
    else if (absence.isCertain() || (now - since >= CONFIRM - 5 && (!absence.mayMove || bus.isSettled)))
      end(absence.absent);
    else timer = setTimeout(ask, CONFIRM).unref();
  };
  ask();
  return stop;
}
