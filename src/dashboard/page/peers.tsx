import type { JSX } from 'preact';

import type { FleetPeer } from '../messages.ts';
import { bytes, duration, number, percent, plain } from './format.ts';
import { Bar, Table } from './parts.tsx';
import { PeerButton } from './calls.tsx';
import type { Store } from './store.ts';

/** The peers in words: what the picture shows, for those who do not see it, too. */

const MOST = 500;

const COLUMNS = [
  ['peer'],
  ['state'],
  ['group'],
  ['where'],
  ['runs/s', 'number'],
  ['calls/s', 'number'],
  ['failed/s', 'number'],
  ['busy'],
  ['round trip', 'number'],
  ['memory', 'number'],
] as const;

interface Properties {
  store: Store;
  shows: (peer: FleetPeer) => boolean;
  chosen: string | undefined;
  choose: (id: string) => void;
}

export function PeerTable({ store, shows, chosen, choose }: Properties): JSX.Element {
  const peers = [...store.peers.values()]
    .filter(shows)
    .toSorted((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)));
  const trips = roundTripsOf(store);
  return (
    <Table caption="Peers" columns={COLUMNS} empty="No peer is here.">
      {peers.slice(0, MOST).map((peer) => (
        <tr
          key={peer.id}
          class={peer.id === chosen ? 'chosen' : ''}
          data-peer={peer.name}
          data-state={peer.state}
        >
          <th scope="row">
            <PeerButton id={peer.id} name={peer.name} choose={choose} />
          </th>
          <td>
            <State peer={peer} />
          </td>
          <td>{plain(peer.group)}</td>
          <td class="muted">
            {plain(peer.host)} · {peer.pid}
          </td>
          <td class="number">{number(peer.ran)}</td>
          <td class="number">{number(peer.made)}</td>
          <td class={peer.failed > 0 ? 'number bad' : 'number'}>{number(peer.failed)}</td>
          <td>
            <Bar share={peer.load?.busy ?? 0} label={percent(peer.load?.busy ?? 0)} />
          </td>
          <td class="number">{trips.has(peer.id) ? duration(trips.get(peer.id)!) : '–'}</td>
          <td class="number">{peer.load ? bytes(peer.load.memory) : '–'}</td>
        </tr>
      ))}
    </Table>
  );
}

const STATES = { live: 'live', silent: 'silent', unseen: 'not told', new: 'new' } as const;

export function State({ peer }: { peer: FleetPeer }): JSX.Element {
  const quiet = peer.quiet === undefined ? '' : ` for ${duration(peer.quiet)}`;
  const busy = peer.state === 'silent' ? ': a function that blocks the event loop looks like this, too' : '';
  const title = `${STATES[peer.state]}${quiet}${busy}${peer.trouble ? `: ${plain(peer.trouble)}` : ''}`;
  return (
    <span class={`chip state-${peer.state}`} title={title}>
      {STATES[peer.state]}
      {quiet}
    </span>
  );
}

/** The median round trip of the connections of each peer. */
function roundTripsOf({ links }: Store): Map<string, number> {
  const all = new Map<string, number[]>();
  for (const { from, to, roundTrip } of links) {
    if (roundTrip === undefined) continue;
    for (const id of [from, to]) {
      const known = all.get(id);
      if (known) known.push(roundTrip);
      else all.set(id, [roundTrip]);
    }
  }
  return new Map(
    [...all].map(([id, trips]) => [id, trips.toSorted((a, b) => a - b)[Math.floor(trips.length / 2)]!]),
  );
}
