import { assign, enqueueActions, sendParent, setup, stopChild } from 'xstate';
import type { AnyActorRef, ErrorActorEvent } from 'xstate';

import { NetError } from '../base/errors.ts';
import { CLOSE } from '../wire/frames.ts';
import { MOST_FUNCTIONS, MOST_TAG_CHARACTERS } from '../wire/functions-frames.ts';
import { isPeerId } from '../wire/shapes.ts';
import { HandshakeFailed } from '../wire/handshake/handshake-messages.ts';
import type { ConnectionContext, ConnectionInput } from './connection-context.ts';
import { DialsFailed, dialLogic } from './dial/dialing.ts';
import { handshakeLogic } from './dial/authenticating.ts';
import type { HandshakeResult } from './dial/dialing.ts';
import { freeName } from './free-name.ts';
import { Link } from './link/link.ts';
import { keepOne } from './keep-one.ts';
import { closedBy, findingsOf } from './findings.ts';
import type { ConnectionMessage } from './messages.ts';
import { createRecord } from './link/peer-record.ts';
import type { LeaveReason } from './link/evidence.ts';
import { directDial, whereToProbe } from './probe-plan.ts';
import { directLogic, probeLogic } from './dial/probing.ts';
import type { ProbeResult } from './dial/probing.ts';
import { socketLogic } from './socket.ts';
import { changeFunctions, differenceOf, functionsOfHandshake } from './link/told-functions.ts';

/** Context, guards and actions of the machine of a connection. The machine itself is in `connection.ts`. */

/** Connections of one pair, at most. There is one, or two for a moment if dials cross. More do not happen by accident. */
const MOST_LINKS = 8;

type Event<Type extends ConnectionMessage['type']> = Extract<ConnectionMessage, { type: Type }>;

/**
 * The link to go back to if the one in use closes: an older one that was given up for it, but that the other side still uses,
 * because for some reason it never got the new one.
 */
function otherLink({ record, links }: ConnectionContext, closed: Link): Link | undefined {
  if (record?.link !== closed) return undefined;
  for (const link of links) {
    if (link !== closed && link.record === record && !link.otherLeaving && link.leaving !== 'stopped')
      return link;
  }
  return undefined;
}

/** The name of the actor that looks for a direct way. */
const DIRECT = 'direct';

export interface Departure {
  why: LeaveReason;
  /** Details, in words. */
  detail?: string;
}

