import type { Output } from './terminal/output.ts';

/** The arguments that every command gets. */
export interface Context {
  readonly out: Output;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  readonly environment: NodeJS.ProcessEnv;
}
