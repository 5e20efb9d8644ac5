import type { JSX } from 'preact';

import { bytes, number, plain } from './format.ts';
import { Table } from './parts.tsx';
import type { Store } from './store.ts';

/** Events that somebody subscribes to, and the subscribers that are too slow for them. */

const COLUMNS = [
  ['event'],
  ['emitted/s', 'number'],
  ['emitters', 'number'],
  ['subscribers', 'number'],
  ['missed', 'number'],
] as const;
const QUEUES = [['from'], ['to'], ['waiting', 'number'], ['size', 'number'], ['']] as const;

interface Properties {
  store: Store;
  isMeant: (...texts: string[]) => boolean;
}

export function EventTable({ store, isMeant }: Properties): JSX.Element {
  const gaps = new Map<string, number>();
  for (const each of store.happened.values()) {
    if (each.type === 'gap') gaps.set(each.event, (gaps.get(each.event) ?? 0) + (each.missed ?? 1));
  }
  const events = store.events.filter(({ name }) => isMeant(name));
  return (
    <>
      <Table caption="Events" columns={COLUMNS} empty="Nobody subscribes to an event.">
        {events.map(({ name, emitted, emitters, subscribers }) => (
          <tr key={name}>
            <th scope="row" title={plain(name)}>
              {plain(name)}
            </th>
            <td class="number">{number(emitted)}</td>
            <td class="number">{number(emitters)}</td>
            <td class="number">{number(subscribers)}</td>
            <td class={gaps.has(name) ? 'number bad' : 'number'}>{number(gaps.get(name) ?? 0)}</td>
          </tr>
        ))}
      </Table>
      {store.queues.length > 0 && (
        <Table caption="Events that wait for slow subscribers" columns={QUEUES} empty="">
          {store.queues.map(({ at, name, events: waiting, bytes: size, dropping }, index) => (
            <tr key={index}>
              <td>{plain(at)}</td>
              <td>{plain(name)}</td>
              <td class="number">{number(waiting)}</td>
              <td class="number">{bytes(size)}</td>
              <td>{dropping && <span class="chip bad">drops the oldest</span>}</td>
            </tr>
          ))}
        </Table>
      )}
    </>
  );
}
