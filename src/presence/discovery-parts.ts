import { assign, enqueueActions, setup } from 'xstate';
import type { ErrorActorEvent } from 'xstate';

import { isPeerId } from '../wire/shapes.ts';
import { HOST, NATS } from '../providers/provider.ts';
import { addressText } from '../transport/address.ts';
import { addressesOf, dialOf, lostAsWell, soonDelay } from './candidates/candidate.ts';
import { DialTurns } from './candidates/dial-turns.ts';
import type { DiscoveryContext, DiscoveryInput } from './discovery-context.ts';
import { noteDropped } from './candidates/dropped-hints.ts';
import { noteFailure, noteLoss } from './candidates/failed-dials.ts';
import { handsOf } from './hands.ts';
import { carrierOf, considerEarly, considerHints, dropHint } from './candidates/hints.ts';
import { dueDetours } from './detours.ts';
import { LOOK, unusedLinks } from './idle-links.ts';
import type { DiscoveryEmitted, DiscoveryMessage } from './messages.ts';
import {
  isToBeDialled,
  QUARTER_OF_SEARCH,
  QUIET,
  QUIET_ALONE,
  quietTime,
  searchHasEnded,
} from './candidates/first-search.ts';
import { candidateOf, carryOut, wantLink } from './presence-steps.ts';
import { providerLogic } from './provider.ts';
import { isOfTheCore, retry } from './candidates/retrying.ts';

/** Context, guards and actions of the machine of discovery. The machine itself is in `discovery.ts`. */

/** For so long at most, hints wait for the end of the first scan of this host, in ms. */
const LONGEST_SCAN = 2_000;

/** Time between two looks at the candidates that wait to be dialled, in ms. */
const TURN = 250;

/** Changes of this peer's functions are gathered for so long before everybody is told, in ms. */
const FUNCTIONS_DELAY = 20;

type Event<Type extends DiscoveryMessage['type']> = Extract<DiscoveryMessage, { type: Type }>;

