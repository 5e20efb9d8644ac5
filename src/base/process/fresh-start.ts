/**
 * State of modules that outlives a peer. A simulation begins each story as if the process had just begun, so that the same seed
 * makes the same run, whatever ran before.
 */

const resets = new Set<() => void>();

/** Calls back whenever a simulation begins or ends a story. For state at the top level of a module. */
export function onFreshStart(reset: () => void): void {
  resets.add(reset);
}

/** Forgets everything that the process has in its modules from the peers that ran before. */
export function startFresh(): void {
  for (const reset of resets) reset();
}
