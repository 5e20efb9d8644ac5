import type { Bus } from './bus.ts';
import type { Questions } from './questions.ts';

/**
 * Time between two questions, in ms. Two answers that are so far apart have to agree that nobody is there: a client that changes its
 * server needs about 100 ms.
 */
export const CONFIRM = 150;

/** How long it is asked without any answer, in ms. Then somebody listens, or the server is gone, too. */
const NO_ANSWER = 1_000;

/**
 * The time between two questions, in ms, where other evidence says that nobody is there: the server may not have noticed yet. Also
 * after the first answer while clients move to other servers, doubled each time up to `CONFIRM`: most are there again very soon.
 */
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
  let since: number | undefined;
  let unanswered: number | undefined;
  let pause = SOON;
  const ask = (): void => {
    const now = performance.now();
    unanswered ??= now;
    // Whatever was heard of another server says nothing here.
    if (bus.epoch !== epoch || absence.isAlive() || now - unanswered >= NO_ANSWER) {
      end(absence.present);
      return;
    }
    // Again and again: the server may have handed the first one to somebody who had just died.
    timer = setTimeout(ask, absence.isCertain() ? SOON : CONFIRM).unref();
    bus.publish(absence.subject, absence.data, reply);
  };
  const nobody = (): void => {
    clearTimeout(timer);
    const now = performance.now();
    since ??= now;
    unanswered = undefined;
    if (bus.epoch !== epoch || absence.isAlive()) end(absence.present);
    else if (absence.isCertain() || (now - since >= CONFIRM - 5 && (!absence.mayMove || bus.isSettled)))
      end(absence.absent);
    else {
      timer = setTimeout(ask, absence.mayMove && !bus.isSettled ? pause : CONFIRM).unref();
      pause = Math.min(2 * pause, CONFIRM);
    }
  };
  const { reply, close } = questions.subject({ nobody });
  const stop = (): void => {
    clearTimeout(timer);
    close();
  };
  const end = (outcome: () => void): void => {
    stop();
    outcome();
  };
  ask();
  return stop;
}
