import { assign, sendParent } from 'xstate';

import { isPeerId } from '../wire/shapes.ts';
import type { ConnectionContext } from './connection-context.ts';
import { connectionParts } from './connection-parts.ts';
import { decidingDial } from './probe-plan.ts';
import { contained } from '../base/contained.ts';

/**
 * Everything between this peer and one other: the actor `connection:<peer id>`. It dials, or gets a session that the listener
 * accepted. It keeps one link for calls and lets the others drain. It ends when no link is left.
 *
 * If only an address is known, the actor is `connection:<host:port>`. It dials the address, hands the session over to the
 * connection of the peer that answered, and ends.
 */

/** Actions for a session of another life, if a connection is in use. */
const REPLACED = ['cut every link', 'begin a life of the peer', 'open a link'] as const;

/** Actions for frames, if a connection is in use. */
const FRAMES = [
  {
    guard: 'the other side stops',
    target: 'draining',
    actions: ['tell that it stops', 'note the goaway', 'let go of the peer'],
  },
  { guard: 'the other side has no use for the link', actions: 'agree that the link ends' },
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
          actions: ['begin a life of the peer', 'open a link'],
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
        // The other side was faster. Our own dial has proved nothing yet, so no call is lost if it ends.
        'session.arrived': {
          target: 'open',
          actions: ['begin a life of the peer', 'open a link'],
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
          // The session is our own, or one that the other side opened at the same time. Leaving this state ends unfinished dials.
          { target: 'open', actions: ['begin a life of the peer', 'open a link'] },
        ],
        'handshake.needless': { target: 'closed', actions: 'tell who answered' },
        'handshake.failed': { target: 'closed', actions: 'remember why it failed' },
        'dial.stop': 'closed',
        'connection.drain': 'closed',
      },
      exit: assign({ dialled: undefined }),
    },
    open: {
      exit: 'look no more',
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
            guard: 'the link in use closed, and it cannot be dialled',
            target: 'draining',
            actions: ['note that the link closed', 'let go of the peer', 'forget the link'],
          },
          {
            guard: 'the link in use closed',
            target: 'suspect',
            actions: ['note that the link closed', 'forget the link'],
          },
          {
            guard: 'the last link closed, as both sides wanted',
            target: 'draining',
            actions: ['forget the link', 'let go of the peer'],
          },
          { actions: 'forget the link' },
        ],
        'functions.changed': { actions: 'tell the other side our functions' },
        'direct.due': { actions: 'look for a direct way' },
        // Our own calls to the peer still work: functions that run here may need them to finish.
        'connection.drain': { target: 'draining', actions: 'say goaway on every link' },
      },
    },
    suspect: {
      entry: 'begin to doubt',
      invoke: {
        src: 'probe',
        input: ({ context }) => decidingDial(context),
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
              'tell that it is out of reach',
              'let go of the peer',
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
        // The peer has left, as others know.
        'dial.stop': { target: 'draining', actions: ['let go of the peer', 'cut every link'] },
        'connection.drain': { target: 'draining', actions: 'say goaway on every link' },
      },
    },
    draining: {
      always: { guard: 'no link is left', target: 'closed' },
      on: {
        // A new life of the peer connected while the old one finishes its calls.
        'session.arrived': {
          target: 'open',
          actions: ['begin a life of the peer', 'open a link'],
        },
        'link.closed': [
          {
            guard: 'the link in use closed',
            actions: [
              'note that the link closed',
              'forget the link',
              { type: 'tell that it has left', params: { why: 'lost' } },
              'let go of the peer',
            ],
          },
          { actions: 'forget the link' },
        ],
        'frame.received': { guard: 'it is a goaway', actions: 'note the goaway' },
        'connection.drain': { actions: 'say goaway on every link' },
        'connection.close': {
          actions: [
            { type: 'tell that it has left', params: { why: 'stopped', detail: 'the local peer stopped' } },
            'let go of the peer',
            'close every link',
          ],
        },
      },
    },
    closed: {
      type: 'final',
      entry: [
        // Needed for a peer that was suspect when this peer stopped, and has no link that could close.
        { type: 'tell that it has left', params: { why: 'lost' } },
        'let go of the peer',
        'report the end',
      ],
    },
  },
  on: {
    'link.idle': [
      { guard: 'both sides leave the link', actions: 'close the link' },
      { actions: sendParent({ type: 'connection.idle' }) },
    ],
    'connection.broke': { target: '.closed', actions: ['cut every link', 'forget every link'] },
    // One of its actors died, in spite of all guards.
    'xstate.error.actor.*': {
      target: '.closed',
      actions: ['tell of what one died of', 'cut every link', 'forget every link'],
    },
  },
});

/** An unexpected error in it ends this connection and no other. */
export const connectionMachine = contained(machine, (error, message, self) => {
  const { services, id } = (self.getSnapshot() as { context: ConnectionContext }).context;
  services.log.unforeseen(`in the connection to ${id}`, error);
  if (message.type === 'connection.broke' || message.type.startsWith('xstate.')) throw error;
  if (message.type === 'session.arrived') message.session.socket.terminate();
  self.send({ type: 'connection.broke' });
});
