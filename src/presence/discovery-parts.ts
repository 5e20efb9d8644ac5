import { assign, enqueueActions, setup } from 'xstate';
import type { AnyActorRef, ErrorActorEvent } from 'xstate';

import { HOST, NATS } from '../providers/provider.ts';
import { keyOf } from '../providers/hint.ts';
import { hintsOf } from '../providers/peer-list.ts';
import { TOLD } from '../providers/told.ts';
import { isAmong } from '../transport/address.ts';
import {
  addressesOf,
  createCandidate,
  dialOf,
  dropHints,
  firstDelay,
  isSame,
  leadsTo,
  lostAsWell,
  retryDelay,
  selfDelay,
  soonDelay,
} from './candidate.ts';
import type { Candidate } from './candidate.ts';
import { DialTurns } from './dial-turns.ts';
import type { DiscoveryContext, DiscoveryInput } from './discovery-context.ts';
import { warnOfTakenId } from '../connection/id-taken.ts';
import { answer, ask, isSeed } from './introducing.ts';
import { noteDropped } from './dropped-hints.ts';
import type { DiscoveryEmitted, DiscoveryMessage } from './messages.ts';
import { QUARTER_OF_SEARCH, QUIET, QUIET_ALONE, quietTime, searchHasEnded } from './first-search.ts';
import { providerLogic } from './provider.ts';
import { bury } from './tombstones.ts';

/** Context, guards and actions of the machine of discovery. The machine itself is in `discovery.ts`. */

