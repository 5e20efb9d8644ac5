import type { IncomingMessage, Server } from 'node:http';
import type { Server as SecureServer } from 'node:https';
import type { Socket as NetSocket } from 'node:net';

import { warnOfUnforeseen } from '../base/unforeseen.ts';
import type { Gate } from './gate.ts';
import { owned } from './owned.ts';
import { refuseUpgrade } from './refusals.ts';

/** Lets web pages in at a server of the user. */

/** A server of `node:http` or `node:https`. */
export type WebServer = Server | SecureServer;

interface Door {
  readonly gate: Gate;
  take(request: IncomingMessage, stream: NetSocket, head: Buffer): void;
}

/**
 * Takes the upgrades of one path, and leaves all others to the user.
 * @param opened the door, once there is one
 * @param isOpen whether anybody is let in now
 * @returns a function that ends it; connections that came in stay
 */
export function attachTo(
  server: WebServer,
  path: string,
  opened: Promise<Door>,
  isOpen: () => boolean,
): () => void {
  const letIn = async (request: IncomingMessage, stream: NetSocket, head: Buffer): Promise<void> => {
    const door = await opened;
    if (!door.gate.enter(stream)) return;
    if (isOpen()) door.take(request, stream, head);
    else refuseUpgrade(stream, '503 Service Unavailable');
  };
  const upgrade = (request: IncomingMessage, stream: NetSocket, head: Buffer): void => {
    if (isAt(path, request)) {
      owned(stream);
      letIn(request, stream, head).catch((error: unknown) => {
        warnOfUnforeseen('with a connection that had just come', error);
        stream.destroy();
      });
    } else if (server.listenerCount('upgrade') === 1) {
      // Nobody else would answer it.
      refuseUpgrade(owned(stream), '404 Not Found');
    }
  };
  server.on('upgrade', upgrade);
  return () => {
    server.off('upgrade', upgrade);
    opened.then((door) => door.gate.clear()).catch(() => {});
  };
}

/** Whether the request asks for this path. */
export function isAt(path: string, { url = '' }: IncomingMessage): boolean {
  return url.split('?', 1)[0] === path;
}
