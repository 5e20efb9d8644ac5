import { assign, enqueueActions, sendParent, setup } from 'xstate';
import type { AnyActorRef } from 'xstate';

import type { Log } from '../log.ts';
import type { Address, Socket, Transport } from '../transport/transport.ts';
import { encodeFrame } from '../wire/codec.ts';
import { CLOSE } from '../wire/frames.ts';
import { isPeerId } from '../wire/guards.ts';
import type { CallerRef } from './caller.ts';
import type { DispatcherRef } from './dispatcher.ts';
import { DialsFailed, dialLogic, handshakeLogic } from './dialing.ts';
import type { HandshakeResult } from './dialing.ts';
import type { HandshakeDependencies } from './handshaking.ts';
import { Link } from './link.ts';
import type { ConnectionFailure, ConnectionMessage } from './messages.ts';
import { createRecord } from './peer-record.ts';
import type { LeaveReason, PeerRecord } from './peer-record.ts';
import { socketLogic } from './socket.ts';

/**
 * Everything between this peer and one other: `connection:<peer id>`. It dials, or is given a session that the
 * listener let in; it keeps one link for calls and lets others drain; it is over when no link is left.
 *
 * When only an address is known it is `connection:<host:port>`. It dials whoever is there, hands the session over to the
 * connection of the peer that answered, and is over.
 */

export interface ConnectionInput {
  /** The peer's; or `host:port` when only an address is known. */
  id: string;
  /** Where to dial, in this order; empty when a session arrives instead. */
  addresses: readonly Address[];
  transport: Transport;
  handshake: HandshakeDependencies;
  /** Bytes. */
  largestMessage: number;
  /** Bytes written to a link and not yet taken by the network, above which calls wait. */
  mostBuffered: number;
  caller: CallerRef;
  dispatcher: DispatcherRef;
  discovery: AnyActorRef;
  log: Log;
}

export interface ConnectionContext extends ConnectionInput {
  /** A socket between dialling and the end of its handshake. */
  socket: Socket | undefined;
  /** Addresses that may still lead to the peer. */
  untried: readonly Address[];
  /** Addresses where nobody listens. */
  refused: readonly Address[];
  /** The peer as it is now; undefined before the first link and after the peer has left. */
  record: PeerRecord | undefined;
  /** Every open link, with the name of the actor that owns its socket. */
  links: ReadonlyMap<Link, string>;
  failure: ConnectionFailure | undefined;
}

type Event<Type extends ConnectionMessage['type']> = Extract<ConnectionMessage, { type: Type }>;

