/**
 * Cases that start processes and wait for them can run side by side, two on two cores. Call it in a `before`: each test then
 * awaits its own case. The cases may share nothing, and above all no runtime directory.
 */
export function inLanes<Case>(
  cases: readonly Case[],
  run: (each: Case) => Promise<void>,
  lanes = 2,
): Map<Case, Promise<void>> {
  const outcomes = new Map<Case, Promise<void>>();
  const waiting: (() => Promise<void>)[] = [];
  for (const each of cases) {
    let begin: () => void;
    const begun = new Promise<void>((resolve) => (begin = resolve));
    const outcome = begun.then(() => run(each));
    outcomes.set(each, outcome);
    waiting.push(() => {
      begin();
      // The test of the case gets the error. The next case begins all the same.
      return outcome.catch(() => {});
    });
  }
  const lane = async (): Promise<void> => {
    for (let next = waiting.shift(); next; next = waiting.shift()) await next();
  };
  for (let count = 0; count < lanes; count += 1) void lane();
  return outcomes;
}
