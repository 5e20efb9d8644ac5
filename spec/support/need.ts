/**
 * For a test or a hook: skips the tests where something is missing, and prints what. Where `CI` is set it fails instead: what never
 * runs proves nothing.
 * @param holds whether it is there
 * @param what is needed, with the way to get it: `nginx: apt-get install nginx`
 * @param cause the error that shows that it is missing
 */
export function need(test: Mocha.Context, holds: unknown, what: string, cause?: unknown): asserts holds {
  if (!holds) lack(test, what, cause);
}

/** The same, where it has turned out to be missing. */
export function lack(test: Mocha.Context, what: string, cause?: unknown): never {
  if (process.env['CI']) throw new Error(`this needs ${what}`, { cause });
  skip(test, `this needs ${what}`);
}

/** Skips the tests with a reason, also where `CI` is set: there is nothing to test. `need` is for what is only missing here. */
export function skip(test: Mocha.Context, why: string): never {
  console.log(`      (skipped: ${why})`);
  return test.skip();
}

export function needLinux(test: Mocha.Context): void {
  need(test, process.platform === 'linux', 'Linux');
}

/** Whoever may do everything need not ask for rights, and may give files away. */
export function needRoot(test: Mocha.Context): void {
  need(test, process.getuid?.() === 0, 'root');
}

/** Files with owners and rights, named pipes and the like. */
export function needUnix(test: Mocha.Context): void {
  need(test, process.platform !== 'win32', 'files with owners and rights, which Windows has not');
}