/** Time between two looks at the candidates that wait to be dialled, in ms. */
const TURN = 250;

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
    'start the providers': enqueueActions(({ context, event, enqueue }) => {
      const { self, opened } = event as Event<'discovery.start'>;
      const { providers } = opened.attachment;
      const names = new Set(providers.map((provider) => provider.name));
      const turns = new DialTurns(context.clock);
      const announcing = self.addresses.length > 0 ? [HOST, NATS].find((name) => names.has(name)) : undefined;
      enqueue.assign({ self, turns, announcing, scanning: names, providers: names });
      for (const provider of providers) {
        enqueue.spawnChild('provider', { id: provider.name, input: { provider, self } });
      }
      enqueue.raise({ type: 'search.quiet' }, { id: 'quiet', delay: quietTime(self, QUIET_ALONE) });
      enqueue.raise({ type: 'search.overdue' }, { id: 'overdue', delay: QUARTER_OF_SEARCH });
    }),

    'count a quarter of the search': enqueueActions(({ context, enqueue }) => {
      enqueue.assign({ overdue: context.overdue + 1 });
      enqueue.raise({ type: 'search.overdue' }, { id: 'overdue', delay: QUARTER_OF_SEARCH });
    }),

    'consider the hint': enqueueActions(({ context, event, enqueue, system }) => {
      const { provider, hint } = event as Event<'provider.found'>;
      const self = context.self!;
      if (context.stopping || context.gone.has(hint.incarnation) || leadsTo(self, hint)) return;
      const id = keyOf(hint);
      const known = context.candidates.get(id);
      const candidate = known ?? createCandidate(id);
      context.candidates.set(id, candidate);
      // A repeated hint must not reset the pauses between failing dials.
      const isNews = !isSame(hint, candidate.hints.get(provider));
      candidate.hints.set(provider, hint);
      if (!isNews) return;
      if (candidate.state === 'dialing' && !hint.isAnybodys && context.turns.givesWay(candidate)) {
        // It is dialled again, at its new address, when the connection has ended.
        candidate.state = 'seen';
        candidate.failures = 0;
        (system.get(`connection:${id}`) as AnyActorRef | undefined)?.send({ type: 'dial.stop' });
        return;
      }
      if (candidate.state === 'left') candidate.state = 'seen';
      if (candidate.state === 'seen') {
        candidate.failures = 0;
        // The peer that sent this hint has not told the other side about us, so there is no reason to wait for its dial.
        const delay = provider === TOLD ? 0 : firstDelay(self, hint);
        enqueue.raise(due(id), { id: `due:${id}`, delay });
      }
      if (!known) {
        enqueue.assign({ quiet: false });
        enqueue.cancel('quiet');
        enqueue.raise({ type: 'search.quiet' }, { id: 'quiet', delay: quietTime(self, QUIET) });
      }
    }),

    'drop the hint': ({ context, event }) => {
      const { provider, key, incarnation } = event as Event<'provider.lost'>;
      const candidate = context.candidates.get(key);
      if (candidate?.hints.get(provider)?.incarnation !== incarnation) return;
      candidate.hints.delete(provider);
      if (candidate.hints.size > 0) return;
      context.turns.forget(candidate);
      if (candidate.state === 'seen' || candidate.state === 'left') context.candidates.delete(key);
    },

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

    'ask a seed whom it knows': ({ context, event }) => {
      const id =
        event.type === 'connection.opened' ? event.record.id : (event as Event<'address.answered'>).peer;
      const link = context.candidates.get(id)?.record?.link;
      if (link && isSeed(context, id)) ask(context, link);
    },

    'take what was told, and answer': enqueueActions(({ context, event, enqueue }) => {
      const { link, peers } = event as Event<'peers.told'>;
      if (link.heardPeers || context.stopping) return;
      link.heardPeers = true;
      const hints = hintsOf(peers, link.socket.scope);
      if (context.providers.has(TOLD)) enqueue.sendTo(TOLD, { type: 'hints.told', hints });
      answer(context, link);
    }),

    'add the peer': enqueueActions(({ context, event, enqueue }) => {
      const { record } = event as Event<'connection.opened'>;
      const candidate = context.candidates.get(record.id) ?? createCandidate(record.id);
      context.candidates.set(record.id, candidate);
      const isBack = candidate.generation > 0 && candidate.failures > 0;
      candidate.state = 'up';
      candidate.record = record;
      candidate.proved = addressesOf(candidate);
      candidate.failures = 0;
      candidate.error = undefined;
      candidate.tried = true;
      enqueue.cancel(`due:${record.id}`);
      context.log.joined(record);
      enqueue.emit({ type: 'peer.joined', record });
      for (const { id } of isBack ? lostAsWell(context.candidates, context.clock.now()) : []) {
        enqueue.cancel(`due:${id}`);
        enqueue.raise(due(id), { id: `due:${id}`, delay: soonDelay(context.random) });
      }
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

    'remove the peer': enqueueActions(({ context, event, enqueue }) => {
      const { record, why } = event as Event<'connection.left'>;
      const candidate = context.candidates.get(record.id);
      if (candidate?.record === record) {
        candidate.state = 'left';
        candidate.record = undefined;
        candidate.generation = record.generation + 1;
        if (why !== 'lost') dropHints(candidate, record.incarnation);
      }
      bury(context, record, why);
      context.log.left(record, why);
      enqueue.emit({ type: 'peer.left', record, why });
    }),

    'dial its addresses again': enqueueActions(({ context, event, enqueue }) => {
      const { record } = event as Event<'connection.left'>;
      if (context.stopping) return;
      for (const address of context.candidates.values()) {
        if (address.answeredBy !== record.id) continue;
        address.state = 'left';
        address.answeredBy = undefined;
        const { id } = address;
        if (address.hints.size === 0) context.candidates.delete(id);
        else enqueue.raise(due(id), { id: `due:${id}`, delay: retryDelay(0, false, context.random) });
      }
    }),

    'try again later, or give up': enqueueActions(({ context, event, enqueue }) => {
      const { id, failure } = event as Event<'connection.ended'>;
      const candidate = context.candidates.get(id);
      if (!candidate || candidate.state === 'up' || candidate.state === 'suspect') return;
      candidate.tried = true;
      if (failure) {
        warnOfTakenId(failure.error);
        candidate.state = 'seen';
        candidate.failures += 1;
        candidate.error = failure.error;
        context.log.dialFailed(id, failure.error, candidate.failures);
        for (const [provider, hint] of candidate.hints) {
          const refused = hint.addresses.every((address) => isAmong(failure.refused, address));
          enqueue.sendTo(provider, { type: 'hint.failed', hint, refused });
        }
      }
      if (candidate.hints.size > 0 && !context.stopping) {
        const toItself = candidate.answeredBy === context.self!.id;
        const { random } = context;
        const stranger = failure?.stranger ?? false;
        const delay = toItself ? selfDelay(random) : retryDelay(candidate.failures, stranger, random);
        candidate.dueAt = context.clock.now() + delay;
        enqueue.raise(due(id), { id: `due:${id}`, delay });
      } else {
        context.candidates.delete(id);
      }
    }),

    'note the hints with a wrong tag': ({ context, event }) => {
      const { provider, hints } = event as Event<'provider.dropped'>;
      noteDropped(context, provider, hints);
    },

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

/** Whether the candidate should still be dialled: things may have changed while it waited. */
function isToBeDialled({ candidates, stopping }: DiscoveryContext, candidate: Candidate): boolean {
  if (stopping || candidate.hints.size === 0 || candidates.get(candidate.id) !== candidate) return false;
  return candidate.state === 'seen' || candidate.state === 'left';
}

function due(id: string): Event<'candidate.due'> {
  return { type: 'candidate.due', id };
}

function without(names: ReadonlySet<string>, name: string): ReadonlySet<string> {
  const rest = new Set(names);
  rest.delete(name);
  return rest;
}
