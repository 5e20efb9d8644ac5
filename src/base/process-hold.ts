/**
 * Keeps the process alive while there is work, and only then. Every socket, server and timer of the library
 * is unreferenced, so this is the one place that decides whether Node may exit.
 */

/** How long the process is still held after the last piece of work ended, in ms. */
const LINGER = 20;

/** Any long delay does: the timer exists to be referenced, not to fire. */
const FOREVER = 2 ** 30;

let holds = 0;
let anchor: NodeJS.Timeout | undefined;
let lingering: NodeJS.Timeout | undefined;

/** Keeps the process alive until `releaseProcess` was called as often as this. */
export function holdProcess(): void {
  holds += 1;
  anchor ??= setInterval(() => {}, FOREVER);
}

/**
 * Gives one hold back. Calls one at a time would take and give the hold thousands of times a second, and each
 * change of a timer's reference is a call into the engine, so the last hold is dropped only after a pause.
 */
export function releaseProcess(): void {
  holds -= 1;
  if (holds === 0) lingering ??= setTimeout(letGo, LINGER);
}

function letGo(): void {
  clearTimeout(lingering);
  lingering = undefined;
  if (holds > 0) return;
  clearInterval(anchor);
  anchor = undefined;
}

/** Keeps the process alive until `work` settles, and not a moment longer: a peer that has stopped leaves no timer. */
export async function whileHolding<T>(work: Promise<T>): Promise<T> {
  holdProcess();
  try {
    return await work;
  } finally {
    holds -= 1;
    letGo();
  }
}
