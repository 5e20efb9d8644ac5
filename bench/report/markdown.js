// The tables as a page for people: RESULTS.md.

export function toMarkdown({ results, tables, machine, versions, notes }) {
  return [
    '# Results',
    '',
    `Measured on ${results.date} by \`npm run bench\`: ${results.roundCount} rounds, every case once in each,`,
    'each time in fresh processes for server and client on 127.0.0.1. What is measured and how is told in',
    '[README.md](README.md). Absolute figures belong to this machine; the ratios travel better.',
    '',
    '![Calls per second, by library](results.svg)',
    '',
    `- Processor: ${machine.cpu}, ${machine.cores} cores`,
    `- Memory: ${machine.memory}`,
    `- System: ${machine.system}`,
    `- Node.js ${machine.node}`,
    `- ${versions.join(', ')}`,
    ...notes.map((note) => `- ${note}`),
    '',
    ...tables.flatMap((table) => section(table)),
  ].join('\n');
}

/** @param before  a line that stands under the heading, if any */
export function section({ title, note, head, rows, picture }, before) {
  return [
    `## ${title}`,
    '',
    ...(before ? [before, ''] : []),
    ...(picture ? [picture, ''] : []),
    line(head),
    line(head.map((_, i) => (i === 0 ? ':--' : '--:'))),
    ...rows.map((row) => line(Array.isArray(row) ? row : [row.name, `failed: ${row.failed}`])),
    '',
    note,
    '',
  ];
}

function line(cells) {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', '<br>')).join(' | ')} |`;
}
