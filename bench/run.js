// Measures app-net beside other ways to call a function in another process, and reports.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { USAGE, readOptions } from './lib/options.js';
import { runRounds } from './lib/rounds.js';
import { drawChart } from './report/chart.js';
import { drawGrowth } from './report/growth-chart.js';
import { describeMachine, describeVersions, hasBinary } from './report/machine.js';
import { toMarkdown } from './report/markdown.js';
import { summariesOf, tablesOf } from './report/tables.js';
import { toTerminal } from './report/terminal.js';
import { measureCalls } from './sets/calls.js';
import { measureEvents } from './sets/events.js';
import { measureGrowth } from './sets/growth.js';
import { measureMemory } from './sets/memory.js';
import { measureInMemory, measureStarts } from './sets/starts.js';

const CALL_SETS = ['throughput', 'latency', 'payload'];
const RESULTS = fileURLToPath(new URL('RESULTS.md', import.meta.url));
const CHART = fileURLToPath(new URL('results.svg', import.meta.url));
const GROWTH_CHART = fileURLToPath(new URL('growth.svg', import.meta.url));

const startedAt = performance.now();
const options = optionsOrExit();
const notes = [];
const cases = options.cases.filter(isPossible);
const results = await measureAll();
await report();

async function measureAll() {
  const { quick, sets } = options;
  const names = cases.map(({ name }) => name);
  const measured = {
    date: new Date().toISOString().slice(0, 10),
    sets: [...sets],
    cases: names,
    roundCount: quick ? 2 : 5,
    rounds: [],
    memory: {},
    events: [],
    growth: [],
    starts: [],
    inMemory: undefined,
    failures: { calls: {}, memory: {}, events: {} },
  };
  if (CALL_SETS.some((set) => sets.has(set))) {
    const measure = (name) => measureCalls({ name, sets, quick });
    const { rounds, failures } = await runRounds({ names, count: measured.roundCount, measure, announce });
    measured.rounds = rounds;
    measured.failures.calls = failures;
    for (const [name, reason] of Object.entries(failures)) {
      const good = rounds.filter((round) => round[name]).length;
      if (good > 0)
        notes.push(`${name}: only ${good} of ${rounds.length} rounds, the last failure: ${reason}`);
    }
  }
  if (sets.has('memory')) {
    const able = cases.filter(({ memory }) => memory).map(({ name }) => name);
    const measure = (name) => measureMemory({ name, quick });
    const { rounds, failures } = await runRounds({
      names: able,
      count: 1,
      measure,
      announce: (text) => announce(`memory, ${text}`),
    });
    measured.memory = Object.fromEntries(
      able.filter((name) => rounds[0][name]).map((name) => [name, rounds[0][name]]),
    );
    measured.failures.memory = failures;
  }
  if (sets.has('events')) {
    const able = cases.filter(({ events }) => events).map(({ name }) => name);
    const { rounds, failures } = await runRounds({
      names: able,
      count: quick ? 1 : 3,
      measure: (name) => measureEvents({ name, quick }),
      announce: (text) => announce(`events, ${text}`),
    });
    measured.events = rounds;
    measured.failures.events = failures;
  }
  if (sets.has('growth')) {
    for (const { name } of cases.filter(({ calls }) => calls)) {
      measured.growth.push({ name, calls: await measureGrowth({ name, quick, announce }) });
    }
    for (const { name } of cases.filter(({ growth }) => growth)) {
      measured.starts.push({ name, starts: await measureStarts({ name, quick, announce }) });
    }
    if (cases.some(({ name }) => name === 'app-net'))
      measured.inMemory = await measureInMemory({ quick, announce });
  }
  return measured;
}

async function report() {
  const machine = describeMachine();
  const versions = describeVersions(cases);
  const tables = tablesOf(results);
  if (options.json) {
    const { rounds, events, ...rest } = results;
    const json = { ...rest, machine, versions, notes, summaries: summariesOf(results), rounds, events };
    console.log(JSON.stringify(json, null, 2));
  } else {
    console.log(toTerminal(tables));
    for (const note of notes) console.log(note);
  }
  if (!options.complete) {
    announce(`a run of everything would write ${RESULTS} and ${CHART}`);
    return;
  }
  const controls = new Set(cases.filter(({ control }) => control).map(({ name }) => name));
  const chart = await drawChart(results, controls);
  if (chart) writeFileSync(CHART, chart);
  writeFileSync(GROWTH_CHART, await drawGrowth(results.starts));
  writeFileSync(RESULTS, toMarkdown({ results, tables, machine, versions, notes }));
  announce(`wrote ${RESULTS} and ${CHART}`);
}

function isPossible({ name, binary }) {
  if (!binary || hasBinary(binary)) return true;
  const note = `${name}: skipped, there is no ${binary} on this machine`;
  announce(note);
  notes.push(note);
  return false;
}

function optionsOrExit() {
  try {
    const read = readOptions(process.argv.slice(2));
    if (!read.help) return read;
    console.log(USAGE);
    process.exit(0);
  } catch (error) {
    console.error(`${error.message}\n\n${USAGE}`);
    process.exit(2);
  }
}

// Progress goes to stderr, so that stdout holds nothing but the result.
function announce(text) {
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  console.error(`[${String(seconds).padStart(3)} s] ${text}`);
}
