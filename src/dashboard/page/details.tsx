import { useEffect, useReducer, useRef, useState } from 'preact/hooks';
import type { JSX } from 'preact';

import type { PeerWatch, WatchedHappening, WatchedLink } from '../../presence/set/peer-watch.ts';
import type { Feed } from './feed.ts';
import { bytes, duration, number, percent, plain, timeOf } from './format.ts';
import { Failures } from './functions.tsx';
import { Calls } from './latency.ts';
import { Bar, Table } from './parts.tsx';
import { PeerButton } from './calls.tsx';
import { State } from './peers.tsx';
import type { Store } from './store.ts';

/** Everything about one peer, which tells it while this is open. */

interface Properties {
  store: Store;
  feed: Promise<Feed>;
  id: string;
  choose: (id: string | undefined) => void;
}

const MOST_TRANSITIONS = 200;

/** What the peer has told since it was chosen. */
class Told {
  last: Partial<PeerWatch> = {};
  readonly functions = new Map<string, { tag: string; side: string; calls: Calls }>();
  transitions: Extract<WatchedHappening, { type: 'transition' }>[] = [];
  trouble = '';

  take(message: PeerWatch): void {
    this.trouble = '';
    this.last = { ...this.last, ...message };
    for (const each of message.functions) {
      const key = `${each.side} ${each.tag}`;
      const row = this.functions.get(key) ?? { tag: each.tag, side: each.side, calls: new Calls() };
      this.functions.set(key, row);
      row.calls.add(each);
    }
    const transitions = message.happened.filter((each) => each.type === 'transition');
    this.transitions = [...transitions.toReversed(), ...this.transitions].slice(0, MOST_TRANSITIONS);
  }
}

export function Details({ store, feed, id, choose }: Properties): JSX.Element {
  const heading = useRef<HTMLHeadingElement>(null);
  const [told] = useState(() => new Told());
  const [, again] = useReducer<number, void>((count) => count + 1, 0);
  useEffect(() => {
    heading.current?.focus();
    const abort = new AbortController();
    const { signal } = abort;
    const follow = async (): Promise<void> => {
      const open = await feed;
      await open.watch(id, signal, (message) => {
        told.take(message);
        again();
      });
    };
    follow().catch((error: unknown) => {
      if (signal.aborted) return;
      told.trouble = (error as Error).message;
      again();
    });
    return () => abort.abort();
  }, [feed, id, told]);
  const peer = store.peers.get(id) ?? store.ghosts.get(id)?.peer;
  const name = plain(peer?.name ?? told.last.about?.name ?? id);
  return (
    <aside class="card details" aria-label={`About ${name}`}>
      <header>
        <h2 ref={heading} tabIndex={-1} title={name}>
          {name}
        </h2>
        {store.peers.has(id) ? peer && <State peer={peer} /> : <span class="chip bad">left</span>}
        <button
          type="button"
          class="quiet"
          aria-label="Close, also with Escape"
          onClick={() => choose(undefined)}
        >
          close
        </button>
      </header>
      <div class="scroll">
        {told.trouble && <p class="evidence">{plain(told.trouble)}</p>}
        <About told={told} />
        <h3>Connections</h3>
        <Links links={told.last.links ?? []} choose={choose} />
        <h3>Functions since you opened this</h3>
        <Functions told={told} />
        <h3>Actors</h3>
        <Actors told={told} names={namesOf(told.last.links ?? [])} />
      </div>
    </aside>
  );
}

