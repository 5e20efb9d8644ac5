import { assign, enqueueActions, sendTo, setup, stopChild } from 'xstate';
import type { AnyActorRef, ErrorActorEvent } from 'xstate';

import type { Ending } from './ending.ts';
import type { Hosting } from './guests/hosting.ts';
import { HintTags } from '../providers/hint-tags.ts';
import type { Network } from '../providers/network.ts';
import type { Settings } from './options/options.ts';
import { addressText } from '../transport/address.ts';
import type { Self } from '../wire/handshake/handshake.ts';
import type { CallerLogic, CallerRef } from '../calls/caller/caller.ts';
import { servicesOf } from './connection-services.ts';
import { connectionMachine } from '../connection/connection.ts';
import type { ConnectionContext, ConnectionServices } from '../connection/connection-context.ts';
import { contained } from '../base/contained.ts';
import { discoveryMachine } from '../presence/discovery.ts';
import type { DispatcherLogic } from '../calls/callee/dispatcher.ts';
import type { EventsLogic } from '../events/events.ts';
import { freeName } from '../connection/free-name.ts';
import { sayGoodbye } from '../connection/goodbye.ts';
import { listenerLogic } from './listener.ts';
import type { LivenessLogic } from '../connection/liveness.ts';
import type { PeerMessage } from './messages.ts';
import type { Opened } from '../presence/messages.ts';
import { neighboursOf } from '../presence/neighbours.ts';
import type { OwnPresence } from '../presence/exchange/own-presence.ts';
import { messageOf } from '../base/text.ts';

/**
 * The peer itself: the root of its actors, and the parent of its connections. The names in its system are `discovery`,
 * `dispatcher`, `caller`, `liveness`, `events` and `connection:<peer id>`.
 */

export interface PeerInput {
  settings: Settings;
  self: Self;
  network: Network;
  /** What it tells of its own presence. */
  own: OwnPresence;
  /** Work that ends after its actors. */
  ending: Ending;
  /** Has the guests. */
  hosting: Hosting;
}

export interface PeerContext extends PeerInput {
  opened: Opened | undefined;
  /** What its connections use; undefined before the peer is open. */
  services: ConnectionServices | undefined;
  /** Why the peer could not start, or the error that it died of. */
  error: unknown;
  /** It died of an unexpected error. */
  died: boolean;
  /** The actors of the connections, by peer id. */
  connections: ReadonlyMap<string, AnyActorRef>;
  /** Once the peer stops: how long running calls may take, in ms. */
  drainTime: number;
  /** Discovery has withdrawn its announcements. */
  withdrawn: boolean;
}

/** The part of a connection's snapshot that a peer that stops looks at. */
type WithLinks = { context: Pick<ConnectionContext, 'links'> };

type Event<Type extends PeerMessage['type']> = Extract<PeerMessage, { type: Type }>;

