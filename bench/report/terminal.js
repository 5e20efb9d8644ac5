// The tables as they are printed at the end of a run.
import Table from 'cli-table3';

export function toTerminal(tables) {
  return tables
    .map(({ title, note, head, rows }) => {
      const table = new Table({ head, style: { head: [], border: [], compact: false } });
      for (const row of rows) table.push(Array.isArray(row) ? row : failedRow(row, head.length - 1));
      return `${title}\n${table.toString()}\n${note}\n`;
    })
    .join('\n');
}

function failedRow({ name, failed }, width) {
  return [name, { colSpan: width, content: `failed: ${failed}` }];
}
