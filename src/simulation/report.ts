import { messageOf } from '../base/text.ts';
import type { Fault } from './fault-player.ts';
import { isTelling, stepLine, timeText } from './step-text.ts';
import type { Step } from './trace.ts';

/** Steps that the message of an error shows. */
const MOST_STEPS = 40;

/**
 * A story has failed, or could not be repeated. Its message has the seed, the fewest faults with which the story still fails, and the last
 * steps of that run. `cause` is what the story threw.
 *
 * @example
 * const failure = await simulate({ seeds: 50 }, () => Promise.reject(new Error('no'))).catch((error) => error);
 * if (failure instanceof SimulationError) console.log(failure.seed, failure.faults);
 */
export class SimulationError extends Error {
  override readonly name = 'SimulationError';
  /** The seed with which it fails. */
  readonly seed: number;
  /** The fewest faults that were found with which it still fails. */
  declare readonly faults: readonly Fault[];

  /** @internal */
  constructor(message: string, seed: number, faults: readonly Fault[], cause: unknown) {
    super(message, { cause });
    this.seed = seed;
    // Not enumerable: the message tells of them, and test runners print all that is.
    Object.defineProperty(this, 'faults', { value: faults });
    const frames = isError(cause) ? framesOf(cause) : '';
    this.stack = `SimulationError: ${message}${frames && `\n${frames}`}`;
  }
}

/** Whether it is an error that can be read: a story may throw anything. */
export function isError(thrown: unknown): thrown is Error {
  try {
    if (!(thrown instanceof Error)) return false;
    const { name, message, stack } = thrown as Partial<Record<'name' | 'message' | 'stack', unknown>>;
    return [name, message, stack ?? ''].every((each) => typeof each === 'string');
  } catch {
    return false;
  }
}

export interface Failure {
  readonly seed: number;
  readonly error: unknown;
  /** How many seeds ran before, with this one. */
  readonly run: number;
  readonly of: number;
  readonly faults: readonly Fault[];
  readonly faultsAtFirst: number;
  readonly steps: readonly Step[];
  readonly svg: string | undefined;
}

export function failureText(failure: Failure): string {
  const { seed, error, run, of, faults, faultsAtFirst, steps, svg } = failure;
  const what = isError(error) ? `${error.name}: ${error.message}` : messageOf(error);
  const told = steps.filter(isTelling);
  const last = told.slice(-MOST_STEPS);
  const lines = last.map((step) => `  ${stepLine(step)}`).join('\n');
  const kept =
    faultsAtFirst === 0
      ? 'No fault was needed.'
      : faults.length === 0
        ? `It fails without any of the ${faultsAtFirst} faults of the seed.`
        : `The fewest faults with which it fails, of ${faultsAtFirst}:\n${faults.map(faultLine).join('\n')}`;
  return [
    `seed ${seed} fails${of > 1 ? ` (number ${run} of ${of})` : ''}: ${what}`,
    kept,
    ...(last.length > 0 ? [`The last ${last.length} of ${told.length} steps:\n${lines}`] : []),
    `To run it again: set SIM_SEED=${seed} in the environment${svg ? `. Sequence diagram: ${svg}` : ', and SIM_SVG=file.svg for a sequence diagram'}`,
  ].join('\n\n');
}

function faultLine({ at, text }: Fault): string {
  return `  ${timeText(at)}  ${text}`;
}

/** The stack without the line of the error, and without frames of Node's. */
function framesOf({ stack = '' }: Error): string {
  const frames = stack.split('\n').filter((line) => /^\s+at /.test(line) && !line.includes('node:internal'));
  return frames.slice(0, 10).join('\n');
}
