import { readFileSync } from 'node:fs';

/** Makes `docs/options.md` from the comments of the two interfaces of options. */

export interface Option {
  name: string;
  type: string;
  /** Empty where the default says it all. */
  unit: string;
  environment: string;
  default: string;
  meaning: string;
}

const OPTIONS = new URL('../../src/peer/options/options.ts', import.meta.url);
const LIMITS = new URL('../../src/peer/options/limit-options.ts', import.meta.url);

/** @throws Error that names a property without a comment, or without a default in it */
export function peerOptions(): Option[] {
  return readInterface(readFileSync(OPTIONS, 'utf8'), 'PeerOptions');
}

/** @throws Error likewise */
export function peerLimits(): Option[] {
  return readInterface(readFileSync(LIMITS, 'utf8'), 'PeerLimits');
}

export function optionsPage(): string {
  return `# Options

\`npm run docs:options\` writes this page from the comments in \`src/peer/options/options.ts\` and \`src/peer/options/limit-options.ts\`.

\`\`\`ts
import { configure, createPeer } from 'app-net';

configure({ name: 'render-1', group: 'gpu' }); // the default peer, before its first use
const peer = createPeer({ deadline: 5_000, limits: { running: 64 } }); // a peer of its own
\`\`\`

- No option is required.
- An option in code wins over its environment variable. An empty variable counts as not set.
- An option with an unknown name or an impossible value is refused with a \`TypeError\` that names it. An option that would open
  the peer to strangers is refused with the \`NetError\` \`INSECURE\`.

## Options of a peer

${table(peerOptions())}

## Limits

Give \`PeerLimits\` as \`limits: { … }\`. They have no environment variables. [Know the limits](calls.md#know-the-limits) explains what
happens at a limit.

${table(peerLimits())}
`;
}

/** Properties, each with the comment above it. */
const PROPERTY = /^ {2}\/\*\*((?:(?!\*\/)[^])*)\*\/\n {2}(\w+)\??: (.*);$/gm;

/** The last sentences of a comment. Only the meaning and the default may have a full stop inside. */
const COMMENT = /^(.*?)(?: Unit: ([^.]*)\.)?(?: Environment: ([^.]*)\.)? Default: (.*)\.$/;

function readInterface(source: string, name: string): Option[] {
  const [, body] = new RegExp(`^export interface ${name} \\{\\n([^]*?)^\\}`, 'm').exec(source) ?? [];
  if (body === undefined) throw new Error(`there is no interface ${name}`);
  const options = [...body.matchAll(PROPERTY)].map(([, comment, property, type]) =>
    readOption(property!, type!, comment!),
  );
  const properties = [...body.matchAll(/^ {2}(\w+)\??:/gm)].map(([, property]) => property!);
  const bare = properties.filter((property) => !options.some((option) => option.name === property));
  if (bare.length > 0) throw new Error(`${name}: no comment above ${bare.join(', ')}`);
  return options;
}

function readOption(name: string, type: string, comment: string): Option {
  const text = comment.replaceAll(/\s*\n\s*\* ?/g, ' ').trim();
  const [, meaning, unit = '', environment = '', otherwise] = COMMENT.exec(text) ?? [];
  if (!meaning || !otherwise)
    throw new Error(`${name}: its comment does not end with "Default: ….": ${text}`);
  const plainType = type.replace(/ \| undefined$/, '').replace(/^\((.*)\)$/, '$1');
  return { name, type: plainType, unit, environment, default: otherwise, meaning };
}

const HEADINGS = ['option', 'type', 'default', 'unit', 'environment variable', 'meaning'];

/** Columns without an entry are left out. */
function table(options: readonly Option[]): string {
  const cells = options.map((option) => [
    `\`${option.name}\``,
    `\`${option.type}\``,
    option.default,
    option.unit,
    option.environment,
    option.meaning,
  ]);
  const isUsed = HEADINGS.map((_, column) => cells.some((row) => row[column] !== ''));
  const rows = [HEADINGS, ...cells].map((row) =>
    row.filter((_, column) => isUsed[column]).map((cell) => cell.replaceAll('|', '\\|')),
  );
  // As the formatter aligns it.
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`;
  const rule = widths.map((width) => '-'.repeat(width));
  return [rows[0]!, rule, ...rows.slice(1)].map(line).join('\n');
}
