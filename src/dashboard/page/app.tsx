import { useEffect, useReducer, useRef, useState } from 'preact/hooks';
import type { JSX } from 'preact';

import type { FleetPeer } from '../messages.ts';
import { CallTable } from './calls.tsx';
import { Details } from './details.tsx';
import { EventTable } from './events.tsx';
import type { Feed } from './feed.ts';
import { duration, plain } from './format.ts';
import { FunctionTable } from './functions.tsx';
import { Happenings } from './happenings.tsx';
import { Header } from './header.tsx';
import { Heat } from './heat.tsx';
import { PeerTable } from './peers.tsx';
import { Card, Choice } from './parts.tsx';
import type { Side, Store } from './store.ts';
import { Topology } from './topology.tsx';

/** The page as a whole, and what the reader has chosen in it. */

const SIDES = [
  ['ran', 'where they run'],
  ['made', 'where they are made'],
] as const;

export function App({ store, feed }: { store: Store; feed: Promise<Feed> }): JSX.Element {
  const [words, setWords] = useState('');
  const [chosen, setChosen] = useState<string>();
  const [tag, setTag] = useState<string>();
  const [side, setSide] = useState<Side>('ran');
  const [isPaused, setPaused] = useState(false);
  const [, again] = useReducer<number, void>((count) => count + 1, 0);
  const paused = useRef(isPaused);
  paused.current = isPaused;
  useEffect(() => {
    // It may have changed since this was drawn.
    again();
    return store.listen(() => !paused.current && again());
  }, [store]);
  const opener = useRef<Element | null>(null);
  const choose = (id: string | undefined): void => {
    if (id !== undefined && chosen === undefined) opener.current = document.activeElement;
    if (id === undefined && opener.current instanceof HTMLElement) opener.current.focus();
    setChosen(id);
  };
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      if (event.key === 'Escape') choose(undefined);
      if (event.key === '/' && !(event.target instanceof HTMLInputElement)) {
        event.preventDefault();
        document.querySelector<HTMLInputElement>('#filter')?.focus();
      }
    };
    addEventListener('keydown', pressed);
    return () => removeEventListener('keydown', pressed);
  });
  const isMeant = meaning(words);
  const shows = ({ id, name, group, host }: FleetPeer): boolean =>
    isMeant(name, group, host) || (words !== '' && id.startsWith(words));
  const total = store.total(side);
  const [median, late] = [total.percentile(0.5), total.percentile(0.99)];
  return (
    <>
      <a class="skip" href="#peers">
        Skip to the tables
      </a>
      <Header {...{ store, words, setWords, isPaused, setPaused }} />
      {store.connection === 'over' && (
        <p class="over" role="alert">
          {plain(store.trouble)}
        </p>
      )}
      <main class={chosen === undefined ? '' : 'with-details'}>
        <Card key="network" title="Network" class="network" note={<Legend />}>
          <Topology {...{ store, chosen, shows, choose }} />
        </Card>
        {/* Each has a key: without one, the parts after it would be made anew when this one changes. */}
        {chosen === undefined ? (
          <Card key="side" title="What happened" class="side">
            <Happenings {...{ store, isMeant, choose }} />
          </Card>
        ) : (
          <Details key={chosen} {...{ store, feed, id: chosen, choose }} />
        )}
        <Card
          key="latency"
          title={tag === undefined ? 'How long calls take' : `How long ${plain(tag)} takes`}
          class="latency"
          note={
            <>
              {median !== undefined && tag === undefined && (
                <span class="figures">
                  <b class="p50">p50</b> {duration(median)} <b class="p99">p99</b> {duration(late!)}
                </span>
              )}
              {tag !== undefined && (
                <button type="button" class="quiet" onClick={() => setTag(undefined)}>
                  show all functions
                </button>
              )}
              <Choice label="Durations" options={SIDES} value={side} change={setSide} />
            </>
          }
        >
          <Heat {...{ store, tag, side }} />
        </Card>
        <Card key="functions" title="Functions" class="functions">
          <FunctionTable {...{ store, side, tag, setTag, isMeant }} />
        </Card>
        <Card key="calls" title="Calls under way" class="calls">
          <CallTable {...{ store, isMeant, choose }} />
        </Card>
        <Card key="events" title="Events" class="events">
          <EventTable {...{ store, isMeant }} />
        </Card>
        <Card key="peers" title="Peers" class="peers" id="peers">
          <PeerTable {...{ store, shows, chosen, choose }} />
        </Card>
      </main>
    </>
  );
}

/** Whether a text matches every word of the filter. */
function meaning(words: string): (...texts: string[]) => boolean {
  const all = words.toLowerCase().split(/\s+/).filter(Boolean);
  return (...texts) => {
    const text = texts.join(' ').toLowerCase();
    return all.every((word) => text.includes(word));
  };
}

function Legend(): JSX.Element {
  return (
    <span class="legend">
      round trip <span>0.1 ms</span>
      <i class="scale" aria-hidden="true" />
      <span>100 ms</span>
    </span>
  );
}
