import type { IncomingMessage, Server } from 'node:http';
import type { Server as SecureServer } from 'node:https';
import type { Socket as NetSocket } from 'node:net';

import { warnOfUnforeseen } from '../base/unforeseen.ts';
import type { Gate } from './gate.ts';
import { owned } from './owned.ts';
import { refuseUpgrade } from './refusals.ts';

/** Lets web pages in at a server of the user. */

/**
 * A server of `node:http` or `node:https`.
 *
 * @example
 * const { createServer } = await import('node:http');
 * const server: WebServer = createServer();
 * createPeer().attach(server, '/net');
 */
export type WebServer = Server | SecureServer;

/** The paths that are taken at each server, in the order in which they were attached. */
const taken = new WeakMap<WebServer, string[]>();

interface Door {
  readonly gate: Gate;
  take(request: IncomingMessage, stream: NetSocket, head: Buffer): void;
}

/**
 * Takes the upgrades of one path, and leaves all others to the user. If the user listens for none, they are answered with 404.
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
    } else if (isFirst(paths, path) && isLeft(server, paths, request)) {
      refuseUpgrade(owned(stream), '404 Not Found');
    }
  };
  const paths = taken.get(server) ?? [];
  if (paths.includes(path))
    throw new Error(`attach: the path ${path} of this server is already taken; give another path`);
  taken.set(server, paths);
  paths.push(path);
  server.on('upgrade', upgrade);
  return () => {
    if (!paths.includes(path)) return;
    paths.splice(paths.indexOf(path), 1);
    server.off('upgrade', upgrade);
    opened.then((door) => door.gate.clear()).catch(() => {});
  };
}

/** Whether the door at this path speaks for all that are attached. */
function isFirst([first]: readonly string[], path: string): boolean {
  return first === path;
}

/** Whether nobody else would answer the request. */
function isLeft(server: WebServer, paths: readonly string[], request: IncomingMessage): boolean {
  return server.listenerCount('upgrade') === paths.length && !paths.some((each) => isAt(each, request));
}

/** Whether the request asks for this path. */
export function isAt(path: string, { url = '' }: IncomingMessage): boolean {
  return url.split('?', 1)[0] === path;
}