export const discoveryParts = setup({
  types: {
    context: {} as DiscoveryContext,
    events: {} as DiscoveryMessage | ErrorActorEvent,
    input: {} as DiscoveryInput,
    emitted: {} as DiscoveryEmitted,
  },
  actors: { provider: providerLogic },
  guards: {
    'the first search is over': ({ context }) => searchHasEnded(context),
  },
  actions: {
    'start the providers': enqueueActions(({ context, event, self: discovery, enqueue }) => {
      const { self, opened } = event as Event<'discovery.start'>;
      const { providers } = opened.attachment;
      const names = new Set(providers.map((provider) => provider.name));
      const turns = new DialTurns(context.clock);
      const announcing = self.addresses.length > 0 ? [HOST, NATS].find((name) => names.has(name)) : undefined;
      const carrier = carrierOf(context, self, opened, () => discovery.send({ type: 'presence.due' }));
      enqueue.assign({ self, turns, announcing, carrier, scanning: names, providers: names });
      enqueue.raise({ type: 'links.due' }, { id: 'links', delay: LOOK });
      enqueue.raise({ type: 'early.due' }, { id: 'early', delay: LONGEST_SCAN });
      for (const provider of providers) {
        enqueue.spawnChild('provider', {
          id: provider.name,
          input: { provider, self, clock: context.clock },
        });
      }
      enqueue.raise({ type: 'search.quiet' }, { id: 'quiet', delay: quietTime(self, QUIET_ALONE) });
      enqueue.raise({ type: 'search.overdue' }, { id: 'overdue', delay: QUARTER_OF_SEARCH });
    }),

    'count a quarter of the search': enqueueActions(({ context, enqueue }) => {
      enqueue.assign({ overdue: context.overdue + 1 });
      enqueue.raise({ type: 'search.overdue' }, { id: 'overdue', delay: QUARTER_OF_SEARCH });
    }),

    'consider the hint': enqueueActions(({ context, event, enqueue, system }) => {
      const { provider, hints } = event as Event<'provider.found'>;
      const hands = handsOf(context, enqueue, system);
      if (!considerHints(context, provider, hints, hands)) return;
      enqueue.assign({ quiet: false });
      enqueue.cancel('quiet');
      enqueue.raise({ type: 'search.quiet' }, { id: 'quiet', delay: quietTime(context.self!, QUIET) });
    }),

    'drop the hint': enqueueActions(({ context, event, enqueue, system }) => {
      dropHint(context, event as Event<'provider.lost'>, handsOf(context, enqueue, system));
    }),

    'dial the candidate': enqueueActions(({ context, event, enqueue }) => {
      const candidate = context.candidates.get((event as Event<'candidate.due'>).id);
      if (!candidate || !isToBeDialled(context, candidate) || !context.turns.take(candidate)) return;
      enqueue.sendTo(context.peer, dialOf(candidate));
    }),

    'dial who is next': enqueueActions(({ context, enqueue }) => {
      for (let next = context.turns.next(); next; next = context.turns.next()) {
        if (isToBeDialled(context, next)) enqueue.sendTo(context.peer, dialOf(next));
        else context.turns.end(next.id, true);
      }
    }),

    'come back to those who wait': enqueueActions(({ context, event, enqueue }) => {
      const { turns } = context;
      if (event.type === 'turns.due') turns.isComingBack = false;
      if (!turns.isAnybodyWaiting || turns.isComingBack || context.stopping) return;
      turns.isComingBack = true;
      enqueue.raise({ type: 'turns.due' }, { delay: TURN });
    }),

    'the dial is over': ({ context, event }) => {
      const isOpen = event.type === 'connection.opened';
      const id = isOpen ? event.record.id : (event as Event<'connection.ended'>).id;
      // A peer that was dialled by its address joins under its id, as another candidate.
      const answered = context.candidates.get(id)?.answeredBy !== undefined;
      context.turns.end(id, isOpen || answered);
    },

    'note who answered at the address': enqueueActions(({ context, event, enqueue }) => {
      const { id, peer } = event as Event<'address.answered'>;
      const candidate = context.candidates.get(id);
      if (!candidate) return;
      candidate.tried = true;
      candidate.failures = 0;
      candidate.answeredBy = peer;
      candidate.state = peer === context.self!.id ? 'left' : 'up';
      for (const [provider, hint] of candidate.hints) {
        enqueue.sendTo(provider, { type: 'hint.answered', hint });
      }
    }),

    'note the link': enqueueActions(({ context, event, enqueue, system }) => {
      const { record, link, presence, toldVersion } = event as Event<'connection.opened'>;
      const candidate = candidateOf(context, record.id);
      const isBack = candidate.generation > 0 && candidate.failures > 0;
      candidate.state = 'up';
      candidate.record = record;
      candidate.proved = addressesOf(candidate);
      candidate.failures = 0;
      candidate.error = undefined;
      candidate.tried = true;
      candidate.isWanted = false;
      enqueue.cancel(`due:${record.id}`);
      const opened = context.carrier!.opened(record, link, presence, toldVersion);
      carryOut(context, opened, handsOf(context, enqueue, system));
      for (const { id } of isBack ? lostAsWell(context.candidates, context.clock.now()) : []) {
        enqueue.cancel(`due:${id}`);
        enqueue.raise(due(id), { id: `due:${id}`, delay: soonDelay(context.random) });
      }
    }),

    'forget the link': enqueueActions(({ context, event, enqueue, system }) => {
      const { record, link } = event as Event<'connection.closed'>;
      const candidate = context.candidates.get(record.id);
      if (candidate?.record === record && !record.link) candidate.generation = record.generation + 1;
      context.unused.delete(record);
      carryOut(context, context.carrier!.closed(link), handsOf(context, enqueue, system));
    }),

    'note the goodbye': enqueueActions(({ context, event, enqueue, system }) => {
      const { link } = event as Event<'connection.stopped'>;
      carryOut(context, context.carrier!.stopped(link), handsOf(context, enqueue, system));
    }),

    'note that it is out of reach': enqueueActions(({ context, event, enqueue, system }) => {
      const { record, ...found } = event as Event<'connection.lost'>;
      noteLoss(context, record, found, handsOf(context, enqueue, system));
    }),

    'end this life here': enqueueActions(({ context, event, enqueue, system }) => {
      const { record, why, detail } = event as Event<'connection.left'>;
      // Otherwise the core decides.
      if (!context.stopping) return;
      carryOut(context, context.carrier!.end(record, why, detail), handsOf(context, enqueue, system));
    }),

    'end those that have no link': enqueueActions(({ context, enqueue, system }) => {
      const { carrier } = context;
      if (!carrier) return;
      const hands = handsOf(context, enqueue, system);
      for (const record of [...carrier.records()]) {
        if (record.link || context.candidates.get(record.id)?.state === 'suspect') continue;
        carryOut(context, carrier.end(record, 'stopped', 'the local peer stopped'), hands);
      }
      carrier.stop();
    }),

    'take what was told': enqueueActions(({ context, event, enqueue, system }) => {
      const { link, frame } = event as Event<'presence.told'>;
      if (context.stopping) return;
      carryOut(context, context.carrier!.told(link, frame), handsOf(context, enqueue, system));
    }),

    'do what is due': enqueueActions(({ context, enqueue, system }) => {
      if (context.stopping) return;
      carryOut(context, context.carrier!.wake(), handsOf(context, enqueue, system));
    }),

    'tell everybody soon': enqueueActions(({ context, enqueue }) => {
      if (!context.carrier || context.stopping) return;
      enqueue.cancel('functions');
      enqueue.raise({ type: 'functions.due' }, { id: 'functions', delay: FUNCTIONS_DELAY });
    }),

    'tell everybody of the functions': enqueueActions(({ context, enqueue, system }) => {
      if (context.stopping) return;
      carryOut(context, context.carrier!.ownFunctions(), handsOf(context, enqueue, system));
    }),

    'get a link': enqueueActions(({ context, event, enqueue, system }) => {
      const { record } = event as Event<'link.wanted'>;
      if (record.link || record.left) return;
      wantLink(context, candidateOf(context, record.id), handsOf(context, enqueue, system));
    }),

    'look for links to change or end': enqueueActions(({ context, enqueue, system }) => {
      if (context.stopping) return;
      for (const link of unusedLinks(context)) link.askToEnd();
      const hands = handsOf(context, enqueue, system);
      for (const id of dueDetours(context)) hands.toConnection(id, { type: 'direct.due' });
      enqueue.raise({ type: 'links.due' }, { id: 'links', delay: LOOK });
    }),

    'doubt the peer': ({ context, event }) => {
      const { record } = event as Event<'connection.suspected'>;
      const candidate = context.candidates.get(record.id);
      if (candidate?.record === record) candidate.state = 'suspect';
    },

    'trust the peer again': ({ context, event }) => {
      const { record } = event as Event<'connection.trusted'>;
      const candidate = context.candidates.get(record.id);
      if (candidate?.record === record) candidate.state = 'up';
    },

    'tell of changed functions': enqueueActions(({ context, event, enqueue }) => {
      const { record, added, removed } = event as Event<'connection.changed'>;
      context.log.functionsChanged(record, added, removed);
      enqueue.emit({ type: 'peer.changed', record, added, removed });
    }),

    'try again later, or give up': enqueueActions(({ context, event, enqueue, system }) => {
      const { id, failure } = event as Event<'connection.ended'>;
      const candidate = context.candidates.get(id);
      if (!candidate) return;
      const { state } = candidate;
      // Somebody answered at an address, and is linked under its id.
      if (state === 'up' && !isPeerId(id)) return;
      const hands = handsOf(context, enqueue, system);
      candidate.record = undefined;
      if (state === 'dialing' || state === 'seen') candidate.state = 'seen';
      else candidate.state = 'left';
      if (state === 'dialing') candidate.tried = true;
      if (failure && state === 'dialing') noteFailure(context, candidate, failure, hands);
      // The dial ended before it began to prove anything, or the link was closed and meanwhile somebody needs one.
      else if (candidate.isWanted || (state === 'dialing' && isOfTheCore(context, candidate)))
        wantLink(context, candidate, hands);
      else if (!isOfTheCore(context, candidate)) retry(context, candidate, false, hands);
    }),

    'note the hints with a wrong tag': enqueueActions(({ context, event, enqueue }) => {
      const { provider, hints } = event as Event<'provider.dropped'>;
      const { otherSecrets: others } = context;
      noteDropped(context, provider, hints);
      for (const [id, { address }] of hints) others.announced(id, addressText(address), provider);
      enqueue.emit({ type: 'secrets.differ', others });
    }),

    'consider the early hints': enqueueActions(({ context, event, enqueue, system }) => {
      if (event.type !== 'early.due' && (event as Event<'provider.scanned'>).provider !== HOST) return;
      enqueue.assign({ late: true });
      considerEarly(context, handsOf(context, enqueue, system));
    }),

    'the provider told everything': assign({
      scanning: ({ context, event }) => {
        const { provider } = event as Event<'provider.scanned' | 'provider.failed'>;
        return without(context.scanning, provider);
      },
      // This provider announces the peer before it searches.
      announcing: ({ context, event }) => {
        const { provider } = event as Event<'provider.scanned' | 'provider.failed'>;
        return provider === context.announcing ? undefined : context.announcing;
      },
    }),

    'note that the provider cannot work here': assign({
      degraded: ({ context, event }) => {
        const { provider, error } = event as Event<'provider.failed'>;
        context.log.degraded(provider, error);
        return { ...context.degraded, [provider]: error };
      },
    }),

    'note what the provider cannot do': assign({
      degraded: ({ context, event }) => {
        const { provider, reason } = event as Event<'provider.degraded'>;
        const { [provider]: before, ...others } = context.degraded;
        if (reason && !before) context.log.degraded(provider, reason);
        return reason ? { ...others, [provider]: reason } : others;
      },
    }),

    'tell of what a provider died of': ({ context, event }) =>
      context.log.unforeseen('in a provider', (event as ErrorActorEvent).error),

    'stop the providers': enqueueActions(({ context, enqueue }) => {
      enqueue.assign({ stopping: true });
      enqueue.cancel('links');
      enqueue.cancel('functions');
      for (const candidate of context.candidates.values()) enqueue.cancel(`due:${candidate.id}`);
      for (const name of context.providers) enqueue.sendTo(name, { type: 'provider.stop' });
    }),

    'the provider has stopped': assign({
      providers: ({ context, event }) =>
        without(context.providers, (event as Event<'provider.stopped'>).provider),
    }),

    'tell the peer when all have stopped': enqueueActions(({ context, enqueue }) => {
      if (context.stopping && context.providers.size === 0) {
        enqueue.sendTo(context.peer, { type: 'discovery.stopped' });
      }
    }),
  },
});

function due(id: string): Event<'candidate.due'> {
  return { type: 'candidate.due', id };
}

function without(names: ReadonlySet<string>, name: string): ReadonlySet<string> {
  const rest = new Set(names);
  rest.delete(name);
  return rest;
}
