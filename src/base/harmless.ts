import { messageOf } from './text.ts';
import { seldomWarning } from './unforeseen.ts';

/** Those who watch calls and events, through diagnostics channels and OpenTelemetry, must not change them, whatever they do. */

const warn = seldomWarning();

/** Runs code that watches. An error of it is a process warning, at most once a second. @returns undefined if it failed */
export function harmless<T>(what: string, step: () => T): T | undefined {
  try {
    return step();
  } catch (error) {
    harmed(what, error);
    return undefined;
  }
}

/** Tells what `harmless` would, where a function for each step would cost too much. */
export function harmed(what: string, error: unknown): void {
  warn(`${what} failed, which changed no call: ${messageOf(error)}`);
}

/**
 * Runs a step inside `enter`, which a subscriber has set. The step runs once, and what becomes of it is what became of the step,
 * whatever `enter` does.
 */
export function entered<T>(enter: unknown, step: () => T): T {
  let outcome: { value: T } | { error: unknown } | undefined;
  const once = (): T => {
    if (!outcome) {
      try {
        outcome = { value: step() };
      } catch (error) {
        outcome = { error };
      }
    }
    if ('error' in outcome) throw outcome.error;
    return outcome.value;
  };
  try {
    (enter as (step: () => T) => T)(once);
  } catch (error) {
    const isOfStep = outcome !== undefined && 'error' in outcome && outcome.error === error;
    if (!isOfStep) warn(`enter(), set by a subscriber to a diagnostics channel, failed: ${messageOf(error)}`);
  }
  return once();
}

/** Writes to a message of a channel. A subscriber may have frozen it. */
export function noted(write: () => void): void {
  try {
    write();
  } catch {
    // Then it does not say it.
  }
}
