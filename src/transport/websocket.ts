import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { Socket as NetSocket } from 'node:net';

import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';

import { afterAwake } from '../base/time/awake.ts';
import { systemClock } from '../base/time/clock.ts';
import { warnOfUnforeseen } from '../base/unforeseen.ts';
import { SUBPROTOCOL } from '../wire/frames.ts';
import { HANDSHAKE_TIME } from '../wire/handshake/handshake.ts';
import { Gate } from './gate.ts';
import type { UpgradeRequest } from './gate.ts';
import { refuseRequest, refuseUpgrade } from './refusals.ts';
import { addressText, hostInUrl, plainIp } from './address.ts';
import { dialStream } from './dial-stream.ts';
import { openEntrance } from './entrance.ts';
import { Tls } from './tls.ts';
import { askForUpgrade } from './upgrade.ts';
import type { TlsOptions } from './tls.ts';
import { DialFailed } from './transport.ts';
import type { Address } from './address.ts';
import type { DialOptions, Listener, ListenOptions, Socket, Transport } from './transport.ts';
import { answerTo, readFirst } from './usual-upgrade.ts';
import type { UsualRequest } from './usual-upgrade.ts';
import { NO_HEAD, openedSocket, PARTS, PONGS, WebSocketSocket } from './websocket-socket.ts';

/**
 * WebSocket: over plain TCP within this host, over TLS beyond it. Only this file and
 * `websocket-socket.ts` import `ws`.
 * @param given the user's certificate; without one, a certificate is made when it is needed. It is a function, so that a log or
 * inspector that walks the actors does not find the key.
 */
export function webSocketTransport(given: () => TlsOptions | undefined = () => undefined): Transport {
  const tls = new Tls(given);
  return {
    listen: (options, accept) => listen(options, tls, accept),
    dial: (address, options) => dial(address, tls, options),
  };
}

async function listen(options: ListenOptions, tls: Tls, accept: (socket: Socket) => void): Promise<Listener> {
  // Reads everything but the request of our own dialler. Node's limit on headers bounds the size of a request before the upgrade, and the gate bounds its time. Node's own timers are
  // off because they would also count the time in which this process was too busy to read.
  const server = createServer({ headersTimeout: 0, requestTimeout: 0 });
  const gate = new Gate(options);
  const upgrader = new Upgrader(gate, options.largestMessage, accept);
  server.on('request', refuseRequest);
  server.on('upgrade', (request: IncomingMessage, stream: NetSocket, head: Buffer) =>
    upgrader.take(request, stream, head),
  );
  const take = (stream: NetSocket): void =>
    readFirst(
      stream,
      (request) => upgrader.takeUsual(request, stream),
      () => server.emit('connection', stream),
    );
  const entrance = await openEntrance(take, gate, options, tls);
  return {
    addresses: entrance.addresses,
    ended: entrance.ended,
    close: () => {
      entrance.close();
      gate.clear();
      return Promise.resolve();
    },
  };
}

/** Turns upgrades that a gate admits into sockets. */
export class Upgrader {
  readonly #gate: Gate;
  readonly #accept: (socket: Socket) => void;
  readonly #server: WebSocketServer;
  readonly #largestMessage: number;

  constructor(gate: Gate, largestMessage: number, accept: (socket: Socket) => void) {
    this.#gate = gate;
    this.#accept = accept;
    this.#largestMessage = largestMessage;
    this.#server = new WebSocketServer({
      ...{ noServer: true, clientTracking: false, ...PARTS, ...PONGS },
      maxPayload: largestMessage,
      handleProtocols: () => SUBPROTOCOL,
    });
  }

  take(request: IncomingMessage, stream: NetSocket, head: Buffer): void {
    if (this.#isRefused(request, stream)) return;
    this.#server.handleUpgrade(request, stream, head, (ws) => this.#pass(ws, request, stream));
  }

  /** Takes the request of our own dialler, which has been read already. */
  takeUsual({ host, key }: UsualRequest, stream: NetSocket): void {
    const request = { headers: { host, 'sec-websocket-protocol': SUBPROTOCOL } };
    if (this.#isRefused(request, stream)) return;
    stream.write(answerTo(key), 'latin1');
    this.#pass(openedSocket(stream, NO_HEAD, this.#largestMessage, true), request, stream);
  }

  #isRefused(request: UpgradeRequest, stream: NetSocket): boolean {
    const refusal = this.#gate.refuse(request, stream);
    if (refusal) refuseUpgrade(stream, refusal);
    return refusal !== undefined;
  }

  /** This runs within the stream, so an error here would end the process. */
  #pass(ws: WebSocket, request: UpgradeRequest, stream: NetSocket): void {
    try {
      this.#accept(new WebSocketSocket(ws, stream, this.#gate, this.#gate.pageOf(request)));
    } catch (error) {
      warnOfUnforeseen('with a connection that had just come', error);
      ws.terminate();
    }
  }
}

async function dial(address: Address, tls: Tls, { largestMessage, signal }: DialOptions): Promise<Socket> {
  const stream = await dialStream(address, tls, signal);
  if (signal?.aborted) {
    stream.destroy();
    throw signal.reason as Error;
  }
  const { remoteAddress } = stream;
  // A connection that was reset meanwhile no longer knows its remote address, and may never emit 'close'.
  if (stream.destroyed || remoteAddress === undefined) {
    stream.destroy();
    throw new DialFailed(`${addressText(address)}: the connection was closed at once`, false);
  }
  return new Promise((resolve, reject) => {
    // Send the address that answered, not the name that led to it: the other side accepts only names that it knows.
    const host = `${hostInUrl(plainIp(remoteAddress))}:${address.port}`;
    const end = (): void => {
      stopTimer();
      stopAsking();
      signal?.removeEventListener('abort', abort);
    };
    const fail = (reason: Error): void => {
      end();
      stream.destroy();
      reject(reason);
    };
    const abort = (): void => fail(signal?.reason as Error);
    const failed = (text: string, options: ErrorOptions & { accepted?: boolean }): void =>
      fail(new DialFailed(`${addressText(address)}: ${text}`, false, options));
    const stopTimer = afterAwake(systemClock, HANDSHAKE_TIME, () =>
      failed('no answer in time', { accepted: true }),
    );
    signal?.addEventListener('abort', abort, { once: true });
    const stopAsking = askForUpgrade(stream, host, {
      failed: (cause) => failed(cause.message, { cause }),
      done: (head) => {
        end();
        resolve(new WebSocketSocket(openedSocket(stream, head, largestMessage, false), stream, undefined));
      },
    });
  });
}
