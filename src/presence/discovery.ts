import { assign, enqueueActions } from 'xstate';

import { contained } from '../base/contained.ts';
import { DialTurns } from './candidates/dial-turns.ts';
import type { DiscoveryContext } from './discovery-context.ts';
import { discoveryParts } from './discovery-parts.ts';
import { OtherSecrets } from './other-secrets.ts';

/**
 * Keeps the live set of peers. Providers only give hints at addresses. A peer is in the set while an authenticated connection to
 * it is open, or peers with such a connection say that it is there.
 */
const machine = discoveryParts.createMachine({
  id: 'discovery',
  context: ({ input }) => ({
    ...input,
    self: undefined,
    carrier: undefined,
    unused: new Map(),
    detours: new WeakMap(),
    early: new Map(),
    late: false,
    candidates: new Map(),
    otherSecrets: new OtherSecrets(),
    gone: new Set(),
    departed: new Map(),
    turns: new DialTurns(input.clock),
    announcing: undefined,
    scanning: new Set(),
    providers: new Set(),
    quiet: false,
    overdue: 0,
    stopping: false,
    degraded: {},
    dropped: new Map(),
  }),
  initial: 'searching',
  states: {
    searching: {
      always: { guard: 'the first search is over', target: 'settled' },
      on: {
        'search.quiet': { actions: assign({ quiet: true }) },
        'search.overdue': { actions: 'count a quarter of the search' },
      },
    },
    settled: { entry: enqueueActions(({ enqueue }) => enqueue.emit({ type: 'search.settled' })) },
  },
  on: {
    'discovery.start': { actions: 'start the providers' },
    'discovery.stop': {
      actions: ['end those that have no link', 'stop the providers', 'tell the peer when all have stopped'],
    },
    'provider.found': { actions: 'consider the hint' },
    'provider.lost': { actions: 'drop the hint' },
    'provider.announced': { actions: assign({ announcing: undefined }) },
    'provider.dropped': { actions: 'note the hints with a wrong tag' },
    'provider.scanned': { actions: ['the provider told everything', 'consider the early hints'] },
    'early.due': { actions: 'consider the early hints' },
    'provider.failed': {
      actions: [
        'the provider told everything',
        'consider the early hints',
        'note that the provider cannot work here',
      ],
    },
    'provider.degraded': { actions: 'note what the provider cannot do' },
    'provider.stopped': { actions: ['the provider has stopped', 'tell the peer when all have stopped'] },
    'candidate.due': { actions: ['dial the candidate', 'come back to those who wait'] },
    'turns.due': { actions: ['dial who is next', 'come back to those who wait'] },
    'address.answered': { actions: 'note who answered at the address' },
    'presence.told': { actions: ['take what was told', 'come back to those who wait'] },
    'presence.due': { actions: ['do what is due', 'come back to those who wait'] },
    'functions.changed': { actions: 'tell everybody soon' },
    'functions.due': { actions: 'tell everybody of the functions' },
    'link.wanted': { actions: ['get a link', 'come back to those who wait'] },
    'links.due': { actions: 'look for links to change or end' },
    'connection.opened': { actions: ['note the link', 'the dial is over', 'dial who is next'] },
    'connection.closed': { actions: 'forget the link' },
    'connection.changed': { actions: 'tell of changed functions' },
    'connection.suspected': { actions: 'doubt the peer' },
    'connection.trusted': { actions: 'trust the peer again' },
    'connection.stopped': { actions: 'note the goodbye' },
    'connection.lost': { actions: 'note that it is out of reach' },
    'connection.left': { actions: 'end this life here' },
    'connection.ended': {
      actions: ['the dial is over', 'try again later, or give up', 'dial who is next'],
    },
    'xstate.error.actor.*': { actions: 'tell of what a provider died of' },
  },
});

/** Messages whose outcome others wait for. If one of them fails, the whole peer must know. */
const AWAITED = new Set(['discovery.start', 'discovery.stop', 'provider.stopped']);

/** An unexpected error about one hint or one peer is logged, and all others are still found. */
export const discoveryMachine = contained(machine, (error, { type }, self) => {
  if (AWAITED.has(type) || type.startsWith('xstate.')) throw error;
  (self.getSnapshot() as { context: DiscoveryContext }).context.log.unforeseen('in discovery', error);
});
