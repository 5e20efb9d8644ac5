import type { JSX } from 'preact';

import { duration, plain } from './format.ts';
import { Table } from './parts.tsx';
import type { Store } from './store.ts';

/** The calls that have been under way for longest. */

const COLUMNS = [['for', 'number'], ['function'], ['at'], ['called by'], ['state']] as const;

interface Properties {
  store: Store;
  isMeant: (...texts: string[]) => boolean;
  choose: (id: string) => void;
}

export function CallTable({ store, isMeant, choose }: Properties): JSX.Element {
  const calls = store.calls.filter(({ tag, name, atName }) => isMeant(tag, name, atName));
  return (
    <Table
      caption="Calls that have been under way for a quarter of a second or longer, the oldest first"
      columns={COLUMNS}
      empty="No call takes longer than a quarter of a second."
    >
      {calls.map(({ tag, side, state, age, peer, name, at, atName }, index) => {
        const [place, caller] = side === 'ran' ? [at, peer] : [peer, at];
        const [placeName, callerName] = side === 'ran' ? [atName, name] : [name, atName];
        return (
          <tr key={`${place} ${caller} ${tag} ${index}`}>
            <td class={age > 10_000 ? 'number bad' : 'number'}>{duration(age)}</td>
            <th scope="row" title={plain(tag)}>
              {plain(tag)}
            </th>
            <td>
              <PeerButton id={place} name={placeName} choose={choose} />
            </td>
            <td>
              <PeerButton id={caller} name={callerName} choose={choose} />
            </td>
            <td>
              <span class={`chip ${state}`}>{state}</span>
            </td>
          </tr>
        );
      })}
    </Table>
  );
}

export function PeerButton({
  id,
  name,
  choose,
}: {
  id: string;
  name: string;
  choose: (id: string) => void;
}): JSX.Element {
  return (
    <button type="button" class="name" title={plain(name)} onClick={() => choose(id)}>
      {plain(name) || plain(id)}
    </button>
  );
}
