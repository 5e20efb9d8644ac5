/** The exit codes of the command line; `docs/cli.md` lists the same. */
export const EXIT = {
  DONE: 0,
  /** The function threw, a check of `doctor` failed, or a call to one of several peers failed. */
  FAILED: 1,
  /** The command itself is wrong: an option, an argument, a file. */
  USAGE: 2,
  /** No such peer, or no such function. */
  NOT_FOUND: 3,
  /** The call itself failed; the message says whether the function ran. */
  NOT_CALLED: 4,
  /** This peer could not start: its runtime directory, its secret, its environment. */
  NOT_STARTED: 5,
  /** Ctrl-C before the command was done. Commands that run until Ctrl-C are done then. */
  INTERRUPTED: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Ends the command with a message that says what to do. */
export class CliError extends Error {
  readonly exitCode: ExitCode;
  /** The advice, on a line of its own. */
  readonly advice: string | undefined;

  constructor(exitCode: ExitCode, message: string, advice?: string) {
    super(message);
    this.exitCode = exitCode;
    this.advice = advice;
  }
}
