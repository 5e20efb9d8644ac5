import { randomBytes } from 'node:crypto';
import type { Socket as NetSocket } from 'node:net';

import { SUBPROTOCOL } from '../wire/frames.ts';
import { HANDSHAKE_BYTES } from '../wire/handshake/handshake.ts';
import { acceptOf, requestOf } from './usual-upgrade.ts';

/**
 * The dialler's half of the upgrade to a WebSocket (RFC 6455, section 4.1): one request, and one answer that must match it.
 * `ws` leaves this to Node's HTTP client, which is made for much more. `docs/decisions.md` has what that cost.
 */

const END = '\r\n\r\n';

/** What became of the request. */
export interface UpgradeOutcome {
  /** @param head what arrived after the answer, mostly nothing. It is no longer in the stream */
  done(head: Buffer): void;
  failed(error: Error): void;
}

/**
 * Asks for a WebSocket on an open stream. Returns a function that stops it. Nobody else may read the stream meanwhile.
 * @param host for the `Host` header
 */
export function askForUpgrade(stream: NetSocket, host: string, outcome: UpgradeOutcome): () => void {
  const key = randomBytes(16).toString('base64');
  let answer = '';
  const stop = (): void => {
    stream.off('data', read).off('error', failed).off('close', closed);
  };
  const failed = (error: Error): void => {
    stop();
    outcome.failed(error);
  };
  const closed = (): void => failed(new Error('the connection was closed before the upgrade'));
  const read = (chunk: Buffer): void => {
    // One character a byte, so that a length in characters is one in bytes.
    const before = answer.length;
    answer += chunk.toString('latin1');
    const end = answer.indexOf(END, Math.max(0, before - END.length));
    if (end < 0) {
      if (answer.length > HANDSHAKE_BYTES) failed(new Error('the answer to the upgrade is too long'));
      return;
    }
    const fault = faultOf(answer.slice(0, end), key);
    if (fault !== undefined) {
      failed(new Error(fault));
      return;
    }
    stop();
    outcome.done(chunk.subarray(end + END.length - before));
  };
  stream.on('data', read).on('error', failed).on('close', closed);
  stream.write(requestOf(host, key), 'latin1');
  return stop;
}

/** What is wrong with the answer; undefined if it is the right one. */
function faultOf(answer: string, key: string): string | undefined {
  const [status = '', ...lines] = answer.split('\r\n');
  const code = /^HTTP\/1\.1 (\d{3})(?: |$)/.exec(status)?.[1];
  if (code === undefined) return 'what answered does not speak HTTP';
  if (code !== '101') return `the upgrade was answered with ${code}`;
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon < 1) return 'the answer to the upgrade is not well-formed';
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    // A header that comes twice is a list of two values, and so not the one value that is wanted below.
    headers.set(name, headers.has(name) ? `${headers.get(name)}, ${value}` : value);
  }
  const connection = (headers.get('connection') ?? '').toLowerCase().split(/\s*,\s*/);
  if (headers.get('upgrade')?.toLowerCase() !== 'websocket' || !connection.includes('upgrade'))
    return 'the answer to the upgrade is not a WebSocket';
  if (headers.get('sec-websocket-accept') !== acceptOf(key)) return 'the answer belongs to another upgrade';
  if (headers.get('sec-websocket-protocol') !== SUBPROTOCOL) return 'the answer has another subprotocol';
  // None was offered.
  if (headers.has('sec-websocket-extensions')) return 'the answer has an extension';
  return undefined;
}