export const connectionMachine = setup({
  types: {
    context: {} as ConnectionContext,
    events: {} as ConnectionMessage | HandshakeResult,
    input: {} as ConnectionInput,
  },
  actors: { dial: dialLogic, handshake: handshakeLogic, socket: socketLogic },
  guards: {
    'it knows where to dial': ({ context }) => context.addresses.length > 0,
    'another address may lead to the peer': ({ context }) => context.untried.length > 0,
    'only an address was known': ({ context }) => !isPeerId(context.id),
    'the session is of another life': ({ context, event }) =>
      event.type === 'session.arrived' && event.session.party.incarnation !== context.record?.incarnation,
    'the link in use closed': ({ context, event }) =>
      event.type === 'link.closed' && event.link === context.record?.link,
    'it is a goaway': ({ event }) => event.type === 'frame.received' && event.frame.type === 'goaway',
    'the other side stops': ({ event }) =>
      event.type === 'frame.received' && event.frame.type === 'goaway' && event.frame.reason === 'stopped',
    'both sides leave a duplicate': ({ event }) =>
      event.type === 'link.idle' && event.link.leaving === 'duplicate',
    'no link is left': ({ context }) => context.links.size === 0,
  },
  actions: {
    'remember why it failed': assign({
      failure: ({ context, event }) => {
        const { error } = event as unknown as { error: unknown };
        const nobody = error instanceof DialsFailed ? error.refused : [];
        // That somebody answered and was not the peer says more than that nobody answered elsewhere.
        const first = context.failure?.error ?? error;
        return { refused: [...context.refused, ...nobody], error: first };
      },
    }),

    'tell who answered': enqueueActions(({ context, event, enqueue }) => {
      const answer = event as Exclude<HandshakeResult, { type: 'handshake.failed' }>;
      const peer = answer.type === 'session.arrived' ? answer.session.party.id : answer.peer;
      enqueue.sendTo(context.discovery, { type: 'address.answered', id: context.id, peer });
    }),

    'hand the session over': sendParent(({ event }) => event as Event<'session.arrived'>),

    'begin a life of the peer': assign({
      record: ({ event }) => {
        const { session } = event as Event<'session.arrived'>;
        return createRecord(session.party, session.socket.scope);
      },
    }),

    'open a link': enqueueActions(({ context, event, enqueue }) => {
      const { session } = event as Event<'session.arrived'>;
      const { caller, dispatcher, largestMessage } = context;
      const record = context.record!;
      const link = new Link(record, session, context.mostBuffered);
      const child = freeName(context.links);
      context.log.connectionOpened(record, session.dialled);
      enqueue.assign({ links: new Map(context.links).set(link, child) });
      enqueue.spawnChild('socket', { id: child, input: { link, caller, dispatcher, largestMessage } });
      const stays = record.link ? keepOne(context, record.link, link) : link;
      if (record.link) (stays === link ? record.link : link).goaway('duplicate');
      record.link = stays;
      link.tellFunctions(session.told, context.handshake.self.describe().functions);
      enqueue.sendTo(caller, { type: 'link.opened', link });
    }),

    'report the join': enqueueActions(({ context, enqueue }) => {
      enqueue.sendTo(context.discovery, { type: 'connection.opened', record: context.record! });
    }),

    'report the leave': enqueueActions(({ context, enqueue }, { why }: { why: LeaveReason }) => {
      const { record } = context;
      if (!record) return;
      record.left = why;
      record.link = undefined;
      enqueue.assign({ record: undefined });
      enqueue.sendTo(context.caller, { type: 'peer.left', record, why });
      enqueue.sendTo(context.discovery, { type: 'connection.left', record, why });
    }),

    'cut every link': ({ context }) => {
      for (const link of context.links.keys()) link.socket.terminate();
    },

    'close every link': ({ context }) => {
      for (const link of context.links.keys()) link.close(CLOSE.GOING_AWAY, '');
    },

    'say goaway on every link': ({ context }) => {
      for (const link of context.links.keys()) link.goaway('stopped');
    },

    'note the goaway': enqueueActions(({ context, event, enqueue }) => {
      const { link, frame } = event as Event<'frame.received'>;
      if (frame.type !== 'goaway') return;
      link.otherLeaving = frame.reason;
      link.checkIdle();
      if (frame.reason === 'stopped') {
        enqueue.sendTo(context.caller, { type: 'link.refused', link, last: frame.last });
      }
    }),

    'update the functions': enqueueActions(({ context, event, enqueue }) => {
      const { link, frame } = event as Event<'frame.received'>;
      const { record } = link;
      if (frame.type !== 'functions' || record !== context.record) return;
      const added = frame.added.filter((tag) => !record.functions.has(tag));
      const removed = frame.removed.filter((tag) => record.functions.has(tag));
      for (const tag of added) record.functions.add(tag);
      for (const tag of removed) record.functions.delete(tag);
      enqueue.sendTo(context.discovery, { type: 'connection.changed', record, added, removed });
    }),

    'tell the other side our functions': ({ context, event }) => {
      const { added, removed } = event as Event<'functions.changed'>;
      context.record?.link?.send(encodeFrame({ type: 'functions', added, removed }));
    },

    'close the duplicate': ({ event }) => {
      (event as Event<'link.idle'>).link.close(CLOSE.DONE, '');
    },

    'forget the link': enqueueActions(({ context, event, enqueue }) => {
      const { link, code } = event as Event<'link.closed'>;
      const child = context.links.get(link);
      if (child === undefined) return;
      context.log.connectionClosed(link.record, code);
      const links = new Map(context.links);
      links.delete(link);
      enqueue.assign({ links });
      enqueue.stopChild(child);
      enqueue.sendTo(context.caller, { type: 'link.closed', link });
      enqueue.sendTo(context.dispatcher, { type: 'link.closed', link });
    }),

    'report the end': enqueueActions(({ context, self, enqueue }) => {
      const { id, failure } = context;
      enqueue.sendTo(context.discovery, { type: 'connection.ended', id, failure });
      enqueue(sendParent({ type: 'connection.ended', id, connection: self }));
    }),
  },
}).createMachine({
  id: 'connection',
  context: ({ input }) => ({
    ...input,
    socket: undefined,
    untried: input.addresses,
    refused: [],
    record: undefined,
    links: new Map(),
    failure: undefined,
  }),
  initial: 'waiting',
  states: {
    waiting: {
      always: { guard: 'it knows where to dial', target: 'dialing' },
      on: {
        'session.arrived': {
          target: 'open',
          actions: ['begin a life of the peer', 'open a link', 'report the join'],
        },
        'connection.drain': 'closed',
      },
    },
    dialing: {
      invoke: {
        src: 'dial',
        input: ({ context }) => ({
          transport: context.transport,
          addresses: context.untried,
          largestMessage: context.largestMessage,
          clock: context.handshake.clock,
        }),
        onDone: {
          target: 'authenticating',
          actions: assign(({ context, event }) => ({
            socket: event.output.socket,
            untried: event.output.untried,
            refused: [...context.refused, ...event.output.refused],
          })),
        },
        onError: { target: 'closed', actions: 'remember why it failed' },
      },
      on: {
        // The other side was faster. Our own dial has proved nothing yet, so no call can be lost with it.
        'session.arrived': {
          target: 'open',
          actions: ['begin a life of the peer', 'open a link', 'report the join'],
        },
        'connection.drain': 'closed',
      },
    },
    authenticating: {
      invoke: {
        src: 'handshake',
        input: ({ context }) => ({
          socket: context.socket!,
          to: isPeerId(context.id) ? context.id : '',
          dependencies: context.handshake,
        }),
      },
      on: {
        'session.arrived': [
          {
            guard: 'only an address was known',
            target: 'closed',
            actions: ['tell who answered', 'hand the session over'],
          },
          // Our own, or one that the other side opened at the same time; leaving this state ends what is not done.
          { target: 'open', actions: ['begin a life of the peer', 'open a link', 'report the join'] },
        ],
        'handshake.needless': { target: 'closed', actions: 'tell who answered' },
        'handshake.failed': [
          {
            guard: 'another address may lead to the peer',
            target: 'dialing',
            actions: 'remember why it failed',
          },
          { target: 'closed', actions: 'remember why it failed' },
        ],
        'connection.drain': 'closed',
      },
      exit: assign({ socket: undefined }),
    },
    open: {
      on: {
        'session.arrived': [
          {
            guard: 'the session is of another life',
            actions: [
              'cut every link',
              { type: 'report the leave', params: { why: 'replaced' } },
              'begin a life of the peer',
              'open a link',
              'report the join',
            ],
          },
          { actions: 'open a link' },
        ],
        'frame.received': [
          {
            guard: 'the other side stops',
            target: 'draining',
            actions: [{ type: 'report the leave', params: { why: 'stopped' } }, 'note the goaway'],
          },
          { guard: 'it is a goaway', actions: 'note the goaway' },
          { actions: 'update the functions' },
        ],
        'link.closed': [
          {
            guard: 'the link in use closed',
            target: 'draining',
            actions: ['forget the link', { type: 'report the leave', params: { why: 'lost' } }],
          },
          { actions: 'forget the link' },
        ],
        'functions.changed': { actions: 'tell the other side our functions' },
        // The peer stays there for our own calls: what still runs here may need it to finish.
        'connection.drain': { target: 'draining', actions: 'say goaway on every link' },
      },
    },
    draining: {
      always: { guard: 'no link is left', target: 'closed' },
      on: {
        // A new life of the peer, while the old one finishes its calls.
        'session.arrived': {
          target: 'open',
          actions: ['begin a life of the peer', 'open a link', 'report the join'],
        },
        'link.closed': [
          {
            guard: 'the link in use closed',
            actions: ['forget the link', { type: 'report the leave', params: { why: 'lost' } }],
          },
          { actions: 'forget the link' },
        ],
        'frame.received': { guard: 'it is a goaway', actions: 'note the goaway' },
        'connection.drain': { actions: 'say goaway on every link' },
        'connection.close': {
          actions: [{ type: 'report the leave', params: { why: 'stopped' } }, 'close every link'],
        },
      },
    },
    closed: { type: 'final', entry: 'report the end' },
  },
  on: {
    'link.idle': [
      { guard: 'both sides leave a duplicate', actions: 'close the duplicate' },
      { actions: sendParent({ type: 'connection.idle' }) },
    ],
  },
});

/**
 * `socket:1`, or the next that is free. Names that go on and on would give the children of each connection a shape of
 * their own, and each shape costs the engine more than the child.
 */
function freeName(links: ReadonlyMap<Link, string>): string {
  const taken = new Set(links.values());
  let number = 1;
  while (taken.has(`socket:${number}`)) number += 1;
  return `socket:${number}`;
}

/**
 * Which of two links of one pair stays. Both sides decide by the same facts: the one that the peer with the lower
 * id opened. If one side opened both, it has given up the first.
 */
function keepOne({ handshake, id }: ConnectionContext, current: Link, link: Link): Link {
  if (current.dialled === link.dialled) return link;
  const ours = handshake.self.id < id;
  return link.dialled === ours ? link : current;
}
