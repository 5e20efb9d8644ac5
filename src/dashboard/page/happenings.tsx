import type { JSX } from 'preact';

import type { FleetHappening } from '../messages.ts';
import { count, plain, timeOf } from './format.ts';
import type { Store } from './store.ts';

/** Joins, leaves with their evidence, and gaps: the newest first. */

const MOST = 60;

interface Properties {
  store: Store;
  isMeant: (...texts: string[]) => boolean;
  choose: (id: string) => void;
}

export function Happenings({ store, isMeant, choose }: Properties): JSX.Element {
  const all = [...store.happened.values()].filter(({ name, id }) => isMeant(name, id)).toReversed();
  if (all.length === 0) {
    return (
      <p class="empty">
        Nothing has happened since you opened this page. Joins and leaves appear here, with the reason.
      </p>
    );
  }
  return (
    <ol class="happened" aria-label="What happened" aria-live="polite">
      {all.slice(0, MOST).map((each) => (
        <li key={each.key} class={each.type}>
          <time>{timeOf(each.at)}</time>
          <div>
            {store.peers.has(each.id) ? (
              <button type="button" class="name" onClick={() => choose(each.id)}>
                {plain(each.name)}
              </button>
            ) : (
              <b>{plain(each.name)}</b>
            )}{' '}
            <Sentence happening={each} />
          </div>
        </li>
      ))}
    </ol>
  );
}

const WHY = {
  stopped: 'stopped',
  lost: 'was lost',
  replaced: 'was replaced',
  unreachable: 'cannot be reached',
} as const;

function Sentence({ happening }: { happening: FleetHappening }): JSX.Element {
  if (happening.type === 'join')
    return <>joined{happening.group === 'main' ? '' : ` the group ${plain(happening.group)}`}</>;
  if (happening.type === 'gap') {
    const { by, event, missed } = happening;
    return (
      <>
        emitted <b>{plain(event)}</b>, and {plain(by)} missed{' '}
        {missed === undefined ? 'some' : count(missed, 'event')}
      </>
    );
  }
  const { why, evidence, witnesses, seenHere } = happening;
  return (
    <>
      <span class="why">{seenHere ? WHY[why] : `${WHY[why]}, as others see it`}</span>
      {evidence && <p class="evidence">{plain(evidence)}</p>}
      {witnesses > 0 && <p class="muted">seen by {count(witnesses, 'peer')}</p>}
    </>
  );
}
