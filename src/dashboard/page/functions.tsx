import type { JSX } from 'preact';

import { duration, number, plain } from './format.ts';
import { Spark, Table } from './parts.tsx';
import type { FunctionRow, Side, Store } from './store.ts';

/** The functions that are called. */

const MOST = 60;

const COLUMNS = [
  ['function'],
  ['calls/s', 'number'],
  ['last 30 s'],
  ['p50', 'number'],
  ['p99', 'number'],
  ['failed in 10 s, and whether it ran'],
] as const;

interface Properties {
  store: Store;
  side: Side;
  tag: string | undefined;
  setTag: (tag: string | undefined) => void;
  isMeant: (...texts: string[]) => boolean;
}

export function FunctionTable({ store, side, tag, setTag, isMeant }: Properties): JSX.Element {
  const rows = store.functions(side).filter((each) => isMeant(each.tag));
  const { window } = store;
  return (
    <Table caption="Functions of the last 10 seconds" columns={COLUMNS} empty="No calls so far.">
      {rows.slice(0, MOST).map((row) => (
        <tr key={row.tag} class={row.tag === tag ? 'chosen' : ''}>
          <th scope="row">
            <button
              type="button"
              class="name"
              aria-pressed={row.tag === tag}
              title={plain(row.tag)}
              onClick={() => setTag(row.tag === tag ? undefined : row.tag)}
            >
              {plain(row.tag)}
            </button>
          </th>
          <Figures row={row} window={window} />
        </tr>
      ))}
    </Table>
  );
}

function Figures({ row: { calls, rates }, window }: { row: FunctionRow; window: number }): JSX.Element {
  const [median, late] = [calls.percentile(0.5), calls.percentile(0.99)];
  return (
    <>
      <td class="number">{number(calls.count / window)}</td>
      <td>
        <Spark values={rates} />
      </td>
      <td class="number">{median === undefined ? '–' : duration(median)}</td>
      <td class="number">{late === undefined ? '–' : duration(late)}</td>
      <td>
        <Failures codes={calls.codes} />
      </td>
    </>
  );
}

const RAN = { yes: 'ran', no: 'did not run', unknown: 'may have run' } as const;

export function Failures({ codes }: { codes: ReadonlyMap<string, number> }): JSX.Element {
  if (codes.size === 0) return <span class="muted">none</span>;
  return (
    <>
      {[...codes].map(([key, times]) => {
        const [code, ran] = key.split(' ') as [string, keyof typeof RAN];
        return (
          <span key={key} class="chip bad">
            <b>{number(times)}</b> {code === 'ERROR' ? 'threw' : plain(code)} · {RAN[ran]}
          </span>
        );
      })}
    </>
  );
}
