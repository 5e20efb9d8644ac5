// How app-net grows: many peers that start at once, beside Moleculer. Run it with `npm run bench:growth`, for other numbers of peers with
// `npm run bench:growth -- --peers 10,50`, without Moleculer with `--only app-net`. A run of all of it puts its part into RESULTS.md.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { cases } from './cases/index.js';
import { drawGrowth } from './report/growth-chart.js';
import { describeMachine, describeVersions } from './report/machine.js';
import { section } from './report/markdown.js';
import { STARTS_TITLE, startsTables } from './report/starts-tables.js';
import { toTerminal } from './report/terminal.js';
import { PEERS_IN_MEMORY, measureInMemory, measureStarts } from './sets/starts.js';

const RESULTS = fileURLToPath(new URL('RESULTS.md', import.meta.url));
const CHART = fileURLToPath(new URL('growth.svg', import.meta.url));

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    peers: { type: 'string' },
    memory: { type: 'string', default: String(PEERS_IN_MEMORY) },
    quick: { type: 'boolean', default: false },
  },
});
const names = options.only?.split(',');
const measured = cases.filter(({ name, growth }) => growth && (!names || names.includes(name)));
const sizes = options.peers?.split(',').map(Number);
const began = performance.now();
const announce = (text) =>
  console.error(`[${String(Math.round((performance.now() - began) / 1000)).padStart(3)} s] ${text}`);

const starts = [];
for (const { name } of measured) {
  starts.push({ name, starts: await measureStarts({ name, quick: options.quick, announce, sizes }) });
}
const peers = Number(options.memory);
const inMemory = peers > 0 ? await measureInMemory({ quick: options.quick, announce, peers }) : undefined;
const tables = startsTables({ starts, inMemory });
console.log(toTerminal(tables));
if (!names && !sizes && !options.quick) {
  const { cpu, cores, node } = describeMachine();
  const what = `Measured on ${new Date().toISOString().slice(0, 10)} by \`npm run bench:growth\`: ${cpu}, ${cores} cores, Node.js ${node}, ${describeVersions(measured).join(', ')}.`;
  const part = tables.flatMap((table, index) => section(table, index === 0 ? what : undefined)).join('\n');
  writeFileSync(CHART, await drawGrowth(starts));
  writeFileSync(RESULTS, withPart(readFileSync(RESULTS, 'utf8'), part));
  announce(`wrote ${CHART} and the last part of ${RESULTS}`);
}

/** The page with this text for its last part. */
function withPart(page, text) {
  const [before] = page.split(`## ${STARTS_TITLE}`);
  return `${before.trimEnd()}\n\n${text}`;
}