export const connectionParts = setup({
  types: {
    context: {} as ConnectionContext,
    events: {} as ConnectionMessage | HandshakeResult | ProbeResult | ErrorActorEvent,
    input: {} as ConnectionInput,
  },
  actors: {
    ...{ dial: dialLogic, handshake: handshakeLogic, probe: probeLogic, direct: directLogic },
    socket: socketLogic,
  },
  guards: {
    'it knows where to dial': ({ context }) => context.addresses.length > 0,
    'only an address was known': ({ context }) => !isPeerId(context.id),
    'the session is of another life': ({ context: { record }, event }) =>
      event.type === 'session.arrived' &&
      (event.session.party.incarnation !== record?.incarnation || record.left !== undefined),
    'the link in use closed': ({ context, event }) =>
      event.type === 'link.closed' && event.link === context.record?.link,
    'the link in use closed, and another one stays': ({ context, event }) =>
      event.type === 'link.closed' && otherLink(context, event.link) !== undefined,
    'the link in use is heard': ({ context }) => context.record?.link?.suspect === false,
    'the link in use closed, and it cannot be dialled': ({ context, event }) =>
      event.type === 'link.closed' &&
      event.link === context.record?.link &&
      whereToProbe(context).length === 0,
    'the last link closed, as both sides wanted': ({ context, event }) =>
      event.type === 'link.closed' &&
      event.link !== context.record?.link &&
      context.links.every((link) => link === event.link),
    'the other side has no use for the link': ({ event }) =>
      event.type === 'frame.received' && event.frame.type === 'goaway' && event.frame.reason === 'idle',
    'it is about the link in use': ({ context, event }) =>
      (event.type === 'link.silent' || event.type === 'link.heard') && event.link === context.record?.link,
    'it is a goaway': ({ event }) => event.type === 'frame.received' && event.frame.type === 'goaway',
    'the other side stops': ({ event }) =>
      event.type === 'frame.received' && event.frame.type === 'goaway' && event.frame.reason === 'stopped',
    'both sides leave the link': ({ context, event }) =>
      event.type === 'link.idle' &&
      (event.link.leaving === 'duplicate' || event.link.otherLeaving === 'idle') &&
      event.link !== context.record?.link,
    'no link is left': ({ context }) => context.links.length === 0,
  },
  actions: {
    'remember why it failed': assign({
      failure: ({ event }) => {
        if (event.type !== 'handshake.failed') {
          const { error } = event as unknown as { error: unknown };
          const refused = error instanceof DialsFailed ? error.refused : [];
          return { refused, stranger: false, error };
        }
        const { errors, refused } = event;
        const stranger = errors.every(
          (error) => error instanceof NetError && error.cause instanceof HandshakeFailed,
        );
        // The first error is mostly from an address where somebody answered but was not the peer, and this says more than a
        // failed dial.
        return { refused, stranger, error: errors[0] };
      },
    }),

    'tell who answered': enqueueActions(({ context, event, enqueue }) => {
      const answer = event as Exclude<HandshakeResult, { type: 'handshake.failed' }>;
      const peer = answer.type === 'session.arrived' ? answer.session.party.id : answer.peer;
      enqueue.sendTo(context.services.discovery, { type: 'address.answered', id: context.id, peer });
    }),

    'hand the session over': sendParent(({ event }) => event as Event<'session.arrived'>),

    'begin a life of the peer': assign({
      record: ({ context, event }) => {
        const { session } = event as Event<'session.arrived'>;
        const { party, socket } = session;
        const known = context.services.recordOf(party.id, party.incarnation);
        return known ?? createRecord(party, party.functions, socket.scope, session.rights);
      },
    }),

    'open a link': enqueueActions(({ context, event, enqueue }) => {
      const { session } = event as Event<'session.arrived'>;
      const { services, links } = context;
      const { self } = services.handshake;
      const record = context.record!;
      const isTaken = (name: string): boolean => links.some(({ ownerName }) => ownerName === name);
      const owner = freeName('socket', links.length, isTaken);
      const link = new Link(record, session, services.limits, owner);
      services.log.connectionOpened(record, session.dialled);
      enqueue.assign({ links: links.concat(link) });
      enqueue.spawnChild('socket', { id: owner, input: { link, services } });
      const change = functionsOfHandshake(record, session.party.functions);
      if (change && change.added.length + change.removed.length > 0) {
        enqueue.sendTo(services.discovery, { type: 'connection.changed', record, ...change });
      }
      const stays = record.link ? keepOne(self.id, context.id, record.link, link) : link;
      if (record.link) (stays === link ? record.link : link).goaway('duplicate');
      record.link = stays;
      const spare = links.filter((each) => each !== stays);
      for (const each of spare.slice(0, Math.max(0, links.length + 1 - MOST_LINKS))) each.socket.terminate();
      record.generation = stays.generation;
      // Functions that did not fit into the handshake, and changes since it was sent.
      const untold = differenceOf(session.told, self.describe().functions);
      link.tellFunctions(untold.added, untold.removed);
      const { party: presence, toldVersion } = session;
      if (presence.digest && !link.rights) services.guests.met(link);
      // The subscriptions go before the calls that waited, which may make events.
      enqueue.sendTo(services.events, { type: 'link.opened', link });
      enqueue.sendTo(services.caller, { type: 'link.opened', link });
      enqueue.sendTo(services.liveness, { type: 'link.opened', link });
      enqueue.sendTo(services.discovery, { type: 'connection.opened', record, link, presence, toldVersion });
    }),

    'look for a direct way': enqueueActions(({ context, enqueue }) => {
      const input = directDial(context);
      enqueue.stopChild(DIRECT);
      if (input) enqueue.spawnChild('direct', { id: DIRECT, input });
    }),

    'look no more': stopChild(DIRECT),

    'begin to doubt': enqueueActions(({ context, enqueue }) => {
      const record = context.record!;
      record.doubt = { ...record.doubt, redial: 'under way' };
      enqueue.sendTo(context.services.discovery, { type: 'connection.suspected', record });
    }),

    'note that the link closed': ({ context, event }) => {
      const record = context.record!;
      const { link, code } = event as Event<'link.closed'>;
      const isGuest = context.services.handshake.pass !== undefined;
      const detail =
        link.broken === undefined
          ? closedBy(code, isGuest)
          : `this side closed the connection: ${link.broken}`;
      const hasClosed = !link.suspect;
      record.doubt = { ...findingsOf(record, context.services.liveness), detail, hasClosed };
      // A closed link takes no calls. They wait until it is decided whether there is another link.
      record.link = undefined;
    },

    'go back to the link that stays': enqueueActions(({ context, event, enqueue }) => {
      const record = context.record!;
      const link = otherLink(context, (event as Event<'link.closed'>).link)!;
      record.link = link;
      // The calls that were under way on the closed link have failed with CONNECTION_LOST: the other side may have run them. The
      // caller sends on this link the calls that waited, and events subscribe again. The other side does not know of the change:
      // it subscribes again on the link that the new dial makes.
      enqueue.sendTo(context.services.caller, { type: 'link.opened', link });
      enqueue.sendTo(context.services.events, { type: 'link.opened', link });
    }),

    'note what the dial came to': ({ context, event }) => {
      const { redial, detail = context.record!.doubt?.detail } = event as ProbeResult & {
        type: 'probe.failed';
      };
      context.record!.doubt = { ...findingsOf(context.record!, context.services.liveness), redial, detail };
    },

    'trust it again': enqueueActions(({ context, enqueue }) => {
      const record = context.record!;
      record.doubt = undefined;
      enqueue.sendTo(context.services.discovery, { type: 'connection.trusted', record });
    }),

    'tell that it stops': enqueueActions(({ context, event, enqueue }) => {
      const record = context.record!;
      record.doubt = findingsOf(record, context.services.liveness);
      const { link } = event as Event<'frame.received'>;
      enqueue.sendTo(context.services.discovery, { type: 'connection.stopped', record, link });
    }),

    'tell that it is out of reach': enqueueActions(({ context, event, enqueue }) => {
      const { record, links, services } = context;
      const { redial, moot, accepted } = event as ProbeResult & { type: 'probe.failed' };
      for (const link of links)
        enqueue.sendTo(services.discovery, { type: 'connection.closed', record: record!, link });
      const refused = redial === 'refused';
      const lost = { type: 'connection.lost', record: record!, refused, moot, accepted } as const;
      enqueue.sendTo(services.discovery, lost);
    }),

    'tell that it has left': enqueueActions(({ context, enqueue }, { why, detail }: Departure) => {
      const { record, services } = context;
      if (!record) return;
      record.doubt = findingsOf(record, services.liveness);
      enqueue.sendTo(services.discovery, { type: 'connection.left', record, why, detail });
    }),

    'let go of the peer': assign({
      record: ({ context }) => {
        // It may be present without a link.
        if (context.record) context.record.link = undefined;
        return undefined;
      },
    }),

    'agree that the link ends': enqueueActions(({ context, event }) => {
      const { link } = event as Event<'frame.received'>;
      const { record, services } = context;
      if (link.askedToEnd) {
        // The other side agrees. It is closed once nothing runs on it.
        link.otherLeaving = 'idle';
        if (record?.link === link) record.link = undefined;
        link.checkIdle();
      } else if (record?.link === link && !link.isBusy && !services.needs(record)) {
        record.link = undefined;
        link.goaway('idle');
      }
    }),

    'cut every link': ({ context }) => {
      for (const link of context.links) link.socket.terminate();
    },

    'close every link': ({ context }) => {
      for (const link of context.links) link.close(CLOSE.GOING_AWAY, '');
    },

    'say goaway on every link': ({ context }) => {
      for (const link of context.links) link.goaway('stopped');
    },

    'note the goaway': enqueueActions(({ context, event, enqueue }) => {
      const { link, frame } = event as Event<'frame.received'>;
      // Asked this way round, so that the compiler reports another frame that comes here.
      if (frame.type === 'functions') return;
      link.otherLeaving = frame.reason;
      enqueue.sendTo(context.services.events, { type: 'link.left', link });
      link.checkIdle();
      if (frame.reason === 'stopped') {
        enqueue.sendTo(context.services.caller, { type: 'link.refused', link, last: frame.last });
      }
    }),

    'update the functions': enqueueActions(({ context, event, enqueue }) => {
      const { link, frame } = event as Event<'frame.received'>;
      const { record } = link;
      if (frame.type === 'goaway' || record !== context.record) return;
      const change = changeFunctions(record, frame);
      if (change)
        enqueue.sendTo(context.services.discovery, { type: 'connection.changed', record, ...change });
      else
        link.breach(
          `it has more than ${MOST_FUNCTIONS} functions, or ${MOST_TAG_CHARACTERS} characters of tags`,
        );
    }),

    'tell the other side our functions': ({ context, event }) => {
      const { added, removed } = event as Event<'functions.changed'>;
      // Send on each link: if there are two, one is about to close, and for a moment the sides may disagree on which.
      for (const link of context.links) {
        if (link.record === context.record) link.tellFunctions(added, removed);
      }
    },

    'close the link': ({ event }) => {
      (event as Event<'link.idle'>).link.close(CLOSE.DONE, '');
    },

    'forget the link': enqueueActions(({ context, event, enqueue }) => {
      const { link, code } = event as Event<'link.closed'>;
      const { links, services } = context;
      if (!links.includes(link)) return;
      services.log.connectionClosed(link.record, code);
      enqueue.assign({ links: links.filter((each) => each !== link) });
      enqueue.stopChild(link.ownerName);
      enqueue.sendTo(services.discovery, { type: 'connection.closed', record: link.record, link });
      enqueue.sendTo(context.services.caller, { type: 'link.closed', link });
      enqueue.sendTo(context.services.events, { type: 'link.closed', link });
      enqueue.sendTo(context.services.dispatcher, { type: 'link.closed', link });
      enqueue.sendTo(context.services.liveness, { type: 'link.closed', link });
    }),

    'forget every link': enqueueActions(({ context: { links, services }, enqueue }) => {
      enqueue.assign({ links: [] });
      for (const link of links) {
        enqueue.stopChild(link.ownerName);
        enqueue.sendTo(services.discovery, { type: 'connection.closed', record: link.record, link });
        for (const actor of [services.caller, services.events, services.dispatcher, services.liveness]) {
          enqueue.sendTo(actor as AnyActorRef, { type: 'link.closed', link });
        }
      }
    }),

    'tell of what one died of': ({ context, event }) => {
      const { error } = event as ErrorActorEvent;
      context.services.log.unforeseen(`in the connection to ${context.id}`, error);
    },

    'report the end': enqueueActions(({ context, self, enqueue }) => {
      const { id, failure } = context;
      enqueue.sendTo(context.services.discovery, { type: 'connection.ended', id, failure });
      enqueue(sendParent({ type: 'connection.ended', id, connection: self }));
    }),
  },
});
