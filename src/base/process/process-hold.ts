/**
 * Keeps the process alive while there is work, and only then. Every socket, server and timer of the library is unreferenced,
 * so Node's exit depends on this file alone.
 */

import { keepApart } from './module-state.ts';

/** How long the process is kept alive after the last piece of work has ended, in ms. */
const LINGER = 20;

/** Any long delay will do. The timer exists to be referenced, not to fire. */
const FOREVER = 2 ** 30;

let holds = 0;
let anchor: NodeJS.Timeout | undefined;
let lingering: NodeJS.Timeout | undefined;
/** A story runs: its peers keep no real process alive. */
let isSuspended = false;

keepApart({
  fresh: () => ({ holds: 0, isSuspended: true }),
  take: () => ({ holds, isSuspended }),
  put: (state) => ({ holds, isSuspended } = state),
});

/** Keeps the process alive until `releaseProcess` has been called as often as this function. */
export function holdProcess(): void {
  holds += 1;
  if (!isSuspended) anchor ??= setInterval(() => {}, FOREVER);
}

/**
 * Gives one hold back. The last hold is dropped only after a pause: calls made one after the other would otherwise take and
 * drop it thousands of times a second, and each of those changes is a call into the engine.
 */
export function releaseProcess(): void {
  holds -= 1;
  if (holds === 0 && !isSuspended) lingering ??= setTimeout(letGo, LINGER);
}

function letGo(): void {
  if (isSuspended) return;
  clearTimeout(lingering);
  lingering = undefined;
  if (holds > 0) return;
  clearInterval(anchor);
  anchor = undefined;
}

/** Keeps the process alive until `work` settles, without the pause: a peer that has stopped leaves no timer behind. */
export async function whileHolding<T>(work: Promise<T>): Promise<T> {
  holdProcess();
  try {
    return await work;
  } finally {
    holds -= 1;
    letGo();
  }
}
