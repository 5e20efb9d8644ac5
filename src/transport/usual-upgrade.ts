import { createHash } from 'node:crypto';
import type { Socket as NetSocket } from 'node:net';

import { SUBPROTOCOL } from '../wire/frames.ts';

/**
 * The usual upgrade to a WebSocket (RFC 6455, section 4): the request that our own dialler writes, and the answer to it. The acceptor
 * knows that request by its exact bytes, and reads it without Node's HTTP parser. The parser reads everything else, because it is
 * made for what strangers write. `docs/decisions.md` has what that saves.
 */

/** RFC 6455, section 1.3. The acceptor proves with it that it has understood the request. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

const BEFORE_HOST = 'GET / HTTP/1.1\r\nHost: ';
const BEFORE_KEY =
  '\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ';
const END = `\r\nSec-WebSocket-Protocol: ${SUBPROTOCOL}\r\n\r\n`;

/** Characters of names, of IP addresses and of ports. */
const HOST = /^[A-Za-z0-9._:[\]-]{1,262}$/;

/** 16 bytes, base64. */
const KEY = /^[A-Za-z0-9+/]{22}==$/;
const KEY_LENGTH = 24;

/** Bytes of the longest request. */
const LONGEST = 512;

export interface UsualRequest {
  readonly host: string;
  readonly key: string;
}

/** @param key 16 random bytes, base64 */
export function requestOf(host: string, key: string): string {
  return `${BEFORE_HOST}${host}${BEFORE_KEY}${key}${END}`;
}

/** The answer that grants the request with this key. */
export function answerTo(key: string): string {
  return (
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
    `Sec-WebSocket-Accept: ${acceptOf(key)}${END}`
  );
}

export function acceptOf(key: string): string {
  return createHash('sha1').update(`${key}${GUID}`, 'latin1').digest('base64');
}

/**
 * Reads the first bytes of a stream.
 * @param usual called if they are exactly the request of our own dialler
 * @param other called for anything else. The bytes are back in the stream, which flows from then on
 */
export function readFirst(
  stream: NetSocket,
  usual: (request: UsualRequest) => void,
  other: () => void,
): void {
  const read = (first: Buffer): void => {
    stream.off('data', read).off('end', ended);
    const request = readUsual(first);
    if (request) {
      usual(request);
      return;
    }
    stream.pause();
    stream.unshift(first);
    other();
    stream.resume();
  };
  const ended = (): void => {
    stream.end();
  };
  stream.on('data', read).on('end', ended);
}

/** Undefined for anything but the whole request, and nothing after it. */
export function readUsual(bytes: Buffer): UsualRequest | undefined {
  if (bytes.length > LONGEST) return undefined;
  const text = bytes.toString('latin1');
  if (!text.startsWith(BEFORE_HOST) || !text.endsWith(END)) return undefined;
  const endOfKey = text.length - END.length;
  const key = text.slice(endOfKey - KEY_LENGTH, endOfKey);
  const host = text.slice(BEFORE_HOST.length, endOfKey - KEY_LENGTH - BEFORE_KEY.length);
  return KEY.test(key) && HOST.test(host) && requestOf(host, key) === text ? { host, key } : undefined;
}
