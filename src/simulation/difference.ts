import { SimulationError } from './report.ts';
import type { Run } from './run-story.ts';
import { describeStep, timeText } from './step-text.ts';
import { describeUnseeded } from './unseeded.ts';
import type { Unseeded } from './unseeded.ts';

/**
 * The error for a seed that did not do the same twice: where its runs part, and why that may be.
 * @param runs of the same seed. The third says whether only the first one is different
 */
export function differenceBetween(
  seed: number,
  [first, second, third]: readonly [Run, Run, Run],
  unseeded: Unseeded | undefined,
): SimulationError {
  const [one, other] = [first.trace, second.trace];
  let at = 0;
  while (at < one.hashes.length && one.hashes[at] === other.hashes[at]) at += 1;
  const line = ({ trace, failure }: Run): string => {
    const step = trace.steps[at];
    if (step) return `${timeText(step.at)}  ${describeStep(step)}`;
    return failure ? `nothing: it had failed with ${String(failure.error)}` : 'nothing: it was over';
  };
  const text =
    `seed ${seed} did not do the same twice. The first step that differs is number ${at + 1}:\n` +
    `  first run:  ${line(first)}\n  second run: ${line(second)}\n` +
    (unseeded
      ? `${describeUnseeded(unseeded)}:\n${unseeded.stack}`
      : whyWithoutCall(other.digest === third.trace.digest));
  return new SimulationError(text, seed, first.faults, undefined);
}

/** @param isFirst whether only the first run was different */
function whyWithoutCall(isFirst: boolean): string {
  return isFirst
    ? 'A third run did the same as the second. So something outlives a story that the first run has filled: a cache, a pool of random ' +
        'bytes, something that is loaded when it is first needed.'
    : 'A third run did something else again. So something outlives a story and goes on from there, such as a counter, or the story has ' +
        'time or chance that was taken before it began.';
}
