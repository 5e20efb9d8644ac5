import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';

import { WebSocket, WebSocketServer } from 'ws';

import { SUBPROTOCOL } from '../../src/wire/frames.ts';
import { ephemeralCertificate } from '../../src/transport/certificate.ts';

/** One who is on the network and has everything but the secret: TLS, WebSockets, and no scruples. */
export class Attacker {
  readonly host: string;
  readonly #sockets: WebSocket[] = [];
  readonly #servers: Server[] = [];

  /** @param host an address of this host that is not loopback */
  constructor(host: string) {
    this.host = host;
  }

  /** A server of its own, with a certificate of its own. Resolves with its port. */
  async serve(accept: (line: Line) => void): Promise<number> {
    const server = createHttpsServer(await ephemeralCertificate());
    const upgrader = new WebSocketServer({
      server,
      handleProtocols: () => SUBPROTOCOL,
      perMessageDeflate: false,
    });
    upgrader.on('connection', (ws) => accept(this.#line(ws)));
    this.#servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, this.host, resolve));
    return (server.address() as AddressInfo).port;
  }

  async dial(port: number): Promise<Line> {
    const ws = new WebSocket(`wss://${this.host}:${port}/`, SUBPROTOCOL, {
      rejectUnauthorized: false,
      perMessageDeflate: false,
    });
    const line = this.#line(ws);
    await new Promise((resolve, reject) => ws.once('open', resolve).once('error', reject));
    return line;
  }

  /** A server that passes on what it hears to a peer and back, decrypting and encrypting it on the way. */
  async relay(port: number, change: (text: string) => string = (text) => text): Promise<Relay> {
    const relayed: string[] = [];
    const ends: number[] = [];
    const own = await this.serve((near) => {
      near.hold();
      void this.dial(port).then((far) => {
        const pass = (from: Line, to: Line): void => {
          from.onMessage((text) => {
            relayed.push(text);
            to.say(change(text));
          });
          void from.closed.then((code) => {
            ends.push(code);
            to.end();
          });
        };
        pass(near, far);
        pass(far, near);
      });
    });
    return { port: own, relayed, ends };
  }

  async stop(): Promise<void> {
    for (const ws of this.#sockets.splice(0)) ws.terminate();
    await Promise.all(
      this.#servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))),
    );
  }

  #line(ws: WebSocket): Line {
    this.#sockets.push(ws);
    return new Line(ws);
  }
}

export interface Relay {
  port: number;
  /** Every message that passed, in order. */
  relayed: string[];
  /** The codes with which connections were ended. */
  ends: number[];
}

/** One connection of the attacker's. */
export class Line {
  readonly heard: string[] = [];
  readonly closed: Promise<number>;
  readonly #ws: WebSocket;
  #held = false;
  #listener: ((text: string) => void) | undefined;

  constructor(ws: WebSocket) {
    this.#ws = ws;
    this.closed = new Promise((resolve) => ws.once('close', resolve));
    ws.on('error', () => {});
    ws.on('message', (data: Buffer) => {
      this.heard.push(data.toString('utf8'));
      if (!this.#held) this.#listener?.(data.toString('utf8'));
    });
  }

  /** Keeps what comes until there is a listener. */
  hold(): void {
    this.#held = true;
  }

  onMessage(listener: (text: string) => void): void {
    this.#listener = listener;
    if (this.#held) for (const text of this.heard) listener(text);
    this.#held = false;
  }

  say(...texts: string[]): void {
    for (const text of texts) if (this.#ws.readyState === WebSocket.OPEN) this.#ws.send(text);
  }

  end(): void {
    this.#ws.close();
  }
}
