import type { SimulatedClock } from 'xstate';

/** So small that no look of a peer at its connections is late by it. */
const STEP = 100;

/** Lets everything that is on its way in memory arrive. */
export async function deliver(): Promise<void> {
  for (let turn = 0; turn < 8; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Lets time pass as it does for a process that is awake: in small steps, with the event loop turning between them. */
export async function pass(milliseconds: number, ...clocks: SimulatedClock[]): Promise<void> {
  for (let left = milliseconds; left > 0; left -= STEP) {
    for (const clock of clocks) clock.increment(Math.min(STEP, left));
    await deliver();
  }
}

/** Until `check` is true. Returns how long that took, in ms of the clocks; fails after `within`. */
export async function passUntil(
  check: () => boolean,
  within: number,
  ...clocks: SimulatedClock[]
): Promise<number> {
  for (let passed = 0; passed <= within; passed += STEP) {
    if (check()) return passed;
    await pass(STEP, ...clocks);
  }
  throw new Error(`not within ${within} ms: ${check.toString()}`);
}
