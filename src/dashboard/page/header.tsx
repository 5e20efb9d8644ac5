import type { JSX } from 'preact';

import { count, duration, number, percent, plain } from './format.ts';
import type { Store } from './store.ts';

/** The line at the top: the figures that one looks at first, and the filter. */

interface Properties {
  store: Store;
  words: string;
  setWords: (words: string) => void;
  isPaused: boolean;
  setPaused: (isPaused: boolean) => void;
}

export function Header({ store, words, setWords, isPaused, setPaused }: Properties): JSX.Element {
  const ran = store.total('ran');
  const { window } = store;
  const late = ran.percentile(0.99);
  const peers = [...store.peers.values()];
  const unwell = peers.filter(({ state }) => state === 'silent' || state === 'unseen').length;
  const hosts = new Set(peers.map(({ host }) => host)).size;
  return (
    <header class="top">
      <h1>
        <img src="icon.svg" alt="" width="26" height="26" />
        app-net
      </h1>
      <dl class="tiles">
        <Tile name="peers" value={number(peers.length)} note={count(hosts, 'host')} />
        <Tile name="calls a second" value={number(ran.count / window)} />
        <Tile
          name="failed"
          value={percent(ran.count === 0 ? 0 : ran.failed / ran.count)}
          bad={ran.failed > 0}
          note={ran.failed > 0 ? `${number(ran.failed / window)}/s` : ''}
        />
        <Tile name="99 % within" value={late === undefined ? '–' : duration(late)} />
        <Tile name="silent" value={number(unwell)} bad={unwell > 0} />
      </dl>
      <div class="tools">
        <input
          id="filter"
          type="search"
          placeholder="Filter  /"
          aria-label="Filter by name, group, host or function"
          value={words}
          onInput={(event) => setWords(event.currentTarget.value)}
        />
        <button type="button" aria-pressed={isPaused} onClick={() => setPaused(!isPaused)}>
          {isPaused ? 'Resume' : 'Pause'}
        </button>
        <Status store={store} isPaused={isPaused} />
      </div>
    </header>
  );
}

function Tile({
  name,
  value,
  note,
  bad,
}: {
  name: string;
  value: string;
  note?: string;
  bad?: boolean;
}): JSX.Element {
  return (
    <div class={bad ? 'tile bad' : 'tile'}>
      <dt>{name}</dt>
      <dd>
        {value}
        {note ? <small>{note}</small> : null}
      </dd>
    </div>
  );
}

const STATES = {
  connecting: 'connecting',
  open: 'live',
  lost: 'connection lost, trying again',
  over: 'ended: run app-net dashboard again',
} as const;

function Status({ store, isPaused }: { store: Store; isPaused: boolean }): JSX.Element {
  const { connection, trouble } = store;
  const isLive = connection === 'open';
  const text = isLive && isPaused ? 'paused' : STATES[connection];
  return (
    <span class={`status ${isLive ? '' : connection}`} role="status" title={plain(trouble)}>
      {text}
    </span>
  );
}
