/**
 * State at the top level of modules, which all peers of a process share. A simulation gives each story such a state of its own. So the
 * same seed makes the same run, whatever ran before, and whatever other peers of the process do meanwhile.
 */

/** What a module has to offer for this. */
interface Part<T> {
  /** The state of a process that has just begun, in a story. */
  fresh(): T;
  /** The state now. */
  take(): T;
  put(state: T): void;
}

/** The state of each module that has any. */
export type ModuleState = readonly unknown[];

const parts: Part<unknown>[] = [];

/** Keeps the state of the calling module apart in each story. */
export function keepApart<T>(part: Part<T>): void {
  parts.push(part);
}

/** Puts one state in the place of another. Returns the one that it replaces. */
export function exchangeState(state: ModuleState): ModuleState {
  return parts.map((part, index) => {
    const before = part.take();
    // A module that was loaded since then has no state yet.
    part.put(index < state.length ? state[index] : part.fresh());
    return before;
  });
}

/** What each module begins a story with. */
export const FRESH: ModuleState = [];
