import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/** The answers to what is not let in: no body, no server name, nothing about what runs here. */

/** Refuses a request that is not an upgrade. */
export function refuseRequest(request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(426, { Connection: 'close, Upgrade', Upgrade: 'websocket', 'Content-Length': 0 });
  response.end(() => request.socket.destroySoon());
}

/** @param status such as `403 Forbidden` */
export function refuseUpgrade(stream: Duplex & { destroySoon?(): void }, status: string): void {
  stream.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () =>
    stream.destroySoon?.(),
  );
}
