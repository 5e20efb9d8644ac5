// Runs the cases interleaved: every round runs each case once, starting one further each time, so
// that no case always follows the same neighbour or always has the machine at its warmest.
import { fileURLToPath } from 'node:url';

const MOST_FAILURES = 2;
const BENCH_FOLDER = fileURLToPath(new URL('../', import.meta.url));

/**
 * @param measure   runs one case once and resolves to its figures
 * @param announce  is told what is about to run
 * @returns the figures, one record of case → figures per round, and the reason of the last failure
 *   of each case that had one
 */
export async function runRounds({ names, count, measure, announce }) {
  const rounds = [];
  const failures = {};
  const failed = new Map();
  for (let index = 0; index < count; index++) {
    const round = {};
    rounds.push(round);
    for (let i = 0; i < names.length; i++) {
      const name = names[(index + i) % names.length];
      // A case that keeps failing may take a minute each time to say so.
      if ((failed.get(name) ?? 0) >= MOST_FAILURES) continue;
      announce(`round ${index + 1} of ${count}: ${name}`);
      try {
        round[name] = await measure(name);
      } catch (error) {
        failed.set(name, (failed.get(name) ?? 0) + 1);
        failures[name] = reasonOf(error);
        announce(`${name} failed: ${failures[name]}`);
        // One that answers wrongly has no place in the comparison at all.
        if (error.message.startsWith('wrong answer')) disqualify(name, rounds, failed);
      }
    }
  }
  return { rounds, failures };
}

/** An error as a table shows it: one line, and no paths which mean nothing on another machine. */
export function reasonOf(error) {
  return error.message.split('\n')[0].replaceAll(BENCH_FOLDER, '');
}

function disqualify(name, rounds, failed) {
  failed.set(name, MOST_FAILURES);
  for (const round of rounds) delete round[name];
}