/** The parameters are logics that were made for this one peer. Their state belongs to it alone. */
export function createPeerMachine(
  caller: CallerLogic,
  dispatcher: DispatcherLogic,
  liveness: LivenessLogic,
  events: EventsLogic,
) {
  const machine = setup({
    types: {
      context: {} as PeerContext,
      events: {} as PeerMessage | ErrorActorEvent,
      input: {} as PeerInput,
    },
    actors: {
      caller,
      dispatcher,
      liveness,
      events,
      discovery: discoveryMachine,
      listener: listenerLogic,
      connection: connectionMachine,
    },
    delays: {
      drainTime: ({ context }) => context.drainTime,
    },
    guards: {
      'nothing is left to do': ({ context }) => context.withdrawn && context.connections.size === 0,
    },
    actions: {
      'start the actors': enqueueActions(({ context, self: peer, enqueue }) => {
        const { settings, self, network, own, ending, hosting } = context;
        enqueue.spawnChild('caller', { id: 'caller', systemId: 'caller' });
        enqueue.spawnChild('dispatcher', { id: 'dispatcher', systemId: 'dispatcher' });
        enqueue.spawnChild('liveness', { id: 'liveness', systemId: 'liveness' });
        enqueue.spawnChild('events', { id: 'events', systemId: 'events' });
        const { clock, random, log, process: host } = settings;
        const neighbours = neighboursOf(process.env);
        const around = { peer, clock, random, log, process: host, own };
        const input = { ...around, neighbours, isGuest: settings.pass !== undefined };
        enqueue.spawnChild('discovery', { id: 'discovery', systemId: 'discovery', input });
        const isFull = (id: string, isGuest: boolean): boolean => {
          const { connections } = peer.getSnapshot().context;
          const { size } = hosting.guests;
          const isOver = isGuest
            ? size >= settings.limits.guests
            : connections.size - size >= settings.limits.peers;
          return isOver && !connections.has(id);
        };
        enqueue.spawnChild('listener', {
          id: 'listener',
          input: { settings, self, network, ending, hosting, random, isFull },
        });
      }),

      'begin to look for peers': enqueueActions(({ context, event, self: { system }, enqueue }) => {
        const { opened } = event as Event<'peer.opened'>;
        const { id, incarnation } = context.settings;
        const { keys, listener } = opened;
        const tags = keys.hints && new HintTags(keys.hints);
        const life = { id, incarnation };
        const addresses = listener.addresses.map((each) => tags?.sign(life, each) ?? each);
        const isGuest = context.settings.pass !== undefined;
        const { pid } = context.settings.process;
        const self = { ...life, addresses, pid, world: () => keys.world, tags, isGuest };
        context.settings.log.online(context.settings.group, addresses.map(addressText));
        enqueue.assign({ opened, services: servicesOf(context, opened, system) });
        enqueue.sendTo('discovery', { type: 'discovery.start', self, opened });
      }),

      'dial the peer': enqueueActions(({ context, event, self, enqueue }) => {
        const { id, addresses, generation } = event as Event<'peer.dial'>;
        // The peer may have connected to us in the meantime. A connection that has just ended is not in the way.
        const known = context.connections.get(id);
        if (known?.getSnapshot().status === 'active') return;
        if (known) enqueue.stopChild(known);
        const input = { id, addresses, generation, services: context.services! };
        enqueue.spawnChild('connection', { ...names(context, id, self), input });
        enqueue.assign(({ context: now }) => remember(now, id, self));
      }),

      'give the session to its connection': enqueueActions(({ context, event, self, enqueue }) => {
        const { session } = event as Event<'session.arrived'>;
        const { id } = session.party;
        const known = context.connections.get(id);
        // A connection that has just ended, with its `connection.ended` still under way, would take the session down
        // with it.
        if (known?.getSnapshot().status !== 'active') {
          if (known) enqueue.stopChild(known);
          const input = { id, addresses: [], generation: 0, services: context.services! };
          enqueue.spawnChild('connection', { ...names(context, id, self), input });
          enqueue.assign(({ context: now }) => remember(now, id, self));
        }
        enqueue.sendTo(({ context: now }) => now.connections.get(id)!, { type: 'session.arrived', session });
      }),

      'turn the session away': ({ event }) => {
        sayGoodbye((event as Event<'session.arrived'>).session.socket);
      },

      'tell every connection': enqueueActions(({ context, event, enqueue }) => {
        for (const connection of context.connections.values()) enqueue.sendTo(connection, event);
        enqueue.sendTo('discovery', { type: 'functions.changed' });
      }),

      'drain every connection': enqueueActions(({ context, enqueue }) => {
        for (const connection of context.connections.values()) {
          enqueue.sendTo(connection, { type: 'connection.drain' });
        }
      }),

      'close every connection if no call is under way': enqueueActions(({ context, self, enqueue }) => {
        const { waiting } = (self.system.get('caller') as CallerRef).getSnapshot().context;
        const connections = [...context.connections.values()];
        // Ask the links, and not the dispatcher: a function whose caller has gone may run on, and nobody waits for it.
        const links = connections.flatMap(
          (connection) => (connection.getSnapshot() as WithLinks).context.links,
        );
        if (waiting > 0) return;
        const busy = links.find((link) => !link.isIdle);
        // Each tells when its calls are over, but not when it has sent whatever else was written meanwhile.
        busy?.checkIdle();
        if (busy) return;
        for (const connection of connections) enqueue.sendTo(connection, { type: 'connection.close' });
      }),

      // Without a timer: the clock may be one that stands still.
      'close every connection if there is no time': enqueueActions(({ context, enqueue }) => {
        if (context.drainTime > 0) return;
        for (const connection of context.connections.values()) {
          enqueue.sendTo(connection, { type: 'connection.close' });
        }
      }),

      'close every connection': enqueueActions(({ context, enqueue }) => {
        for (const connection of context.connections.values()) {
          enqueue.sendTo(connection, { type: 'connection.close' });
        }
      }),

      'log that it stops': ({ context }) => context.settings.log.stopping(),
      'log that it has stopped': ({ context }) => context.settings.log.stopped(),
      'log why it failed': ({ context: { settings, error, died } }) => {
        // The cause of a death is logged when the process is told.
        if (!died) settings.log.failed(error);
      },

      'remove the connection': enqueueActions(({ context, event, enqueue }) => {
        const { id, connection } = event as Event<'connection.ended'>;
        if (context.connections.get(id) !== connection) return;
        const connections = new Map(context.connections);
        connections.delete(id);
        enqueue.assign({ connections });
        // A finished child stays among the children until it is stopped.
        enqueue.stopChild(connection);
      }),
    },
  }).createMachine({
    id: 'peer',
    context: ({ input }) => ({
      ...input,
      opened: undefined,
      services: undefined,
      error: undefined,
      died: false,
      connections: new Map(),
      drainTime: input.settings.drainTime,
      withdrawn: false,
    }),
    entry: 'start the actors',
    initial: 'starting',
    states: {
      starting: {
        on: {
          'peer.opened': { target: 'online', actions: 'begin to look for peers' },
          'peer.failed': { target: 'failed', actions: assign({ error: ({ event }) => event.error }) },
          'peer.stop': 'stopped',
        },
      },
      online: {
        on: {
          'peer.stop': {
            target: 'draining',
            actions: assign({
              drainTime: ({ context, event }) => event.drainTime ?? context.drainTime,
            }),
          },
          'peer.dial': { actions: 'dial the peer' },
          'session.arrived': { actions: 'give the session to its connection' },
          'functions.changed': { actions: 'tell every connection' },
        },
      },
      draining: {
        entry: [
          'log that it stops',
          stopChild('listener'),
          sendTo('discovery', { type: 'discovery.stop' }),
          'drain every connection',
          'close every connection if there is no time',
        ],
        always: { guard: 'nothing is left to do', target: 'stopped' },
        // After the drain time, a provider that has not stopped is not waited for any longer.
        after: { drainTime: { actions: ['close every connection', assign({ withdrawn: true })] } },
        on: {
          'session.arrived': { actions: 'turn the session away' },
          'connection.idle': { actions: 'close every connection if no call is under way' },
          'connection.ended': {
            actions: ['remove the connection', 'close every connection if no call is under way'],
          },
          'discovery.stopped': { actions: assign({ withdrawn: true }) },
        },
      },
      stopped: {
        type: 'final',
        entry: [
          'log that it has stopped',
          sendTo('caller', { type: 'caller.stop', reason: 'this peer is stopped' }),
        ],
      },
      failed: {
        type: 'final',
        entry: [
          'log why it failed',
          sendTo('caller', ({ context: { error, died } }) => ({
            type: 'caller.stop',
            reason: `this peer ${died ? 'died of a bug of app-net' : 'could not start'}: ${messageOf(error)}`,
            cause: error,
          })),
        ],
      },
    },
    on: {
      'connection.ended': { actions: 'remove the connection' },
      'peer.broke': { target: '.failed', actions: assign({ error: ({ event }) => event.error, died: true }) },
      // One of its actors died although it is contained.
      'xstate.error.actor.*': {
        target: '.failed',
        actions: assign({ error: ({ event }) => event.error, died: true }),
      },
    },
  });
  return contained(machine, (error, message, self) => {
    // Other actors may wait for the step that failed, so the peer ends. The exception is a message about one connection
    // only.
    const { settings } = (self.getSnapshot() as { context: PeerContext }).context;
    if (message.type === 'session.arrived') {
      settings.log.unforeseen('with a connection that had just been opened', error);
      message.session.socket.terminate();
    } else if (message.type === 'peer.broke' || message.type.startsWith('xstate.')) {
      throw error;
    } else {
      self.send({ type: 'peer.broke', error });
    }
  });
}

/** The names of a connection to this peer, among the children and in the system. */
function names(
  { connections }: PeerContext,
  id: string,
  peer: AnyActorRef,
): { id: string; systemId: string } {
  const { children } = peer.getSnapshot() as { children: Record<string, unknown> };
  const name = freeName('connection', connections.size, (each) => children[each] !== undefined);
  return { id: name, systemId: `connection:${id}` };
}

/** The context with the connection that was just spawned. */
function remember({ connections }: PeerContext, id: string, { system }: AnyActorRef) {
  const connection = system.get(`connection:${id}`) as AnyActorRef;
  return { connections: new Map(connections).set(id, connection) };
}
