// The command line of run.js.
import { parseArgs } from 'node:util';
import { cases, findCase } from '../cases/index.js';

export const SETS = ['throughput', 'payload', 'latency', 'memory', 'events', 'growth'];

export const USAGE = `node run.js [--only a,b] [--quick] [--json] [--set ${SETS.join('|')}]
  --only   just these cases: ${cases.map(({ name }) => name).join(', ')}
  --set    just these sets, separated by commas
  --quick  two short rounds instead of five
  --json   print JSON instead of tables`;

/** Throws an Error with a readable message when the arguments make no sense. */
export function readOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: 'string' },
      set: { type: 'string' },
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const only = values.only?.split(',');
  const sets = values.set?.split(',') ?? SETS;
  const unknown = [
    ...(only ?? []).filter((name) => !findCase(name)),
    ...sets.filter((set) => !SETS.includes(set)),
  ];
  if (unknown.length > 0) throw new Error(`unknown: ${unknown.join(', ')}`);
  return {
    cases: cases.filter(({ name }) => !only || only.includes(name)),
    sets: new Set(sets),
    quick: values.quick,
    json: values.json,
    help: values.help,
    // Only a run of everything speaks for the page that is kept.
    complete: !only && !values.set && !values.quick,
  };
}
