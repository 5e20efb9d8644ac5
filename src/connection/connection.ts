import { assign, sendParent } from 'xstate';

import { isPeerId } from '../wire/guards.ts';
import type { ConnectionContext } from './connection-context.ts';
import { connectionParts, whereToProbe } from './connection-parts.ts';
import { contained } from '../base/contained.ts';

/**
 * Everything between this peer and one other: `connection:<peer id>`. It dials, or is given a session that the
 * listener let in; it keeps one link for calls and lets others drain; it is over when no link is left.
 *
 * When only an address is known it is `connection:<host:port>`. It dials whoever is there, hands the session over to the
 * connection of the peer that answered, and is over.
 */

/** What a session of another life does to a connection in use. */
const REPLACED = [
  'cut every link',
  { type: 'report the leave', params: { why: 'replaced', detail: 'a newer life of it connected' } },
  'begin a life of the peer',
  'open a link',
  'report the join',
] as const;

/** What frames do to a connection in use. */
const FRAMES = [
  {
    guard: 'the other side stops',
    target: 'draining',
    actions: [
      { type: 'report the leave', params: { why: 'stopped', detail: 'it said goodbye' } },
      'note the goaway',
    ],
  },
  { guard: 'it is a goaway', actions: 'note the goaway' },
  { actions: 'update the functions' },
] as const;

const machine = connectionParts.createMachine({
  id: 'connection',
  context: ({ input }) => ({
    ...input,
    dialled: undefined,
    record: undefined,
    links: [],
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
          transport: context.services.transport,
          addresses: context.addresses,
          largestMessage: context.services.largestMessage,
          clock: context.services.handshake.clock,
        }),
        onDone: {
          target: 'authenticating',
          actions: assign({ dialled: ({ event }) => event.output }),
        },
        onError: { target: 'closed', actions: 'remember why it failed' },
      },
      on: {
        // The other side was faster. Our own dial has proved nothing yet, so no call can be lost with it.
        'session.arrived': {
          target: 'open',
          actions: ['begin a life of the peer', 'open a link', 'report the join'],
        },
        'dial.stop': 'closed',
        'connection.drain': 'closed',
      },
    },
    authenticating: {
      invoke: {
        src: 'handshake',
        input: ({ context }) => ({
          dialled: context.dialled!,
          transport: context.services.transport,
          largestMessage: context.services.largestMessage,
          to: isPeerId(context.id) ? context.id : '',
          generation: context.generation,
          dependencies: context.services.handshake,
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
        'handshake.failed': { target: 'closed', actions: 'remember why it failed' },
        'dial.stop': 'closed',
        'connection.drain': 'closed',
      },
      exit: assign({ dialled: undefined }),
    },
    open: {
      on: {
        'session.arrived': [
          { guard: 'the session is of another life', actions: REPLACED },
          { actions: 'open a link' },
        ],
        'frame.received': FRAMES,
        'link.silent': { guard: 'it is about the link in use', target: 'suspect' },
        'link.closed': [
          {
            guard: 'the link in use closed, and another one stays',
            target: 'suspect',
            actions: ['forget the link', 'go back to the link that stays'],
          },
          {
            guard: 'the link in use closed, and this process was stalled',
            target: 'suspect',
            actions: ['note that the link closed', 'forget the link'],
          },
          {
            guard: 'the link in use closed',
            target: 'draining',
            actions: [
              'note that the link closed',
              'forget the link',
              { type: 'report the leave', params: { why: 'lost' } },
            ],
          },
          { actions: 'forget the link' },
        ],
        'functions.changed': { actions: 'tell the other side our functions' },
        // The peer stays there for our own calls: what still runs here may need it to finish.
        'connection.drain': { target: 'draining', actions: 'say goaway on every link' },
      },
    },
    suspect: {
      entry: 'begin to doubt',
      invoke: {
        src: 'probe',
        input: ({ context }) => ({
          id: context.id,
          addresses: whereToProbe(context),
          transport: context.services.transport,
          handshake: context.services.handshake,
          largestMessage: context.services.largestMessage,
          generation: context.record!.generation + 1,
          time: context.services.probeTime,
        }),
      },
      on: {
        'link.heard': { guard: 'it is about the link in use', target: 'open', actions: 'trust it again' },
        'session.arrived': [
          { guard: 'the session is of another life', target: 'open', actions: REPLACED },
          { target: 'open', actions: ['open a link', 'trust it again'] },
        ],
        'probe.failed': [
          { guard: 'the link in use is heard', target: 'open', actions: 'trust it again' },
          {
            target: 'draining',
            actions: [
              'note what the dial came to',
              { type: 'report the leave', params: { why: 'lost' } },
              'cut every link',
            ],
          },
        ],
        'frame.received': FRAMES,
        'link.closed': [
          { guard: 'the link in use closed', actions: ['note that the link closed', 'forget the link'] },
          { actions: 'forget the link' },
        ],
        'functions.changed': { actions: 'tell the other side our functions' },
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
            actions: [
              'note that the link closed',
              'forget the link',
              { type: 'report the leave', params: { why: 'lost' } },
            ],
          },
          { actions: 'forget the link' },
        ],
        'frame.received': { guard: 'it is a goaway', actions: 'note the goaway' },
        'connection.drain': { actions: 'say goaway on every link' },
        'connection.close': {
          actions: [
            { type: 'report the leave', params: { why: 'stopped', detail: 'this peer stopped' } },
            'close every link',
          ],
        },
      },
    },
    closed: {
      type: 'final',
      entry: [
        // One that was suspect when this peer stopped, and has no link that could close.
        { type: 'report the leave', params: { why: 'lost' } },
        'report the end',
      ],
    },
  },
  on: {
    'link.idle': [
      { guard: 'both sides leave a duplicate', actions: 'close the duplicate' },
      { actions: sendParent({ type: 'connection.idle' }) },
    ],
    'connection.broke': { target: '.closed', actions: ['cut every link', 'forget every link'] },
    // One of its actors died in spite of everything.
    'xstate.error.actor.*': {
      target: '.closed',
      actions: ['tell of what one died of', 'cut every link', 'forget every link'],
    },
  },
});

/** Whatever goes wrong in it ends this connection and no other. */
export const connectionMachine = contained(machine, (error, message, self) => {
  const { services, id } = (self.getSnapshot() as { context: ConnectionContext }).context;
  services.log.unforeseen(`in the connection to ${id}`, error);
  if (message.type === 'connection.broke' || message.type.startsWith('xstate.')) throw error;
  if (message.type === 'session.arrived') message.session.socket.terminate();
  self.send({ type: 'connection.broke' });
});