function About({ told: { last } }: { told: Told }): JSX.Element | null {
  const { about, load } = last;
  if (!about || !load) return <p class="muted">asking …</p>;
  const facts: [string, JSX.Element | string][] = [
    ['id', <code key="id">{plain(about.id)}</code>],
    ['group', plain(about.group) + (about.hub ? ', hub' : '')],
    ['process', `${plain(about.host)} · ${about.pid}`],
    ['versions', `app-net ${plain(about.version)}, Node ${plain(about.node)}`],
    ['up for', duration(about.uptime)],
    ['busy', <Bar key="busy" share={load.busy} label={percent(load.busy)} />],
    ['loop lag', duration(load.delay)],
    ['memory', bytes(load.memory)],
    ['makes', `${number(load.caller.pending)} calls, ${number(load.caller.waiting)} wait`],
    [
      'runs',
      `${number(load.dispatcher.running)} calls, ${number(load.dispatcher.waiting + load.dispatcher.held)} wait`,
    ],
    [
      'events',
      `${number(load.events.emitted)} emitted, ${number(load.events.queued)} wait, ${number(load.events.gaps)} gaps`,
    ],
    [
      'offers',
      about.functions.length === 0 ? 'no functions' : about.functions.map((tag) => plain(tag)).join(', '),
    ],
  ];
  return (
    <dl class="facts">
      {facts.map(([term, value]) => (
        <div key={term}>
          <dt>{term}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

const LINKS = [
  ['to'],
  ['state'],
  ['round trip', 'number'],
  ['calls', 'number'],
  ['moved', 'number'],
] as const;

function Links({
  links,
  choose,
}: {
  links: readonly WatchedLink[];
  choose: (id: string) => void;
}): JSX.Element {
  return (
    <Table caption="Connections" columns={LINKS} empty="none">
      {links.map(({ id, name, state, roundTrip, pending, running, sent, received, relayed }) => (
        <tr key={id}>
          <th scope="row">
            <PeerButton id={id} name={name} choose={choose} />
          </th>
          <td class={state === 'suspect' ? 'bad' : ''}>{relayed ? `${plain(state)}, NATS` : plain(state)}</td>
          <td class="number">{roundTrip === undefined ? '–' : duration(roundTrip)}</td>
          <td class="number">{pending + running}</td>
          <td class="number">{bytes(sent + received)}</td>
        </tr>
      ))}
    </Table>
  );
}

const FUNCTIONS = [
  ['function'],
  [''],
  ['calls', 'number'],
  ['p50', 'number'],
  ['p99', 'number'],
  ['failed'],
] as const;

function Functions({ told }: { told: Told }): JSX.Element {
  const rows = [...told.functions.values()].toSorted((a, b) => b.calls.count - a.calls.count).slice(0, 30);
  return (
    <Table caption="Functions" columns={FUNCTIONS} empty="no calls yet">
      {rows.map(({ tag, side, calls }) => {
        const [median, late] = [calls.percentile(0.5), calls.percentile(0.99)];
        return (
          <tr key={`${side} ${tag}`}>
            <th scope="row" title={plain(tag)}>
              {plain(tag)}
            </th>
            <td class="muted">{side === 'ran' ? 'ran' : 'called'}</td>
            <td class="number">{number(calls.count)}</td>
            <td class="number">{median === undefined ? '–' : duration(median)}</td>
            <td class="number">{late === undefined ? '–' : duration(late)}</td>
            <td>
              <Failures codes={calls.codes} />
            </td>
          </tr>
        );
      })}
    </Table>
  );
}

function namesOf(links: readonly WatchedLink[]): Map<string, string> {
  return new Map(links.map(({ id, name }) => [`connection:${id}`, `connection to ${name || id}`]));
}

/** Depths that are drawn apart. */
const DEEPEST = 4;

function Actors({ told, names }: { told: Told; names: ReadonlyMap<string, string> }): JSX.Element {
  const { actors } = told.last;
  if (!actors) return <p class="muted">asking …</p>;
  return (
    <>
      <ul class="tree">
        {actors.map(({ name, depth, state }, index) => (
          <li key={index} class={`depth-${Math.min(DEEPEST, depth)}`}>
            <span>{plain(names.get(name) ?? name)}</span>{' '}
            <span class={`chip actor-${state === 'suspect' ? 'bad' : 'ok'}`}>{plain(state)}</span>
          </li>
        ))}
      </ul>
      {told.transitions.length > 0 && <h3>Changes of state</h3>}
      <ol class="transitions">
        {told.transitions.slice(0, 50).map(({ at, actor, event, state }, index) => (
          <li key={told.transitions.length - index}>
            <time>{timeOf(at)}</time> {plain(names.get(actor) ?? actor)} → <b>{plain(state)}</b>{' '}
            <span class="muted">{plain(event)}</span>
          </li>
        ))}
      </ol>
    </>
  );
}
