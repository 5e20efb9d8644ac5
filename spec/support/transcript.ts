import type { Context } from 'mocha';

/**
 * What the processes of a test wrote. It is printed below a test that failed: an exit code or a missing line says little
 * without the errors of the command.
 */

/** Characters of each stream that are printed, counted from its end. */
const SHOWN = 4_000;

interface Said {
  command: string;
  /** The exit code or signal; undefined while it runs. */
  end: string | number | null | undefined;
  out: string;
  errors: string;
}

const said: (() => Said)[] = [];

/** Call when a process starts. @param now called at the end of the test */
export function remember(now: () => Said): void {
  said.push(now);
}

function print({ command, end, out, errors }: Said): void {
  const streams = Object.entries({ out, errors }).map(([name, text]) => [name, text.slice(-SHOWN).trimEnd()]);
  const written = streams.flatMap(([name, text]) => (text ? [`${name}:`, text] : []));
  const lines = [`$ ${command}`, ...written, end === undefined ? 'still runs' : `ended with ${end}`];
  console.error(lines.join('\n').replaceAll(/^/gm, '      | '));
}

// Of the whole run: this file is loaded by the files of specs, before any of them runs.
beforeEach(() => {
  said.length = 0;
});

afterEach(function (this: Context) {
  if (this.currentTest?.isFailed()) for (const now of said.splice(0)) print(now());
});
