import type { Output } from './terminal/output.ts';

/** What every command is given. */
export interface Context {
  readonly out: Output;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  readonly environment: NodeJS.ProcessEnv;
}
