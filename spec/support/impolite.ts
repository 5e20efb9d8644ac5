import { connect as connectTcp } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

import { wsFrame } from './flood.ts';

/** Requests that a peer refuses, or that are none, and ways to break off. */

/** How a client leaves: at once, in the next turn of its event loop, or when the first byte of an answer has come. */
export const ENDINGS = [
  'reset',
  'reset soon',
  'reset on answer',
  'end',
  'destroy',
  'half-close, reset',
] as const;
export type Ending = (typeof ENDINGS)[number];

/** The longest that a client waits for an answer that may never come, in ms. */
const PATIENCE = 40;

const HEADERS = {
  Host: '127.0.0.1',
  Upgrade: 'websocket',
  Connection: 'Upgrade',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Protocol': 'app-net.v1',
};

/** A request with these headers changed; undefined leaves one out. */
export function request(changes: Record<string, string | undefined> = {}, line = 'GET / HTTP/1.1'): string {
  const headers = Object.entries({ ...HEADERS, ...changes }).filter(([, value]) => value !== undefined);
  return `${line}\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
}

/** Bytes that reach each branch between an open connection and the end of a handshake. */
export const MOMENTS: Readonly<Record<string, readonly (string | Buffer)[]>> = {
  'nothing is said': [],
  'a request is half there': [request().slice(0, 60)],
  'a web page asks (403)': [request({ Origin: 'http://a.web.page' })],
  'an unknown name is asked for (403)': [request({ Host: 'evil.example' })],
  'no subprotocol is asked for (400)': [request({ 'Sec-WebSocket-Protocol': undefined })],
  'another version is asked for (400)': [request({ 'Sec-WebSocket-Version': '12' })],
  'the key is none (400)': [request({ 'Sec-WebSocket-Key': 'short' })],
  'the method is none of an upgrade (405)': [request({}, 'POST / HTTP/1.1')],
  'no upgrade is asked for (426)': ['GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'],
  'several requests come at once (426)': ['GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'.repeat(20)],
  'a tunnel is asked for': ['CONNECT other.host:80 HTTP/1.1\r\nHost: other.host\r\n\r\n'],
  'it is no HTTP (400)': ['\u0016\u0003\u0001 hello\r\n\r\n'],
  'it is HTTP/2': ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  'the headers are too long (431)': [request({ Cookie: 'x'.repeat(20_000) })],
  'something is expected (417)': ['GET / HTTP/1.1\r\nHost: a\r\nExpect: the-unexpected\r\n\r\n'],
  'a body is announced': [
    'POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 999999\r\n\r\nx',
  ],
  'the upgrade is granted (101)': [request()],
  'the hello is none (4401)': [request(), wsFrame(1, true, '{"type":"hello"}')],
  'bytes come instead of a hello (4400)': [request(), wsFrame(2, true, 'bytes')],
  'half a frame comes': [request(), wsFrame(1, true, '{"type":"hello",', 300)],
  'a frame is none of RFC 6455': [request(), Buffer.from([0xff, 0xff, 0xff, 0xff])],
  'more comes than a stranger may say': [request(), wsFrame(1, true, 'x'.repeat(60_000))],
};

export interface Door {
  host: string;
  port: number;
  /** Whether the connection is encrypted. Then it comes from an address of its own, of which there may be many. */
  tls: boolean;
}

/** Opens a connection, says all of it, and breaks off. Resolves when the connection is closed. */
export function impolite({ host, port, tls }: Door, words: readonly (string | Buffer)[], ending: Ending) {
  return new Promise<void>((resolve) => {
    const tcp = connectTcp({ host, port, noDelay: true, ...(tls && { localAddress: '127.0.0.2' }) });
    let timer: NodeJS.Timeout | undefined;
    tcp
      .on('error', () => {})
      .once('close', () => {
        clearTimeout(timer);
        resolve();
      });
    const say = (stream: Socket): void => {
      stream.on('data', () => ending === 'reset on answer' && tcp.resetAndDestroy());
      for (const each of words) stream.write(each, 'latin1');
      timer = setTimeout(() => tcp.destroy(), PATIENCE);
      if (ending === 'reset') tcp.resetAndDestroy();
      else if (ending === 'destroy') tcp.destroy();
      else if (ending === 'end') stream.end();
      else if (ending === 'reset soon') setImmediate(() => tcp.resetAndDestroy());
      else if (ending === 'half-close, reset') stream.end(() => setImmediate(() => tcp.resetAndDestroy()));
    };
    tcp.once('connect', () => {
      if (!tls) {
        say(tcp);
        return;
      }
      const stream = connectTls({ socket: tcp, rejectUnauthorized: false });
      stream.on('error', () => tcp.destroy()).once('secureConnect', () => say(stream));
    });
  });
}

/** Runs so many at the same time until `next` has no more. */
export async function inParallel(most: number, next: () => Promise<void> | undefined): Promise<void> {
  const worker = async (): Promise<void> => {
    for (let job = next(); job; job = next()) await job;
  };
  await Promise.all(Array.from({ length: most }, worker));
}
